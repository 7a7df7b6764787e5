package wsclient_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

func TestShutdown_QU29(t *testing.T) {
	t.Parallel()
	t.Run("fast", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.serve)
			m := w.manager(wsclient.Options{Send: queued})
			enqueue(t, m, 1, 10)
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.Shutdown(t.Context()); err != nil {
				t.Errorf("shutdown: %v", err)
			}
			synctest.Wait()
			diff(t, numbers(1, 10), r.texts())
			ends := r.closes()
			if e := want[*wsclient.ClosedError](t, ends[0]); len(ends) != 1 || e.Code != 1000 {
				t.Errorf("the server sees %v", ends)
			}
		})
	})
	t.Run("stalled", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.play(upgraded(hold))
			m := w.connect(wsclient.Options{Send: queued, Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}})
			large := bytes.Repeat([]byte("x"), 100<<10) // more than fits on the wire
			var rs []*wsclient.Receipt
			for range 10 {
				r, err := m.Enqueue(t.Context(), wsclient.Outgoing{Type: wsclient.Binary, Data: large})
				if err != nil {
					t.Fatal(err)
				}
				rs = append(rs, r)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			err := m.Shutdown(ctx)
			if e := want[*wsclient.DrainError](t, err); e.Unsent != 10 || e.Unacked != 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v", e)
			}
			if d := time.Since(began); d < 3*time.Second || d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
			w.inState(m, wsclient.StateClosed)
			for _, r := range rs {
				<-r.Done()
				inReceipt(t, r, wsclient.ReceiptQueued, wsclient.ErrClosed)
			}
			if left := m.DrainPending(); len(left) != 10 || !bytes.Equal(left[9].Data, large) {
				t.Errorf("%d messages are left", len(left))
			}
		})
	})
	t.Run("unacknowledged", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			var r record
			w.serve(r.serve)
			m := w.connect(wsclient.Options{Send: wsclient.SendOptions{
				Mode: wsclient.SendAtLeastOnce, Ack: numbered(),
			}})
			rs := enqueue(t, m, 1, 3)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			err := m.Shutdown(ctx)
			if e := want[*wsclient.DrainError](t, err); e.Unsent != 0 || e.Unacked != 3 {
				t.Errorf("%+v", e)
			}
			inReceipt(t, rs[0], wsclient.ReceiptUnknown, wsclient.ErrClosed)
		})
	})
}

func TestSendDuringShutdown_QU30(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(hold))
		m := w.connect(wsclient.Options{Send: queued, Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}})
		r, err := m.Enqueue(t.Context(), wsclient.Outgoing{Type: wsclient.Binary, Data: make([]byte, 1<<20)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Shutdown(ctx) }()
		synctest.Wait()
		if err := m.Send(t.Context(), wsclient.Text, nil); !errors.Is(err, wsclient.ErrShuttingDown) {
			t.Errorf("send: %v", err)
		}
		if _, err := m.Enqueue(t.Context(), text("")); !errors.Is(err, wsclient.ErrShuttingDown) {
			t.Errorf("enqueue: %v", err)
		}
		cancel()
		want[*wsclient.DrainError](t, <-done)
		if err := m.Send(t.Context(), wsclient.Text, nil); !errors.Is(err, wsclient.ErrClosed) || errors.Is(err, wsclient.ErrShuttingDown) {
			t.Errorf("send after it: %v", err)
		}
		<-r.Done()
	})
}

// After giving up, what waits can be taken back, and a new connection takes it up otherwise.
func TestAfterGivingUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{Send: queued, Reconnect: wsclient.ReconnectOptions{MaxInitialAttempts: 1}})
		w.net.Refuse(host)
		rs := enqueue(t, m, 1, 3)
		if err := m.Connect(t.Context()); err == nil {
			t.Fatal("connected")
		}
		if left := m.DrainPending(); len(left) != 3 || string(left[0].Data) != "1" {
			t.Errorf("left %v", left)
		}
		inReceipt(t, rs[0], wsclient.ReceiptDropped, wsclient.ErrCanceled)
		if s := m.Stats(); s.OutboundDepth != 0 {
			t.Errorf("%+v", s)
		}
	})
}
