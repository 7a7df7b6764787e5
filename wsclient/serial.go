//go:build !js

package wsclient

import (
	"slices"
	"sync"
)

// serial runs functions in order, one at a time, on a goroutine that exists only while there is something to run. It
// needs no wake-ups, so none gets lost.
type serial struct {
	tasks *tasks // counts the goroutine
	limit int    // most functions that wait; 0: no limit of its own

	mu      sync.Mutex
	queue   []errand
	running bool
	closed  bool
	dropped uint64
}

// errand is a function that waits to be run.
type errand struct {
	f     func()
	minor bool // the first to be left out
}

// run lets f run after those before it. It reports false, and f will not run, after close. Of too many that wait, the
// oldest minor one is left out, or the oldest if none is minor.
func (s *serial) run(f func(), minor bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.limit > 0 && len(s.queue) >= s.limit {
		i := max(0, slices.IndexFunc(s.queue, func(e errand) bool { return e.minor }))
		s.queue = slices.Delete(s.queue, i, i+1)
		s.dropped++
	}
	s.queue = append(s.queue, errand{f, minor})
	if !s.running {
		s.running = true
		s.tasks.Go(s.work)
	}
	return true
}

// close lets no more functions in. Those that wait still run.
func (s *serial) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *serial) work() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.running, s.queue = false, nil
			s.mu.Unlock()
			return
		}
		f := s.queue[0].f
		s.queue[0] = errand{}
		s.queue = s.queue[1:]
		s.mu.Unlock()
		f()
	}
}

func (s *serial) skipped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}
