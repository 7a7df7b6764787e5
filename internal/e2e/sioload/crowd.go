package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// connect makes o.clients connections, o.inFlight at a time, after half as many to warm up.
func connect(o *options) (report, error) {
	first, err := dialTogether(o, o.clients/2)
	defer first.close()
	if err != nil {
		return report{}, err
	}
	time.Sleep(settling)
	w, err := openWindow(o.pid)
	if err != nil {
		return report{}, err
	}
	all, err := dialTogether(o, o.clients)
	defer all.close()
	if err != nil {
		return report{}, err
	}
	time.Sleep(settling)
	r, err := w.close()
	r.Ops = len(all)
	return r, err
}

// settling is how long a server has to do what it left for later.
const settling = 100 * time.Millisecond

// dialTogether makes n connections, o.inFlight at a time.
func dialTogether(o *options, n int) (clients, error) {
	all := make(clients, n)
	var next atomic.Int64
	var firstErr error
	var once sync.Once
	var work sync.WaitGroup
	for range o.inFlight {
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				c, err := dial(o, "")
				if err != nil {
					once.Do(func() { firstErr = err })
					return
				}
				all[i] = c
			}
		})
	}
	work.Wait()
	if firstErr != nil {
		for _, c := range all {
			if c != nil {
				_ = c.conn.Close()
			}
		}
		return nil, firstErr
	}
	return all, nil
}

// idle makes o.clients connections that do nothing but answer heartbeats for o.duration, and looks at what they cost.
func idle(o *options) (report, error) {
	first, err := dial(o, "") // with what is made once
	if err != nil {
		return report{}, err
	}
	defer func() { _ = first.conn.Close() }()
	time.Sleep(settling)
	memory, err := residentMemory(o.pid, "VmRSS")
	if err != nil {
		return report{}, err
	}
	goroutines := serverGoroutines(o)
	all, err := dialTogether(o, o.clients)
	if err != nil {
		return report{}, err
	}
	var lost atomic.Int64
	stop := &stopping{fail: func(error) {}}
	var work sync.WaitGroup
	for _, c := range all {
		work.Go(func() {
			for c.next() == nil {
			}
			if !stop.stopped.Load() {
				lost.Add(1)
			}
		})
	}
	w, err := openWindow(o.pid)
	if err != nil {
		return report{}, err
	}
	time.Sleep(o.duration)
	r, err := w.close()
	if err != nil {
		return r, err
	}
	after, err := residentMemory(o.pid, "VmRSS")
	r.Ops, r.Memory, r.Lost = len(all), after-memory, int(lost.Load())
	if goroutines > 0 {
		r.Goroutines = serverGoroutines(o) - goroutines
	}
	stop.end()
	all.close()
	work.Wait()
	for _, c := range all {
		r.Pings += c.pings
	}
	return r, err
}

// serverGoroutines asks a server that tells, and returns 0 for others.
func serverGoroutines(o *options) int {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/goroutines", o.addr))
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	defer http.DefaultClient.CloseIdleConnections()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return 0
	}
	n, _ := strconv.Atoi(string(text))
	return n
}
