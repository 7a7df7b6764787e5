package ngtt_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

var full = flag.Bool("full", false, "run the chaos test in full size")

// chaosSize is how much the chaos test does: all of it with -full, else as much as an everyday run bears.
func chaosSize() (orders, cuts int) {
	switch {
	case *full:
		return 100_000, 1_000
	case raceEnabled:
		return 2_000, 40
	}
	return 20_000, 200
}

// TestNoLossAndNothingTwiceUnderRandomCuts sends orders through a link that is cut at random bytes, in every manner that a
// link can end. Every order takes effect exactly once, every one is confirmed in the end, and none is confirmed before
// its effect.
func TestNoLossAndNothingTwiceUnderRandomCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orders, cuts := chaosSize()
		effects := make([]atomic.Int32, orders)
		var early, acked atomic.Int32
		b := newBench(t, ngtttest.Options{Prefetch: 100, OnConfirm: func(_ string, id uint64) {
			acked.Add(1)
			if effects[id-1].Load() == 0 {
				early.Add(1)
			}
		}})
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0)) // used by one dial at a time
		left := cuts
		perLink := orders / cuts // orders that a link lives through, about
		b.network.OnLink(func(l *netem.Link) {
			if left--; left < 0 {
				return
			}
			direction, bytes := netem.Down, 50
			if random.IntN(2) == 0 {
				direction, bytes = netem.Up, 8
			}
			// The handshake takes some 2,100 bytes up and 1,950 down: a few links are cut in it.
			l.CutAfter(direction, 2000+random.Int64N(int64(perLink*bytes)), netem.CutMode(random.IntN(4)))
		})

		// One order in four is answered by another goroutine, in any order.
		later := make(chan *ngtt.Order, orders)
		for range 4 {
			go func() {
				for o := range later {
					time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
					_ = o.Ack(context.Background()) // a lost one comes again
				}
			}()
		}
		defer close(later)
		c := b.client(ngtt.Options{
			Backoff: retry.Backoff{Base: time.Millisecond},
			Handler: func(ctx context.Context, o *ngtt.Order) {
				n, err := strconv.Atoi(strings.TrimPrefix(pathOf(t, o), "W"))
				if err != nil {
					t.Error(err)
					return
				}
				effects[n].Add(1)
				if rand.IntN(4) == 0 {
					later <- o
					return
				}
				_ = o.Ack(ctx) // a lost one comes again
			},
		})
		b.hub.Enqueue(device, bodies(0, orders)...)
		ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
		defer cancel()
		if err := b.hub.Wait(ctx, device, func(c ngtttest.Counts) bool { return c.Confirmed == orders }); err != nil {
			t.Fatalf("%v: %+v", err, b.hub.Counts(device))
		}
		if err := c.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		wrong := 0
		for i := range effects {
			if n := effects[i].Load(); n != 1 {
				if wrong++; wrong <= 10 {
					t.Errorf("order %d took effect %d times", i, n)
				}
			}
		}
		if wrong > 0 || early.Load() > 0 || int(acked.Load()) != orders {
			t.Errorf("%d orders not exactly once, %d confirmed too early, %d confirmed of %d", wrong, early.Load(), acked.Load(), orders)
		}
		if left > 0 {
			t.Errorf("%d cuts were left", left)
		}
		n, s := b.hub.Counts(device), c.Stats()
		t.Logf("%d orders, %d links cut, %d connections, %d deliveries, %d of them again, %d recognised",
			orders, cuts, n.Connections, n.Delivered, n.Repeated, s.Repeated)
	})
}
