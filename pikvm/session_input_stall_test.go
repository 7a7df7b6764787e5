package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestSessionInputStalls: a call that is canceled while the device takes nothing returns, and the connection is given up
// when a key may be pressed that cannot be released.
func TestSessionInputStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(&netem.Options{Window: 256})
		var accepted atomic.Int32
		end := make(chan struct{})
		defer close(end)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			conn, err := wsconn.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.CloseNow() }()
			if err := conn.Write(wsconn.Text, []byte(`{"event_type":"loop","event":{"version":{"major":4,"minor":197}}}`)); err != nil {
				t.Error(err)
			}
			if accepted.Add(1) == 1 {
				<-end // and reads nothing
				return
			}
			for {
				if _, p, err := conn.Read(nil); err != nil {
					return
				} else if p[0] != 0 {
					t.Errorf("the next connection got %x", p)
				}
			}
		})
		s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), &pikvm.EventOptions{SilenceTimeout: -1})
		if err != nil {
			t.Fatal(err)
		}
		sub := s.Subscribe(pikvm.EventDisconnected, pikvm.EventConnected)
		var took time.Duration
		for letter := 'A'; letter <= 'Z'; letter++ {
			start := time.Now()
			if err = s.Key(within(t, time.Second), pikvm.Key("Key"+string(letter)), pikvm.Press); err != nil {
				took = time.Since(start)
				break
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errkit.NotSent) || took > 6*time.Second {
			t.Errorf("error is %v after %v", err, took)
		}
		next(t, sub)
		next(t, sub)
		if err := s.ReleaseAll(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestSessionPingStalls: a ping that cannot even be written lasts no longer than its context.
func TestSessionPingStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(&netem.Options{Window: 256})
		end := make(chan struct{})
		defer close(end)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			conn, err := wsconn.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			<-end // and reads nothing
		})
		s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			err = s.MoveTo(within(t, time.Millisecond), 1, 1)
		}
		for range 2 {
			start := time.Now()
			_, err = s.Ping(within(t, time.Second))
			if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v after %v", err, took)
			}
		}
		start := time.Now()
		if _, err := s.Ping(canceled(t)); !errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Errorf("error is %v after %v", err, time.Since(start))
		}
		start = time.Now()
		if err := s.Close(); err != nil || time.Since(start) > 2*time.Second {
			t.Errorf("closing took %v", time.Since(start))
		}
	})
}

// TestSessionInputIsNotLate: what was written while the network stood still does not arrive after the connection was given
// up, when the host would take it for new.
func TestSessionInputIsNotLate(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		sub := s.Subscribe(pikvm.EventConnected)
		link := f.network.Links()[0]
		link.Stall(netem.Both)
		if err := s.Key(t.Context(), pikvm.KeyA, pikvm.Tap); err != nil {
			t.Fatal(err)
		}
		next(t, sub)
		link.Resume(netem.Both)
		time.Sleep(time.Minute)
		if err := s.Key(t.Context(), pikvm.KeyB, pikvm.Tap); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if f.Typed() != "b" || s.Stats().Connections != 2 {
			t.Errorf("typed %q on %d connections", f.Typed(), s.Stats().Connections)
		}
	})
}
