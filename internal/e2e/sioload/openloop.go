package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// openLoop sends at a fixed rate, whatever the answers do. The clients take turns. Latencies count from the moment at
// which a request was due, so that a server that holds up the generator does not look better for it.
func openLoop(o *options) (report, error) {
	all, err := dialAll(o, "")
	if err != nil {
		return report{}, err
	}
	x := echoText(o)
	begin := time.Now().Add(10 * time.Millisecond)
	period := time.Second / time.Duration(o.rate)
	var done atomic.Int64
	var latencies lockedDurations
	stop := &stopping{fail: func(error) { all.close() }}
	var work sync.WaitGroup
	for i, c := range all {
		work.Go(func() {
			// Answers come in the order of the requests: the nth one belongs to the nth turn of this client.
			for due := begin.Add(time.Duration(i) * period); ; due = due.Add(time.Duration(len(all)) * period) {
				err := c.next()
				if err == nil {
					err = x.answers[0].check(&c.in)
				}
				if err != nil {
					stop.failed(err)
					return
				}
				done.Add(1)
				if now := time.Now(); now.Sub(begin) > o.warmUp {
					latencies.add(now.Sub(due))
				}
			}
		})
	}
	work.Go(func() {
		for i := 0; !stop.stopped.Load(); i++ {
			if wait := time.Until(begin.Add(time.Duration(i) * period)); wait > 0 {
				time.Sleep(wait)
			}
			if _, err := all[i%len(all)].conn.Write(x.request); err != nil {
				stop.failed(err)
				return
			}
		}
	})
	r, err := measure(o, &done)
	spread(&r, latencies.take())
	stop.end()
	all.close()
	work.Wait()
	if stop.err != nil {
		return r, stop.err
	}
	return r, err
}

type lockedDurations struct {
	mu   sync.Mutex
	list []time.Duration
}

func (l *lockedDurations) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, d)
}

func (l *lockedDurations) take() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	return list
}
