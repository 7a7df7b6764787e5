package wsclient_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

func TestST01New(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{})
		if m.State() != wsclient.StateDisconnected || !m.IsDead() || m.IsShutdown() || m.IsConnected() || m.Healthy() {
			t.Errorf("a new manager is %v", m.State())
		}
		if s, err := m.WaitState(t.Context(), wsclient.StateDisconnected); s != wsclient.StateDisconnected || err != nil {
			t.Errorf("waiting for its state: %v, %v", s, err)
		}
		if m.ConnectionDuration() != 0 || m.Err() != nil {
			t.Errorf("up for %v, error %v", m.ConnectionDuration(), m.Err())
		}
		if diff := cmp.Diff(wsclient.Stats{}, m.Stats()); diff != "" {
			t.Errorf("counters (-want +got):\n%s", diff)
		}
	})
}

func TestST02ConnectClose(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{})
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]wsclient.State{
			wsclient.StateConnecting, wsclient.StateConnected, wsclient.StateClosing, wsclient.StateClosed,
		}, w.log.seen()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		s := m.Stats()
		if s.Connects != 1 || s.Disconnects != 1 || s.ProactiveDisconnects != 1 || s.ReactiveDisconnects != 0 {
			t.Errorf("counters: %+v", s)
		}
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonUserRequested || lost[0].Err != nil || lost[0].WillReconnect {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestST03ConnectWhenConnected(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{})
		err := m.Connect(t.Context())
		synctest.Wait()
		if err != nil || srv.Accepted() != 1 {
			t.Errorf("connecting again: %v, %d connections", err, srv.Accepted())
		}
	})
}

func TestST04ConcurrentConnect(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.manager(wsclient.Options{})
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				if err := m.Connect(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		synctest.Wait()
		if srv.Accepted() != 1 {
			t.Errorf("%d connections", srv.Accepted())
		}
	})
}

func TestST05ConnectAfterClose(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.manager(wsclient.Options{})
		m.Close()
		for name, err := range map[string]error{
			"Connect": m.Connect(t.Context()), "Start": m.Start(t.Context()), "Run": m.Run(t.Context()),
			"Reconnect": m.Reconnect(t.Context()), "ScheduleReconnect": m.ScheduleReconnect(0),
			"Send": m.Send(t.Context(), wsclient.Text, nil),
		} {
			if !errors.Is(err, wsclient.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := m.Disconnect(t.Context(), nil); err != nil {
			t.Error(err)
		}
		m.Kill()
		w.inState(m, wsclient.StateClosed)
	})
}

func TestST06CloseDuringDial(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(hold)
		m := w.manager(wsclient.Options{})
		result := make(chan error, 1)
		go func() { result <- m.Connect(context.Background()) }()
		w.inState(m, wsclient.StateConnecting)
		began := time.Now()
		m.Close()
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if err := <-result; !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("Connect: %v", err)
		}
		if st := w.net.Links()[0].State(); !st.DialerClosed {
			t.Error("the socket is open")
		}
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateClosed)
	})
}
