package smok

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
)

// minArchive is the shortest interval of archiving, and maxPhase how late the first reading may be.
const (
	minArchive = 100 * time.Millisecond
	maxPhase   = 10 * time.Second
)

// readingPlan says when which pathpoint is to be read. Each has its own time.
type readingPlan struct {
	*host
	mu       sync.Mutex
	readings map[string]*reading
	queue    readingHeap
}

// reading is one pathpoint that is read again and again.
type reading struct {
	path     string
	interval time.Duration
	next     time.Duration // when it is due, by the monotonic clock of the device
	index    int           // in the heap

	// Of the goroutine that reads.
	point  *Pathpoint
	handle *executor.Handle // of the last reading
	told   bool             // that its name is none
}

// busy reports whether the last reading is still under way.
func (r *reading) busy() bool {
	if r.handle == nil || !r.point.queued.Load() {
		return false
	}
	select {
	case <-r.handle.Done():
		return false
	default:
		return true
	}
}

func newReadingPlan(h *host) *readingPlan {
	return &readingPlan{host: h, readings: make(map[string]*reading)}
}

// slack is by how much a reading may come too early, so that those that are due at nearly the same time go together.
func slack(interval time.Duration) time.Duration { return min(interval/10, 250*time.Millisecond) }

// replace sets what is to be read. Of a pathpoint that is listed several times the shortest interval counts. What has not
// changed keeps its times. It reports whether anything has changed.
func (s *readingPlan) replace(list []api.ArchiveEntry) bool {
	wanted := make(map[string]time.Duration)
	for _, e := range list {
		for _, path := range e.Pathpoints {
			interval := max(e.Interval, minArchive)
			if known, ok := wanted[path]; !ok || interval < known {
				wanted[path] = interval
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for path, r := range s.readings {
		if _, ok := wanted[path]; !ok {
			delete(s.readings, path)
			heap.Remove(&s.queue, r.index)
			changed = true
		}
	}
	now := s.clock.look()
	for path, interval := range wanted {
		r := s.readings[path]
		switch {
		case r == nil:
			r = &reading{path: path, interval: interval, next: s.first(now, interval)}
			s.readings[path] = r
			heap.Push(&s.queue, r)
		case r.interval != interval:
			r.next = max(now.mono, r.next-r.interval+interval)
			r.interval = interval
			heap.Fix(&s.queue, r.index)
		default:
			continue
		}
		changed = true
	}
	return changed
}

// first returns when a pathpoint is read for the first time: soon, but not all at once; or when the clock says so.
func (s *readingPlan) first(now moment, interval time.Duration) time.Duration {
	if s.opts.AlignArchives {
		return now.mono + now.wall.Truncate(interval).Add(interval).Sub(now.wall)
	}
	random := rand.Float64
	if s.opts.rand != nil {
		random = s.opts.rand
	}
	return now.mono + time.Duration(random()*float64(min(interval, maxPhase)))
}

// due returns what is to be read now, and when it is next. Times that were missed are left out.
func (s *readingPlan) due() []*reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.look()
	var all []*reading
	for len(s.queue) > 0 && s.queue[0].next-slack(s.queue[0].interval) <= now.mono {
		r := s.queue[0]
		all = append(all, r)
		if s.opts.AlignArchives {
			r.next = s.first(moment{wall: now.wall.Add(slack(r.interval)), mono: now.mono + slack(r.interval)}, r.interval)
		} else {
			r.next += r.interval
			if late := now.mono + slack(r.interval) - r.next; late >= 0 {
				r.next += (late/r.interval + 1) * r.interval
			}
		}
		heap.Fix(&s.queue, 0)
	}
	return all
}

// postpone lets a reading be due later than now.
func (s *readingPlan) postpone(r *reading, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readings[r.path] != r || s.opts.AlignArchives {
		return
	}
	r.next = s.clock.look().mono + by
	heap.Fix(&s.queue, r.index)
}

// realign finds the times anew after the clock was set.
func (s *readingPlan) realign() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.look()
	for _, r := range s.queue {
		r.next = s.first(now, r.interval)
	}
	heap.Init(&s.queue)
}

// wait returns how long it is until something is due, negative if nothing will be.
func (s *readingPlan) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return -1
	}
	return max(0, s.queue[0].next-s.clock.look().mono)
}

func (s *readingPlan) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readings)
}

// readingHeap has the readings, the one that is due first at its head.
type readingHeap []*reading

func (h readingHeap) Len() int           { return len(h) }
func (h readingHeap) Less(i, j int) bool { return h[i].next < h[j].next }
func (h readingHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *readingHeap) Push(x any) {
	r := x.(*reading)
	r.index = len(*h)
	*h = append(*h, r)
}

func (h *readingHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return r
}
