package wsclient_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
)

// Whatever 16 goroutines do at once, only allowed changes of state happen, and the manager ends closed.
func TestST25RandomWalk(t *testing.T) {
	operations := size(100_000, 20_000, 100_000)
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(nil)
		var mu sync.Mutex
		changes := 0
		last := wsclient.StateDisconnected
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{
				MaxAttempts: 3, Backoff: retry.Backoff{Base: 2 * time.Millisecond, StableAfter: time.Millisecond},
			},
			Send:    wsclient.SendOptions{Mode: wsclient.SendQueued},
			Control: wsclient.ControlOptions{MaxConnectionAge: 20 * time.Millisecond, Seamless: true},
		})
		ctx, stop := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() {
			for c := range m.StateChanges(ctx) {
				mu.Lock()
				changes++
				if c.Skipped == 0 && (c.From != last || !c.From.Allowed(c.To)) {
					t.Errorf("from %v (was %v) to %v", c.From, last, c.To)
				}
				last = c.To
				mu.Unlock()
			}
		})
		synctest.Wait() // until it watches
		var walkers sync.WaitGroup
		for i := range 16 {
			walkers.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), 25))
				for range operations / 16 {
					step(t.Context(), r, w, srv.DropConns, m)
				}
			})
		}
		walkers.Wait()
		w.net.Allow(host)
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		w.inState(m, wsclient.StateClosed)
		watching.Wait()
		stop()
		if last != wsclient.StateClosed || changes < 100 {
			t.Errorf("%d changes, the last one to %v", changes, last)
		}
		if s := m.Stats(); s.Connects != s.Disconnects || int(s.Disconnects) != len(w.log.lost())+int(s.HooksSkipped) && s.HooksSkipped == 0 {
			t.Errorf("%d connects, %d disconnects, %d hooks", s.Connects, s.Disconnects, len(w.log.lost()))
		}
		if n := len(w.net.Links()); n > 0 {
			t.Errorf("%d sockets are open", n)
		}
	})
}

// step does something to a manager.
func step(ctx context.Context, r *rand.Rand, w *world, drop func(), m *wsclient.Manager) {
	brief := func() context.Context {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(5))*time.Millisecond)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	switch r.IntN(100) {
	case 0, 1, 2, 3:
		m.Connect(brief())
	case 4:
		m.Start(ctx)
	case 5:
		m.Disconnect(brief(), nil)
	case 6:
		m.Disconnect(brief(), &wsclient.DisconnectOptions{ReconnectAfter: time.Millisecond})
	case 7:
		m.Reconnect(brief())
	case 8:
		m.ScheduleReconnect(time.Duration(r.IntN(3)) * time.Millisecond)
	case 9:
		m.Kill()
	case 10:
		m.KillAndReconnect()
	case 11:
		w.net.ResetAll()
	case 12:
		drop()
	case 13:
		w.net.Refuse(host)
	case 14, 15:
		w.net.Allow(host)
	case 16:
		m.Receive(brief())
	case 17:
		m.WaitState(brief(), wsclient.StateConnected)
	case 18:
		time.Sleep(time.Millisecond)
	case 19, 20, 21, 22:
		m.Stats()
	default:
		m.Send(ctx, wsclient.Text, []byte("x"))
	}
}
