package pikvmtest

import (
	"container/heap"
	"sync"
	"time"
)

// scheduler runs delayed work one piece at a time, in the order of the due times, in one goroutine. Work that is due at
// the same instant runs in the order in which it was added, so what a device does is the same in every run.
type scheduler struct {
	mu   sync.Mutex
	jobs jobHeap
	seq  int
	wake chan struct{}
	done chan struct{}
	wg   sync.WaitGroup
}

type job struct {
	due   time.Time
	seq   int
	index int // in the heap; -1 once it is out
	off   bool
	run   func()
}

func newScheduler() *scheduler {
	return &scheduler{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (s *scheduler) start() { s.wg.Go(s.loop) }

// stop drops what is still waiting and returns when nothing runs any more.
func (s *scheduler) stop() {
	close(s.done)
	s.wg.Wait()
}

// after runs f in d. f must not block for long: it delays all later work.
func (s *scheduler) after(d time.Duration, f func()) *job { return s.at(time.Now().Add(d), f) }

// at runs f when it is due. See after.
func (s *scheduler) at(due time.Time, f func()) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	j := &job{due: due, seq: s.seq, run: f}
	heap.Push(&s.jobs, j)
	if j.index == 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return j
}

// cancel takes a job out; nil is none. One that is about to run runs nevertheless: work under a lock asks cancelled
// once it has the lock.
func (s *scheduler) cancel(j *job) {
	if j == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.off = true
	if j.index >= 0 {
		heap.Remove(&s.jobs, j.index)
	}
}

func (s *scheduler) cancelled(j *job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.off
}

func (s *scheduler) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		j, wait := s.next()
		if j != nil {
			j.run()
			continue
		}
		var due <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case <-s.done:
			return
		case <-s.wake:
		case <-due:
		}
	}
}

// next returns the first job if it is due, otherwise how long it takes until it is (0: there is none).
func (s *scheduler) next() (*job, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return nil, 0
	default:
	}
	if len(s.jobs) == 0 {
		return nil, 0
	}
	if wait := time.Until(s.jobs[0].due); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&s.jobs).(*job), 0
}

type jobHeap []*job

func (h jobHeap) Len() int { return len(h) }

func (h jobHeap) Less(i, k int) bool {
	if h[i].due.Equal(h[k].due) {
		return h[i].seq < h[k].seq
	}
	return h[i].due.Before(h[k].due)
}

func (h jobHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].index, h[k].index = i, k
}

func (h *jobHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	j.index = -1
	return j
}
