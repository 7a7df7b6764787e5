package wsclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestST11Kill(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		peer := w.play(upgraded(discard))
		m := w.connect(wsclient.Options{})
		m.Kill()
		w.inState(m, wsclient.StateDisconnected)
		if st := w.net.Links(); len(st) != 0 {
			t.Errorf("%d sockets are open", len(st))
		}
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonKilled || !lost[0].Reason.IsReactive() {
			t.Errorf("OnDisconnect: %+v", lost)
		}
		if s := m.Stats(); s.ReactiveDisconnects != 1 || s.ProactiveDisconnects != 0 {
			t.Errorf("counters: %+v", s)
		}
		time.Sleep(time.Hour)
		if peer.Accepted() != 1 {
			t.Errorf("%d connections", peer.Accepted())
		}
		if err := m.Err(); !errors.Is(err, wsclient.ErrKilled) {
			t.Errorf("Err: %v", err)
		}
	})
}

func TestST12KillWithoutConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{})
		m.Kill()
		w.inState(m, wsclient.StateDisconnected)
		m.Close()
		m.Kill()
		w.inState(m, wsclient.StateClosed)
		if s := m.Stats(); s.Disconnects != 0 || len(w.log.lost()) != 0 {
			t.Errorf("%d disconnects, hooks %+v", s.Disconnects, w.log.lost())
		}
	})
}

func TestST13DisconnectWhenDisconnected(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{})
		if err := m.Disconnect(t.Context(), nil); err != nil || len(w.log.seen()) != 0 {
			t.Errorf("%v, states %v", err, w.log.seen())
		}
	})
}

// closeFrame returns the code of the close frame that a session gets.
func closeFrame(s *wstest.Session) (int, error) {
	for {
		f, err := s.Next()
		if err != nil {
			return 0, err
		}
		if f.Opcode == wstest.OpClose {
			code, _ := f.Close()
			return code, s.Send(wstest.CloseFrame(code, ""))
		}
	}
}

func TestST14Disconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		code := make(chan int, 1)
		peer := w.play(upgraded(func(s *wstest.Session) error {
			c, err := closeFrame(s)
			code <- c
			return err
		}))
		m := w.connect(wsclient.Options{})
		if err := m.Disconnect(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if c := <-code; c != 1000 {
			t.Errorf("close code %d", c)
		}
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateDisconnected)
		if s := m.Stats(); s.ProactiveDisconnects != 1 || s.ReactiveDisconnects != 0 || peer.Accepted() != 1 {
			t.Errorf("%d connections, counters: %+v", peer.Accepted(), s)
		}
	})
}

func TestST15DisconnectAndReconnectAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		began := time.Now()
		if err := m.Disconnect(t.Context(), &wsclient.DisconnectOptions{ReconnectAfter: 5 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 0 || m.State() != wsclient.StateReconnecting {
			t.Errorf("after %v the state is %v", took, m.State())
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil || time.Since(began) != 5*time.Minute {
			t.Errorf("connected after %v, %v", time.Since(began), err)
		}
		lost := w.log.lost()[0]
		if lost.Reason != wsclient.ReasonUserRequested || !lost.Scheduled || !lost.WillReconnect || lost.NextDelay != 5*time.Minute {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestST16DisconnectReason(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		err := m.Disconnect(t.Context(), &wsclient.DisconnectOptions{Reason: wsclient.ReasonPingTimeout})
		want[*wsclient.ConfigError](t, err)
		if err := m.Disconnect(t.Context(), &wsclient.DisconnectOptions{Reason: wsclient.ReasonConnectionLimit}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonConnectionLimit {
			t.Errorf("OnDisconnect: %+v", lost)
		}
		if s := m.Stats(); s.ProactiveDisconnects != 1 {
			t.Errorf("counters: %+v", s)
		}
	})
}

func TestST17ShouldDisconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		began := time.Now()
		var asked []time.Duration
		m := w.connect(wsclient.Options{Control: wsclient.ControlOptions{ShouldDisconnect: func() bool {
			asked = append(asked, time.Since(began))
			switch len(asked) {
			case 1:
				panic("not today")
			case 2:
				return false
			}
			return true
		}}})
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateDisconnected)
		if diff := cmp.Diff([]time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}, asked); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonCallbackTriggered {
			t.Errorf("OnDisconnect: %+v", lost)
		}
		if n := m.Stats().CallbackPanics; n != 1 {
			t.Errorf("%d panics counted", n)
		}
	})
}

func TestST18ShouldReconnect(t *testing.T) {
	for name, end := range map[string]func(context.Context, *world, *wsclient.Manager){
		"after Disconnect": func(ctx context.Context, _ *world, m *wsclient.Manager) { m.Disconnect(ctx, nil) },
		"after a loss":     func(_ context.Context, w *world, _ *wsclient.Manager) { w.net.ResetAll() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serve(idle)
				var asked []time.Duration
				began := time.Now()
				m := w.connect(wsclient.Options{
					Reconnect: wsclient.ReconnectOptions{Disabled: true},
					Control: wsclient.ControlOptions{ShouldReconnect: func() (bool, time.Duration) {
						asked = append(asked, time.Since(began))
						return len(asked) == 3, 0
					}},
				})
				end(t.Context(), w, m)
				w.inState(m, wsclient.StateReconnecting)
				if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}, asked); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestST19ShouldReconnectLater(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		o := wsclient.Options{Control: wsclient.ControlOptions{
			ShouldReconnect: func() (bool, time.Duration) { return false, 10 * time.Second },
		}}
		m := w.connect(o)
		began := time.Now()
		m.Disconnect(t.Context(), nil)
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil || time.Since(began) != 15*time.Second {
			t.Errorf("connected after %v, %v", time.Since(began), err)
		}
		m.Disconnect(t.Context(), nil)
		time.Sleep(7 * time.Second)
		m.Close()
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateClosed)
	})
}

func TestST20WaitReconnectWindow(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		no := func() (bool, time.Duration) { return false, 0 }
		m := w.manager(wsclient.Options{Control: wsclient.ControlOptions{ShouldReconnect: no}})
		wait := func(fn func() (bool, time.Duration)) (bool, time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			began := time.Now()
			open, err := m.WaitReconnectWindow(ctx, fn)
			return open, time.Since(began), err
		}
		if open, took, err := wait(nil); open || took != 50*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %v: %v", open, took, err)
		}
		if open, took, err := wait(func() (bool, time.Duration) { return true, 0 }); !open || took != 0 || err != nil {
			t.Errorf("%v after %v: %v", open, took, err)
		}
		asked := 0
		later := func() (bool, time.Duration) { asked++; return asked == 3, 10 * time.Millisecond }
		if open, took, err := wait(later); !open || took != 20*time.Millisecond || err != nil {
			t.Errorf("%v after %v: %v", open, took, err)
		}
		go func() {
			time.Sleep(10 * time.Millisecond)
			m.Close()
		}()
		if open, took, err := wait(nil); open || took != 10*time.Millisecond || !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("%v after %v: %v", open, took, err)
		}
		other := w.manager(wsclient.Options{})
		open, err := other.WaitReconnectWindow(t.Context(), nil)
		if want[*wsclient.StateError](t, err); open {
			t.Error("open without a callback")
		}
	})
}

func TestST21ScheduleReconnectWhenConnected(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		e := want[*wsclient.StateError](t, m.ScheduleReconnect(time.Second))
		if e.State != wsclient.StateConnected || !errors.Is(e, wsclient.ErrState) {
			t.Errorf("error: %v", e)
		}
		time.Sleep(time.Minute)
		w.inState(m, wsclient.StateConnected)
		want[*wsclient.ConfigError](t, m.ScheduleReconnect(-1))
	})
}

// A schedule is replaced by a later one, and works from rest as well.
func TestScheduleReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.manager(wsclient.Options{})
		began := time.Now()
		for _, d := range []time.Duration{time.Second, time.Minute} {
			if err := m.ScheduleReconnect(d); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil || time.Since(began) != time.Minute {
			t.Errorf("connected after %v, %v", time.Since(began), err)
		}
		m.Disconnect(t.Context(), nil)
		m.ScheduleReconnect(time.Hour)
		if err := m.Connect(t.Context()); err != nil || time.Since(began) != time.Minute {
			t.Errorf("Connect returned %v after %v", err, time.Since(began))
		}
	})
}

func TestST23ReconnectDuringBackoff(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: wsclient.Unlimited}})
		w.net.Refuse(host)
		time.Sleep(time.Minute)
		w.net.ResetAll()
		time.Sleep(5 * time.Minute) // the delay is 60 s by now
		w.inState(m, wsclient.StateReconnecting)
		w.net.Allow(host)
		began := time.Now()
		if err := m.Reconnect(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("Reconnect returned %v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if got := w.log.gained[len(w.log.gained)-1]; got.Attempts != 1 {
			t.Errorf("attempt %d", got.Attempts)
		}
	})
}

// Reconnect renews a connection that is up.
func TestReconnectWhenConnected(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{})
		if err := m.Reconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(srv.Conns()) != 1 || srv.Accepted() != 2 {
			t.Errorf("%d of %d connections are open", len(srv.Conns()), srv.Accepted())
		}
		if lost := w.log.lost(); len(lost) != 1 || !lost[0].WillReconnect || lost[0].Reason != wsclient.ReasonUserRequested {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestST24ServerClosesNormally(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{})
		srv.CloseConns(1000, "daily restart")
		if _, err := m.WaitState(t.Context(), wsclient.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := m.Stats(); s.ReactiveDisconnects != 1 || s.Disconnects != 1 || s.Connects != 2 {
			t.Errorf("counters: %+v", s)
		}
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonServerClosed || lost[0].Close.Code != 1000 ||
			lost[0].Close.Reason != "daily restart" || !lost[0].Close.Remote {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestST26Duration(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		time.Sleep(time.Minute)
		if d := m.ConnectionDuration(); d != time.Minute || m.Stats().CurrentUptime != d {
			t.Errorf("up for %v and %v", d, m.Stats().CurrentUptime)
		}
		m.Disconnect(t.Context(), nil)
		time.Sleep(time.Hour)
		s := m.Stats()
		if m.ConnectionDuration() != 0 || s.CurrentUptime != 0 || s.TotalDowntime != time.Hour || s.Uptime != time.Hour+time.Minute {
			t.Errorf("up for %v, counters %+v", m.ConnectionDuration(), s)
		}
	})
}

func TestKillAndReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		m.KillAndReconnect()
		if _, err := m.WaitState(t.Context(), wsclient.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonKilled || !errors.Is(lost[0].Err, wsclient.ErrKilled) {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}
