//go:build !js

package wsclient

import "sync"

// serial runs functions in order, one at a time, on a goroutine that exists only while there is something to run. It
// needs no wake-ups, so none gets lost.
type serial struct {
	tasks *tasks // counts the goroutine
	limit int    // most functions that wait; 0: no limit of its own

	mu      sync.Mutex
	queue   []func()
	running bool
	closed  bool
	dropped uint64
}

// run lets f run after those before it. It reports false, and f will not run, after close. Of too many that wait, the
// oldest is left out.
func (s *serial) run(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.limit > 0 && len(s.queue) >= s.limit {
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.dropped++
	}
	s.queue = append(s.queue, f)
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
		f := s.queue[0]
		s.queue[0] = nil
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
