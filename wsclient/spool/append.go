package spool

import (
	"context"
	"runtime"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// request is one call of Append or AppendBatch on its way into the log.
type request struct {
	entries []Entry
	one     [1]Entry      // what entries holds if it is one, to save an allocation
	size    int64         // bytes with frames
	done    chan struct{} // gets one value, which its caller takes; then the request may be used again

	// Set before done gets its value.
	first uint64
	err   error
}

func (r *request) finish(err error) {
	r.err = err
	r.done <- struct{}{}
}

// request returns a request, which may have been used before.
func (s *Spool) request() *request {
	if r, ok := s.requests.Get().(*request); ok {
		return r
	}
	return &request{done: make(chan struct{}, 1)}
}

// release takes a request back that nobody else has any more.
func (s *Spool) release(r *request) {
	*r = request{done: r.done}
	s.requests.Put(r)
}

// Append stores a record behind all others and returns its number. With a nil error it is stored as the [SyncPolicy]
// says; with any other it is not, except that after a *[SpoolError] a crash may bring it to light.
//
// The context bounds the wait for room and for those who append before. A write that has begun is waited for, so that
// the result is certain. The payload may be changed after the return.
func (s *Spool) Append(ctx context.Context, e Entry) (seq uint64, err error) {
	r := s.request()
	r.one[0] = e
	r.entries = r.one[:]
	defer s.release(r)
	return s.submit(ctx, r)
}

// AppendBatch stores records behind one another, with one write and one sync, and returns the number of the first one.
// It accepts all or none; a power cut before it returns may leave some of them. Without entries it returns 0.
func (s *Spool) AppendBatch(ctx context.Context, entries []Entry) (first uint64, err error) {
	if len(entries) == 0 {
		return 0, nil
	}
	r := s.request()
	r.entries = entries
	defer s.release(r)
	return s.submit(ctx, r)
}

func (s *Spool) submit(ctx context.Context, r *request) (uint64, error) {
	if err := s.measure(r); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, ended("spool.append", ctx)
	}
	if err := s.enqueue(r); err != nil {
		return 0, err
	}
	defer s.deliver()
	for {
		var room <-chan struct{}
		select {
		case s.turn <- struct{}{}: // most often nobody else is here
			room = s.lead()
			<-s.turn
		default:
			select {
			case <-r.done:
				return r.first, r.err
			case <-ctx.Done():
				return s.abandon(ctx, r)
			case s.turn <- struct{}{}:
				room = s.lead()
				<-s.turn
			}
		}
		select {
		case <-r.done:
			return r.first, r.err
		default:
		}
		if room == nil {
			continue
		}
		select {
		case <-room:
		case <-r.done:
			return r.first, r.err
		case <-ctx.Done():
			return s.abandon(ctx, r)
		}
	}
}

// measure checks a request and computes its size.
func (s *Spool) measure(r *request) error {
	for _, e := range r.entries {
		if len(e.Payload) > MaxPayload {
			return errTooBig(int64(len(e.Payload)), MaxPayload)
		}
		r.size += frameHead + int64(len(e.Payload))
	}
	if r.size > s.opts.MaxBytes {
		return errTooBig(r.size, s.opts.MaxBytes)
	}
	if int64(len(r.entries)) > s.opts.MaxRecords {
		return wserr.Config("spool.append", "entries", "more than MaxRecords")
	}
	return nil
}

func (s *Spool) enqueue(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return wserr.SpoolClosed("spool.append")
	}
	s.queue = append(s.queue, r)
	return nil
}

// abandon takes a request back whose context is done. If it is being written already, its result counts.
func (s *Spool) abandon(ctx context.Context, r *request) (uint64, error) {
	s.mu.Lock()
	for i, q := range s.queue {
		if q == r {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			signal(&s.room) // one behind it may fit
			s.mu.Unlock()
			return 0, ended("spool.append", ctx)
		}
	}
	s.mu.Unlock()
	<-r.done
	return r.first, r.err
}

// ended returns the error of a call whose context is done and that did nothing.
func ended(op string, ctx context.Context) error {
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: wserr.Err, Op: op, Kind: errkit.TransportKind(cause) | errkit.NotSent, Err: cause,
	}}
}

// lead writes the next group of the queue. The caller has the turn. If the first request must wait for room, lead
// returns what to wait for.
func (s *Spool) lead() (room <-chan struct{}) {
	if s.waiting() == 0 {
		return nil
	}
	if err := s.ready(); err != nil {
		s.turnAway(err)
		return nil
	}
	if s.opts.Sync == SyncAlways {
		s.muster()
	}
	group, room := s.gather()
	if len(group) > 0 {
		s.commit(group)
	}
	return room
}

func (s *Spool) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// muster lets those run whom the last group released, as long as they come back with another request, so that they
// share the sync.
func (s *Spool) muster() {
	before := 0
	for range 8 {
		now := s.waiting()
		if now == before {
			return
		}
		before = now
		runtime.Gosched()
	}
}

// turnAway ends all waiting requests with err.
func (s *Spool) turnAway(err error) {
	s.mu.Lock()
	queue := s.queue
	s.queue = nil
	s.mu.Unlock()
	for _, r := range queue {
		r.finish(err)
	}
}

// gather takes requests from the queue and encodes them into the buffer, until the group is large enough or the room
// is used up. If there is no room for the first one, the policy decides.
func (s *Spool) gather() (group []*request, room <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = s.buf[:0]
	clear(s.group)
	group = s.group[:0]
	defer func() { s.group = group }()
	seed, seq, now := s.tail.seed, s.next, time.Now()
	for len(s.queue) > 0 {
		r := s.queue[0]
		if len(group) > 0 && int64(len(s.buf))+r.size > maxGroup {
			break
		}
		if !s.fits(int64(seq-s.next)+int64(len(r.entries)), int64(len(s.buf))+r.size) {
			if len(group) > 0 {
				break
			}
			if wait, tryAgain := s.overflow(r); !tryAgain {
				return group, wait
			}
			continue
		}
		s.pop()
		group = append(group, r)
		r.first = seq
		for _, e := range r.entries {
			s.buf = s.encode(seed, seq, e, now)
			seq++
		}
	}
	return group, nil
}

// pop takes the first request out of the queue. mu is held.
func (s *Spool) pop() {
	s.queue[0] = nil
	if len(s.queue) == 1 {
		s.queue = s.queue[:0]
		return
	}
	s.queue = s.queue[1:]
}

// encode appends the frame of e to the buffer.
func (s *Spool) encode(seed uint32, seq uint64, e Entry, now time.Time) []byte {
	if !e.Time.IsZero() {
		now = e.Time
	}
	stamp := newStamp(now, e.Tag)
	if len(s.buf) == 0 && s.synced == s.tail.end {
		stamp |= flagSynced
	}
	return appendFrame(s.buf, seed, frame{seq: seq, stamp: stamp, body: e.Payload})
}

// fits reports whether there is room for so many more records and bytes. mu is held.
func (s *Spool) fits(records, bytes int64) bool {
	return s.live()+records <= s.opts.MaxRecords && s.size()+bytes <= s.opts.MaxBytes
}

// overflow applies the policy to the first request, for which there is no room. It reports whether to look at the
// queue again; if not, the caller has to wait. mu is held, and given up meanwhile.
func (s *Spool) overflow(r *request) (room <-chan struct{}, tryAgain bool) {
	records, bytes := int64(len(r.entries)), r.size
	if s.shedLocked(records, bytes) || len(s.queue) == 0 || s.queue[0] != r {
		return nil, true
	}
	if int64(len(r.entries)) != records || r.size != bytes {
		return nil, true // it was given up meanwhile, and is another call's now
	}
	switch s.opts.Policy {
	case Block:
		return listen(&s.room), false
	case DropOldest: // the oldest cannot be read
	case DropNewest:
		s.stats.Refused += uint64(records)
		s.lose(Refused, 0, 0, uint64(records))
	case Refuse:
		s.stats.Refused += uint64(records)
	}
	s.pop()
	r.finish(s.full())
	return nil, true
}

// shedLocked expires what is too old and, under DropOldest, drops what is in the way. It reports whether there is room
// now. mu is held, and given up meanwhile; the queue may have changed afterwards.
func (s *Spool) shedLocked(records, bytes int64) bool {
	if s.opts.MaxAge <= 0 && s.opts.Policy != DropOldest {
		return false
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	return s.makeRoom(records, bytes)
}
