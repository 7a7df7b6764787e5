package wsclient_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// burst sends n numbered messages in large writes and then takes what comes.
func burst(n int) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		var block []byte
		for i := range n {
			block = append(block, wstest.Text(strconv.Itoa(i)).Bytes()...)
		}
		if err := s.Raw(block); err != nil {
			return err
		}
		return s.Discard()
	})
}

// counter returns a handler that fails the test unless it gets 0, 1, 2 …, and what tells when it got n.
func counter(t *testing.T, n int) (func(wsclient.Message), <-chan struct{}) {
	done := make(chan struct{})
	next := 0
	return func(msg wsclient.Message) {
		if string(msg.Data) != strconv.Itoa(next) || msg.Seq != uint64(next+1) {
			t.Errorf("message %q with number %d, want %d", msg.Data, msg.Seq, next)
		}
		if next++; next == n {
			close(done)
		}
	}, done
}

func TestQU12HandlersReplaceTheQueue(t *testing.T) {
	t.Parallel()
	const n = 100_000
	for _, inline := range []bool{false, true} {
		t.Run("inline="+strconv.FormatBool(inline), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.play(burst(n))
				count, done := counter(t, n)
				var o wsclient.Options
				if inline {
					o.Receive.InlineHandler = count
				} else {
					o.Receive.Handler = func(_ context.Context, msg wsclient.Message) { count(msg) }
				}
				m := w.connect(o)
				<-done
				if s := m.Stats(); s.Dropped != 0 || s.InboundDepth != 0 || s.MessagesReceived != n {
					t.Errorf("%d dropped, %d in the queue, %d received", s.Dropped, s.InboundDepth, s.MessagesReceived)
				}
				_, err := m.Receive(t.Context())
				if !errors.Is(err, wsclient.ErrState) || !errors.Is(err, wsclient.Err) {
					t.Errorf("Receive: %v", err)
				}
				for _, err := range m.Events(t.Context()) {
					if !errors.Is(err, wsclient.ErrState) {
						t.Errorf("Events: %v", err)
					}
				}
			})
		})
	}
}

// A handler may be slow, may panic and may close the manager; what had arrived before is handed over all the same.
func TestHandlerMayDoWhatItLikes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(burst(10))
		var m *wsclient.Manager
		var calls, late atomic.Int64
		var panics atomic.Int64
		m = w.manager(wsclient.Options{
			Receive: wsclient.ReceiveOptions{Handler: func(ctx context.Context, msg wsclient.Message) {
				calls.Add(1)
				time.Sleep(time.Minute)
				switch string(msg.Data) {
				case "2":
					panic("no good")
				case "4":
					if err := m.Close(); err != nil {
						t.Error(err)
					}
				}
				if ctx.Err() != nil {
					late.Add(1)
				}
			}},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
			Hooks: wsclient.Hooks{OnPanic: func(callback string, value any) {
				if callback != "Receive.Handler" || value != "no good" {
					t.Errorf("%s panicked with %v", callback, value)
				}
				panics.Add(1)
			}},
		})
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateClosed)
		if calls.Load() != 10 || panics.Load() != 1 || late.Load() != 6 {
			t.Errorf("%d calls, %d panics, %d calls after the end", calls.Load(), panics.Load(), late.Load())
		}
	})
}

func TestHandlerGoesOnAfterGivingUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error { return sendNumbers(s, 0, 5) }))
		var calls atomic.Int64
		m := w.manager(wsclient.Options{
			Receive: wsclient.ReceiveOptions{Handler: func(context.Context, wsclient.Message) {
				calls.Add(1)
				time.Sleep(time.Second)
			}},
			Reconnect: wsclient.ReconnectOptions{Disabled: true},
		})
		for i := range 3 {
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				time.Sleep(time.Minute)
			}
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		if n := calls.Load(); n != 15 {
			t.Errorf("%d calls, want 15", n)
		}
	})
}

func TestDedup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(func(c *wsconn.Conn) {
			for _, s := range []string{"a1", "a1", "b", "b", "a2", "a1", "a3", "a4", "a1", "a1"} {
				if c.Write(wsconn.Text, []byte(s)) != nil {
					return
				}
			}
			idle(c)
		})
		m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{Dedup: &wsclient.DedupOptions{
			Key: func(m wsclient.Message) (string, bool) {
				return string(make([]byte, 1000)) + string(m.Data), m.Data[0] == 'a'
			},
			Window: 3,
		}}})
		synctest.Wait()
		diff(t, []string{"a1", "b", "b", "a2", "a3", "a4", "a1"}, take(w, m, 7))
		if s := m.Stats(); s.Duplicates != 3 || s.InboundDepth != 0 {
			t.Errorf("%d duplicates, %d left", s.Duplicates, s.InboundDepth)
		}
	})
}

// A message that was dropped for want of room may come again.
func TestDedupDoesNotRememberWhatWasDropped(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		again := make(chan struct{})
		w.serve(func(c *wsconn.Conn) {
			for range 2 {
				for _, s := range []string{"a", "b", "c"} {
					if c.Write(wsconn.Text, []byte(s)) != nil {
						return
					}
				}
				<-again
			}
			idle(c)
		})
		m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{
			MaxMessages: 2,
			Dedup: &wsclient.DedupOptions{
				Key: func(m wsclient.Message) (string, bool) { return string(m.Data), true },
			},
		}})
		synctest.Wait()
		diff(t, []string{"a", "b", "-1"}, take(w, m, 3))
		close(again)
		diff(t, []string{"c"}, take(w, m, 1))
	})
}
