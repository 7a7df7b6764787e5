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

// A Connect that waits for the old connection to be closed, and is given up while the manager is being closed, does not
// keep the manager from that.
func TestCloseWhileConnectWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(hold)) // does not answer the close frame
		m := w.connect(wsclient.Options{})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		m.Disconnect(over, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		connected := make(chan error, 1)
		go func() { connected <- m.Connect(ctx) }()
		time.Sleep(100 * time.Millisecond)
		go m.Close()
		time.Sleep(time.Minute)
		w.inState(m, wsclient.StateClosed)
		if err := <-connected; !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("Connect: %v", err)
		}
	})
}

// Reconnect while it is being decided what becomes of a loss dials at once, whatever the decision, and counts from 1.
// The delays after that are the usual ones.
func TestReconnectDuringDecision(t *testing.T) {
	for name, decision := range map[string]wsclient.Decision{
		"retry":   {MinDelay: time.Hour},
		"give up": {Action: wsclient.GiveUp},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				refuse := func(s *wstest.Session) error { return s.Answer(503, nil, "") }
				peer := w.play(upgraded((*wstest.Session).FIN), refuse, refuse, refuse, upgraded(hold))
				asked, answer := make(chan struct{}), make(chan struct{})
				m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{
					Backoff: steady, MaxAttempts: 4,
					OnClose: func(wsclient.CloseInfo) wsclient.Decision {
						close(asked)
						<-answer
						return decision
					},
				}})
				<-asked
				began := time.Now()
				done := make(chan error, 1)
				go func() { done <- m.Reconnect(t.Context()) }()
				synctest.Wait()
				close(answer)
				if err := <-done; err != nil || time.Since(began) != 7*time.Second || peer.Accepted() != 5 {
					t.Errorf("Reconnect returned %v after %v and %d dials", err, time.Since(began), peer.Accepted()-1)
				}
				var numbers []int
				for _, f := range w.log.failed {
					numbers = append(numbers, f.Attempt.Number)
				}
				if diff := cmp.Diff([]int{1, 2, 3}, numbers); diff != "" {
					t.Errorf("attempts that failed (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A time that the owner has set stays, though the Connect that began the search is given up.
func TestScheduleOutlivesConnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		refuse := func(s *wstest.Session) error { return s.Answer(503, nil, "") }
		w.play(refuse, upgraded(hold))
		m := w.manager(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady}})
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		began := time.Now()
		go m.Connect(ctx)
		time.Sleep(500 * time.Millisecond)
		w.inState(m, wsclient.StateReconnecting)
		if err := m.ScheduleReconnect(time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.inState(m, wsclient.StateReconnecting)
		m.WaitState(t.Context(), wsclient.StateConnected)
		if took := time.Since(began); took != time.Minute+500*time.Millisecond {
			t.Errorf("connected after %v", took)
		}
	})
}

// A plan that is made while the old connection is still being closed shows in the state.
func TestScheduleWhileClosing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(hold), upgraded(hold))
		m := w.connect(wsclient.Options{})
		go m.Disconnect(t.Context(), nil)
		synctest.Wait()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := m.ScheduleReconnect(time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		w.inState(m, wsclient.StateReconnecting)
		time.Sleep(31 * time.Second)
		w.inState(m, wsclient.StateConnected)
	})
}

// However a connection ends, OnDisconnect tells how many messages are in doubt, as Stats does.
func TestMaybeLostIsTold(t *testing.T) {
	for name, end := range map[string]func(*wsclient.Manager){
		"Disconnect":       func(m *wsclient.Manager) { m.Disconnect(context.Background(), nil) },
		"Reconnect":        func(m *wsclient.Manager) { m.Reconnect(context.Background()) },
		"Kill":             (*wsclient.Manager).Kill,
		"KillAndReconnect": (*wsclient.Manager).KillAndReconnect,
		"Close":            func(m *wsclient.Manager) { m.Close() },
		"Shutdown":         func(m *wsclient.Manager) { m.Shutdown(context.Background()) },
		"age":              func(*wsclient.Manager) { time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serve(idle)
				m := w.connect(wsclient.Options{
					Send:      queued,
					Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
					Control:   wsclient.ControlOptions{MaxConnectionAge: time.Hour, Seamless: true},
				})
				for range 3 {
					if err := m.Send(t.Context(), wsclient.Text, []byte("x")); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Second)
				end(m)
				time.Sleep(time.Second)
				synctest.Wait()
				lost := w.log.lost()
				if len(lost) != 1 || lost[0].MaybeLost != 3 || m.Stats().MaybeLost != 3 {
					t.Errorf("OnDisconnect: %+v, Stats: %d", lost, m.Stats().MaybeLost)
				}
			})
		})
	}
}
