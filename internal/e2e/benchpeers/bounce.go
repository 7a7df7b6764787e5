package main

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

// bounce is roundTrips in which a manager sends each message from the handler of the one before, as a program does that
// answers at once. No other goroutine has to be woken.
func bounce(l library, n, size int) (result, error) {
	if _, ok := l.(inlineLibrary); !ok {
		return roundTrips(l, n, size)
	}
	peer, err := echo(size)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	b := bouncer{p: make([]byte, size), times: make([]time.Duration, 0, n), done: make(chan error, 1)}
	opts := &wsclient.Options{Receive: wsclient.ReceiveOptions{InlineHandler: func(wsclient.Message) { b.back() }}}
	c, err := direct.connect(peer.URL(), opts)
	if err != nil {
		return result{}, err
	}
	defer c.close()
	b.m = c.m
	meter := startMeter()
	b.send()
	if err := <-b.done; err != nil {
		return result{}, err
	}
	return meter.stop(n).timed(b.times), nil
}

// bouncer belongs to the handler, once the first message is out.
type bouncer struct {
	m     *wsclient.Manager
	p     []byte
	start time.Time
	times []time.Duration
	done  chan error
}

func (b *bouncer) send() {
	b.start = time.Now()
	if err := b.m.Send(context.Background(), wsclient.Binary, b.p); err != nil {
		b.done <- err
	}
}

func (b *bouncer) back() {
	b.times = append(b.times, time.Since(b.start))
	if len(b.times) == cap(b.times) {
		b.done <- nil
		return
	}
	b.send()
}
