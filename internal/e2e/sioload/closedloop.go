package main

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// closedLoop lets each client have a number of exchanges under way, and begin another one whenever one is done.
func closedLoop(o *options, make func(*options) exchange) (report, error) {
	all, err := dialAll(o, "")
	if err != nil {
		return report{}, err
	}
	x := make(o)
	var done atomic.Int64
	stop := &stopping{fail: func(error) { all.close() }}
	var work sync.WaitGroup
	for _, c := range all {
		work.Go(func() {
			if err := c.exchange(&x, o.inFlight, &done, stop); err != nil {
				stop.failed(err)
			}
		})
	}
	r, err := measure(o, &done)
	stop.end()
	all.close()
	work.Wait()
	if stop.err != nil {
		return r, stop.err
	}
	return r, err
}

// exchange does exchanges until it is stopped, inFlight at a time. The requests that take the places of those that were
// answered together are written together.
func (c *client) exchange(x *exchange, inFlight int, done *atomic.Int64, stop *stopping) error {
	requests := slices.Repeat(x.request, inFlight)
	if _, err := c.conn.Write(requests); err != nil {
		return err
	}
	finished := 0
	for !stop.stopped.Load() {
		for i := range x.answers {
			if err := c.next(); err != nil {
				return err
			}
			if err := x.answers[i].check(&c.in); err != nil {
				return err
			}
		}
		finished++
		if finished < inFlight && !c.drained() {
			continue
		}
		done.Add(int64(finished))
		if _, err := c.conn.Write(requests[:finished*len(x.request)]); err != nil {
			return err
		}
		finished = 0
	}
	return nil
}

// measure waits until the warm-up is over, and returns how much was done in the time after it.
func measure(o *options, done *atomic.Int64) (report, error) {
	time.Sleep(o.warmUp)
	w, err := openWindow(o.pid)
	if err != nil {
		return report{}, err
	}
	before := done.Load()
	time.Sleep(o.duration)
	ops := done.Load() - before
	r, err := w.close()
	r.Ops = int(ops)
	return r, err
}

// stopping ends the work of several goroutines, and keeps the first error before that.
type stopping struct {
	stopped atomic.Bool
	fail    func(error) // called once, by the first that fails

	mu  sync.Mutex
	err error
}

func (s *stopping) end() { s.stopped.Store(true) }

func (s *stopping) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped.Load() || s.err != nil {
		return
	}
	s.err = err
	s.stopped.Store(true)
	s.fail(err)
}
