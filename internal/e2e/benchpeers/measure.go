package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// result is what one library gave, in one turn or in all turns of a round.
type result struct {
	n       int // messages
	took    time.Duration
	mallocs uint64          // of the whole process; the far end has none
	p50s    []time.Duration // of times that were measured one by one, one per turn
	p99s    []time.Duration
}

func (r result) plus(o result) result {
	return result{
		n: r.n + o.n, took: r.took + o.took, mallocs: r.mallocs + o.mallocs,
		p50s: append(r.p50s, o.p50s...), p99s: append(r.p99s, o.p99s...),
	}
}

// queueLimit is the room between producer and writer, in messages.
const queueLimit = 1024

// transmit sends n messages of the given size through a queue and a writer.
func transmit(l library, n, size int) (result, error) {
	done := make(chan error, 1)
	peer, err := sink(n, size, done)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	c, err := l.dial(peer.URL())
	if err != nil {
		return result{}, err
	}
	defer c.close()

	q := newQueue(queueLimit)
	wrote := make(chan error, 1)
	p := make([]byte, size)
	meter := startMeter()
	go func() {
		var batch [][]byte
		for {
			if batch = q.take(batch); batch == nil {
				wrote <- nil
				return
			}
			if err := c.send(batch); err != nil {
				q.close()
				wrote <- err
				return
			}
		}
	}()
	for range n {
		if !q.put(p) {
			break
		}
	}
	q.close()
	if err := <-wrote; err != nil {
		return result{}, err
	}
	if err := <-done; err != nil {
		return result{}, err
	}
	return meter.stop(n), nil
}

// send sends n messages of the given size one by one, and waits until the peer has them.
func send(l library, n, size int) (result, error) { return sendTo(sink, l, 1, n, size) }

// sendTogether is send by several callers at once.
func sendTogether(l library, n, size int) (result, error) { return sendTo(sink, l, 16, n, size) }

// sendAcked is send with a peer that acknowledges messages if they are numbered.
func sendAcked(l library, n, size int) (result, error) {
	if m, ok := l.(managerLibrary); ok && m.numbered {
		return sendTo(acker, l, 1, n, size)
	}
	return sendTo(sink, l, 1, n, size)
}

// player starts a peer that takes n messages of a size.
type player func(n, size int, done chan<- error) (*wstest.Peer, error)

func sendTo(play player, l library, callers, n, size int) (result, error) {
	done := make(chan error, 1)
	peer, err := play(n, size, done)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	c, err := l.dial(peer.URL())
	if err != nil {
		return result{}, err
	}
	defer c.close()

	one := [][]byte{make([]byte, size)}
	meter := startMeter()
	if err := atOnce(callers, n, func() error { return c.send(one) }); err != nil {
		return result{}, err
	}
	if err := <-done; err != nil {
		return result{}, err
	}
	return meter.stop(n), nil
}

// receive takes n messages of the given size.
func receive(l library, n, size int) (result, error) {
	start := make(chan struct{})
	peer, err := source(n, size, start)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	c, err := l.dial(peer.URL())
	if err != nil {
		return result{}, err
	}
	defer c.close()

	meter := startMeter()
	close(start)
	total, err := c.receive(n)
	if err != nil {
		return result{}, err
	}
	r := meter.stop(n)
	if want := int64(n) * int64(size); total != want {
		return result{}, fmt.Errorf("received %d bytes instead of %d", total, want)
	}
	return r, nil
}

// roundTrips sends n messages of the given size, each after the answer to the one before.
func roundTrips(l library, n, size int) (result, error) {
	peer, err := echo(size)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	c, err := l.dial(peer.URL())
	if err != nil {
		return result{}, err
	}
	defer c.close()

	p := make([]byte, size)
	times := make([]time.Duration, n)
	meter := startMeter()
	for i := range times {
		start := time.Now()
		if err := c.echo(p); err != nil {
			return result{}, err
		}
		times[i] = time.Since(start)
	}
	return meter.stop(n).timed(times), nil
}

// timed returns r with the times of its messages.
func (r result) timed(times []time.Duration) result {
	r.p50s = []time.Duration{median(times)}
	r.p99s = []time.Duration{quantile(times, 0.99)}
	return r
}

// meter measures time and allocations.
type meter struct {
	start   time.Time
	mallocs uint64
}

func startMeter() meter {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return meter{start: time.Now(), mallocs: m.Mallocs}
}

func (m meter) stop(n int) result {
	took := time.Since(m.start)
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	return result{n: n, took: took, mallocs: after.Mallocs - m.mallocs}
}
