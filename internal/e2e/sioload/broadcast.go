package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// audience is many clients, to whom one of them lets the server send.
type audience struct {
	all        clients
	x          exchange
	deliveries atomic.Int64
	complete   chan struct{} // one for each time that as many messages have come as there are clients
	broken     chan struct{} // closed when a client fails
	work       sync.WaitGroup
	stop       *stopping
}

func newAudience(o *options) (*audience, error) {
	path := ""
	if o.protocol == "raw" {
		path = "/bcast"
	}
	all, err := dialAll(o, path)
	if err != nil {
		return nil, err
	}
	a := &audience{all: all, x: toAll(o), complete: make(chan struct{}, 1<<10), broken: make(chan struct{})}
	a.stop = &stopping{fail: func(error) { close(a.broken) }}
	for _, c := range all {
		a.work.Go(func() { a.stop.failed(a.listen(c)) })
	}
	return a, nil
}

// listen counts deliveries until there are no more.
func (a *audience) listen(c *client) error {
	n := int64(len(a.all))
	for {
		if err := c.next(); err != nil {
			return err
		}
		if err := a.x.answers[0].check(&c.in); err != nil {
			return err
		}
		if a.deliveries.Add(1)%n == 0 && !a.stop.stopped.Load() {
			a.complete <- struct{}{}
		}
	}
}

// say lets the server send one message to all.
func (a *audience) say() error {
	_, err := a.all[0].conn.Write(a.x.request)
	return err
}

func (a *audience) close() error {
	a.stop.end()
	a.all.close()
	a.work.Wait()
	return a.stop.err
}

// broadcast keeps o.inFlight broadcasts under way. Each delivery counts.
func broadcast(o *options) (report, error) {
	a, err := newAudience(o)
	if err != nil {
		return report{}, err
	}
	for range o.inFlight {
		if err := a.say(); err != nil {
			return report{}, err
		}
	}
	over := make(chan struct{})
	a.work.Go(func() {
		for {
			select {
			case <-a.complete:
			case <-a.broken:
				return
			case <-over:
				return
			}
			if err := a.say(); err != nil {
				a.stop.failed(err)
				return
			}
		}
	})
	r, err := measure(o, &a.deliveries)
	close(over)
	if closeErr := a.close(); closeErr != nil {
		err = closeErr
	}
	return r, err
}

// slowReader broadcasts o.total bytes while one client does not read, to o.clients that do, four messages at a time. It
// counts their deliveries and how much memory the server took at most.
func slowReader(o *options) (report, error) {
	path := ""
	if o.protocol == "raw" {
		path = "/bcast"
	}
	slow, err := dial(o, path)
	if err != nil {
		return report{}, err
	}
	defer func() { _ = slow.conn.Close() }()
	a, err := newAudience(o)
	if err != nil {
		return report{}, err
	}
	before, err := residentMemory(o.pid, "VmRSS")
	if err != nil {
		return report{}, err
	}
	w, err := openWindow(o.pid)
	if err != nil {
		return report{}, err
	}
	messages := o.total / o.size
	err = a.sayAll(messages, 4)
	r, closeErr := w.close()
	if err == nil {
		err = closeErr
	}
	r.Ops = int(a.deliveries.Load())
	r.Expected = messages * len(a.all)
	r.Lost = r.Expected - r.Ops
	if most, memErr := residentMemory(o.pid, "VmHWM"); memErr == nil {
		r.Memory = most - before
	}
	if closeErr := a.close(); err == nil {
		err = closeErr
	}
	return r, err
}

// sayAll lets the server send n messages, so many at a time. When nothing more comes it gives up, which is no error.
func (a *audience) sayAll(n, atOnce int) error {
	said := 0
	for heard := 0; heard < n; heard++ {
		for ; said < n && said < heard+atOnce; said++ {
			if err := a.say(); err != nil {
				return err
			}
		}
		select {
		case <-a.complete:
		case <-a.broken:
			return nil
		case <-time.After(5 * time.Second):
			return nil
		}
	}
	return nil
}
