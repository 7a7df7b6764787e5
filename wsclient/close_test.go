package wsclient_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestST07CloseDuringBackoff(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		backoff := steady
		backoff.Base = time.Minute
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: backoff}})
		srv.Close()
		w.inState(m, wsclient.StateReconnecting)
		began := time.Now()
		m.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
		attempts := len(w.log.at("attempt"))
		time.Sleep(time.Hour)
		if n := len(w.log.at("attempt")); n != attempts {
			t.Errorf("%d attempts after Close", n-attempts)
		}
		w.inState(m, wsclient.StateClosed)
	})
}

func TestST08CloseDuringScheduleReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{})
		if err := m.Disconnect(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := m.ScheduleReconnect(time.Minute); err != nil {
			t.Fatal(err)
		}
		w.inState(m, wsclient.StateReconnecting)
		m.Close()
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateClosed)
		if srv.Accepted() != 1 {
			t.Errorf("%d connections", srv.Accepted())
		}
	})
}

func TestST09CloseOftenAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if n := len(w.log.lost()); n != 1 {
			t.Errorf("OnDisconnect was called %d times", n)
		}
	})
}

func TestST10ShutdownCloseKill(t *testing.T) {
	for name, tt := range map[string]struct {
		end      func(context.Context, *wsclient.Manager) error
		state    wsclient.State
		shutdown bool
		reason   wsclient.DisconnectReason
	}{
		"Shutdown": {func(ctx context.Context, m *wsclient.Manager) error { return m.Shutdown(ctx) }, wsclient.StateClosed, true, wsclient.ReasonShutdown},
		"Close":    {func(_ context.Context, m *wsclient.Manager) error { return m.Close() }, wsclient.StateClosed, false, wsclient.ReasonUserRequested},
		"Kill":     {func(_ context.Context, m *wsclient.Manager) error { m.Kill(); return nil }, wsclient.StateDisconnected, false, wsclient.ReasonKilled},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serve(idle)
				m := w.connect(wsclient.Options{})
				if err := tt.end(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				w.inState(m, tt.state)
				if m.IsShutdown() != tt.shutdown {
					t.Errorf("IsShutdown is %v", m.IsShutdown())
				}
				if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != tt.reason {
					t.Errorf("OnDisconnect: %+v", lost)
				}
				err := m.Connect(t.Context())
				if tt.state == wsclient.StateClosed {
					if !errors.Is(err, wsclient.ErrClosed) || m.Err() != nil {
						t.Errorf("Connect: %v, Err: %v", err, m.Err())
					}
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The end of a manager is bounded, and immediate but for the peer's answer to the close frame.
func TestCloseSilentPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(hold))
		m := w.connect(wsclient.Options{Conn: wsconn.Options{CloseTimeout: 2 * time.Second}})
		began := time.Now()
		m.Close()
		if took := time.Since(began); took > 2*time.Second+200*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

// Close may be called by the functions of the program, and does not wait for those that take long.
func TestCloseFromHandler(t *testing.T) {
	for name, receive := range map[string]func(m **wsclient.Manager) wsclient.ReceiveOptions{
		"InlineHandler": func(m **wsclient.Manager) wsclient.ReceiveOptions {
			return wsclient.ReceiveOptions{InlineHandler: func(wsclient.Message) { (*m).Close() }}
		},
		"Handler": func(m **wsclient.Manager) wsclient.ReceiveOptions {
			return wsclient.ReceiveOptions{Handler: func(context.Context, wsclient.Message) { (*m).Close() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.play(upgraded(func(s *wstest.Session) error {
					return errors.Join(s.Send(wstest.Text("bye")), s.Echo())
				}))
				var m *wsclient.Manager
				m = w.manager(wsclient.Options{Receive: receive(&m)})
				m.Connect(t.Context())
				if _, err := m.WaitState(t.Context(), wsclient.StateClosed); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The end of the context of Run closes the manager.
func TestContextDone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.manager(wsclient.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- m.Run(ctx) }()
		w.inState(m, wsclient.StateConnected)
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) || !errors.Is(err, wsclient.Err) {
			t.Errorf("Run: %v", err)
		}
		w.inState(m, wsclient.StateClosed)
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonContextDone {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

// A program that starts again whenever the manager has given up has its context watched once.
func TestContextIsWatchedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.net.Refuse(host)
		m := w.manager(wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.NoRetry}})
		ctx := &watchedContext{Context: t.Context(), done: make(chan struct{})}
		for range 10 {
			if err := m.Run(ctx); !errors.Is(err, wsclient.ErrConnection) {
				t.Fatal(err)
			}
			m.Start(ctx)
			synctest.Wait()
		}
		if ctx.watchers != 1 {
			t.Errorf("%d watchers", ctx.watchers)
		}
		m.Close()
		if ctx.watchers != 0 {
			t.Errorf("%d watchers are left", ctx.watchers)
		}
	})
}

// watchedContext counts those who watch it with context.AfterFunc. It never ends.
type watchedContext struct {
	context.Context
	done     chan struct{}
	watchers int
}

func (c *watchedContext) Done() <-chan struct{} { return c.done }

func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.watchers++
	return func() bool { c.watchers--; return true }
}

// The context of Connect bounds the call, and the attempts if nobody else wants them.
func TestConnectContext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(hold)
		m := w.manager(wsclient.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := m.Connect(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, wsclient.Err) {
			t.Errorf("Connect: %v", err)
		}
		w.inState(m, wsclient.StateDisconnected)

		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Connect: %v", err)
		}
		w.inState(m, wsclient.StateConnecting)
		synctest.Wait()
	})
}

// Without a connection, and without one being sought, there is nothing to wait for.
func TestShutdownAtRest(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued}})
		if err := m.Send(t.Context(), wsclient.Text, []byte("x")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := m.Shutdown(t.Context())
		if e := want[*wsclient.DrainError](t, err); e.Unsent != 1 || time.Since(began) != 0 || !errors.Is(err, wsclient.ErrNotConnected) {
			t.Errorf("%#v after %v", e, time.Since(began))
		}
		if left := m.DrainPending(); len(left) != 1 || string(left[0].Data) != "x" {
			t.Errorf("left behind: %+v", left)
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}
