package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// storm does bad things to a server and to the way there, until ctx is done, and leaves both in order.
func (h *harbour) storm(ctx context.Context) {
	defer h.calm()
	for {
		if !pause(ctx, 50, 500) {
			return
		}
		proxy := h.proxy.Load()
		switch rand.N(10) {
		case 0:
			proxy.ResetAll()
		case 1:
			proxy.DropAll()
		case 2:
			proxy.HalfOpen()
		case 3: // in the middle of a frame, most often
			for _, l := range proxy.Links() {
				l.CutAfter(direction(), rand.Int64N(4096), netem.RST)
			}
		case 4:
			_ = h.srv.CloseConns([]int{1000, 1001, 1011, 4000}[rand.N(4)], "storm") // not all of them answer
		case 5:
			dir := direction()
			proxy.Stall(dir)
			pause(ctx, 50, 600)
			proxy.Resume(dir)
		case 6: // nobody listens
			if proxy.Refuse(true) == nil {
				pause(ctx, 50, 300)
				listenAgain(ctx, proxy)
			}
		case 7: // the server says no
			h.refuse.Store(true)
			proxy.DropAll()
			pause(ctx, 50, 300)
			h.refuse.Store(false)
		case 8: // it accepts and drops
			for range 5 {
				h.srv.DropConns()
				pause(ctx, 5, 30)
			}
		case 9: // also because a proxy remembers all links that it ever had
			_ = h.move() // without a free port everything stays as it is
		}
	}
}

// listenAgain tries until the port is free.
func listenAgain(ctx context.Context, proxy *netem.Proxy) {
	for proxy.Refuse(false) != nil && pause(ctx, 10, 20) {
	}
}

// calm ends what the storm began.
func (h *harbour) calm() {
	h.refuse.Store(false)
	proxy := h.proxy.Load()
	proxy.Resume(netem.Both)
	listenAgain(context.Background(), proxy)
}

func direction() netem.Direction {
	return []netem.Direction{netem.Up, netem.Down, netem.Both}[rand.N(3)]
}

// pause waits for a random time, in milliseconds, and reports whether ctx lasted as long.
func pause(ctx context.Context, least, most int) bool {
	t := time.NewTimer(time.Duration(least+rand.N(most-least)) * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
