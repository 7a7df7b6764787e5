package wsclient_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// dials counts the dials of managers, successful or not.
func (w *world) dials(o *wsclient.Options) *int {
	n := new(int)
	attempt := o.Hooks.OnAttempt
	o.Hooks.OnAttempt = func(a wsclient.Attempt) {
		*n++
		if attempt != nil {
			attempt(a)
		}
	}
	return n
}

func TestRC03AttemptsUsedUp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: 5, Backoff: steady}}
		dials := w.dials(&o)
		m := w.connect(o)
		time.Sleep(time.Minute)
		done := m.Done()

		received := make(chan error, 1)
		go func() {
			_, err := m.Receive(t.Context())
			received <- err
		}()
		w.net.Refuse(host)
		w.net.ResetAll()
		<-done
		synctest.Wait()
		if *dials != 1+5 {
			t.Errorf("%d dials after the first", *dials-1)
		}
		w.inState(m, wsclient.StateDisconnected)
		for name, err := range map[string]error{
			"Err": m.Err(), "Receive": <-received, "Send": m.Send(t.Context(), wsclient.Text, []byte("x")),
			"OnGiveUp": w.log.gaveUp[0],
		} {
			e := want[*wsclient.ReconnectError](t, err)
			if e.Attempts != 5 || e.Outage != 1 || e.Terminal || e.Disabled || !errors.Is(e, syscall.ECONNREFUSED) ||
				!errors.Is(e, syscall.ECONNRESET) {
				t.Errorf("%s: %#v", name, e)
			}
		}
		if _, err := m.Receive(t.Context()); !errors.Is(err, wsclient.ErrReconnect) {
			t.Errorf("receiving again: %v", err)
		}

		// A new Connect starts afresh.
		w.net.Allow(host)
		if err := m.Connect(t.Context()); err != nil || m.Err() != nil {
			t.Errorf("Connect: %v, Err: %v", err, m.Err())
		}
		select {
		case <-m.Done():
			t.Error("Done is closed while there is a connection")
		default:
		}
	})
}

func TestRC04ConnectAttemptsUsedUp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: 5, Backoff: steady}}
		dials := w.dials(&o)
		m := w.manager(o)
		err := m.Connect(t.Context())
		if e := want[*wsclient.ConnectionError](t, err); e.Attempts != 6 || !errors.Is(e, syscall.ECONNREFUSED) ||
			e.Elapsed != 31*time.Second {
			t.Errorf("%#v", e)
		}
		synctest.Wait()
		if *dials != 6 {
			t.Errorf("%d dials", *dials)
		}
		w.inState(m, wsclient.StateDisconnected)
		if m.Err() != err {
			t.Errorf("Err: %v", m.Err())
		}
	})
}

func TestRC05NoRetry(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.NoRetry}}
		dials := w.dials(&o)
		m := w.manager(o)
		if e := want[*wsclient.ConnectionError](t, m.Connect(t.Context())); e.Attempts != 1 {
			t.Errorf("%#v", e)
		}
		w.serve(idle)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.net.ResetAll()
		<-m.Done()
		synctest.Wait()
		if e := want[*wsclient.ReconnectError](t, m.Err()); e.Attempts != 0 || !e.Disabled ||
			!errors.Is(e, wsclient.ErrReconnectDisabled) {
			t.Errorf("%#v", e)
		}
		if *dials != 2 {
			t.Errorf("%d dials", *dials)
		}
	})
}

func TestRC06ReconnectDisabled(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
		srv.CloseConns(1001, "going away")
		_, err := m.Receive(t.Context())
		e := want[*wsclient.ReconnectError](t, err)
		if closed := want[*wsclient.ClosedError](t, e); closed.Code != 1001 {
			t.Errorf("%#v", closed)
		}
		w.inState(m, wsclient.StateDisconnected)
		if lost := w.log.lost(); len(lost) != 1 || lost[0].WillReconnect {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestRC07DialsTimeOut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{
			Dial:      wsclient.DialOptions{HandshakeTimeout: 7 * time.Second},
			Reconnect: wsclient.ReconnectOptions{MaxAttempts: 3, Strategy: wsclient.Immediate},
		})
		w.net.Blackhole(host)
		w.net.ResetAll()
		began := time.Now()
		<-m.Done()
		if took := time.Since(began); took != 21*time.Second {
			t.Errorf("gave up after %v", took)
		}
		w.inState(m, wsclient.StateDisconnected)
		e := want[*wsclient.ReconnectError](t, m.Err())
		if late := want[*wsclient.TimeoutError](t, e); e.Attempts != 3 || late.Op != "connect" || late.Limit != 7*time.Second {
			t.Errorf("%#v, %#v", e, late)
		}
		late := want[*wsclient.TimeoutError](t, m.Connect(t.Context()))
		if late.Attempts != 4 || late.Limit != 7*time.Second {
			t.Errorf("%#v", late)
		}
		if _, ok := errors.AsType[*wsclient.ConnectionError](error(late)); ok {
			t.Error("a timeout is a connection error")
		}
	})
}

// A close code that says that the credentials are refused has them refreshed.
func TestRC13UnauthorizedClose(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		refusal := upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Send(wstest.CloseFrame(4401, "token")), s.Discard())
		})
		peer := w.play(refusal, upgraded(discard))
		refreshed := 0
		m := w.manager(wsclient.Options{Dial: wsclient.DialOptions{
			AuthRefresh: func(context.Context, wsclient.Attempt) error { refreshed++; return nil },
		}})
		m.Start(t.Context())
		time.Sleep(time.Second)
		w.inState(m, wsclient.StateConnected)
		if refreshed != 1 || peer.Accepted() != 2 {
			t.Errorf("%d refreshed, %d connections", refreshed, peer.Accepted())
		}
	})
}
