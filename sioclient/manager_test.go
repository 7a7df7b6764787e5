package sioclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

func TestManagerConnectsWithoutASocket(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		if err := m.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		s := w.socket(m, "/", nil)
		result := w.connect(s)
		srv.want("40")
		srv.send(`40{"sid":"a"}`)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if err := s.Disconnect(); err != nil {
			t.Fatal(err)
		}
		srv.want("41")
		time.Sleep(time.Minute)
		if !m.Connected() || m.Connect(context.Background()) != nil {
			t.Error("the connection that Connect wanted has ended")
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		<-srv.Done()
		if err := m.Connect(context.Background()); !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("Connect after Close = %v", err)
		}
	})
}

func TestManagerConnectFails(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		m := w.manager(nil)
		err := m.Connect(context.Background())
		if !errors.Is(err, sioclient.ErrConnection) {
			t.Errorf("Connect = %v, want ErrConnection", err)
		}
		var ce *sioclient.ConnectionError
		if !errors.As(err, &ce) || ce.Attempts != 1 || ce.Namespaces != nil {
			t.Errorf("Connect = %#v, want 1 attempt and no namespaces", err)
		}
		time.Sleep(time.Minute)
		if n := m.Stats().Attempts; n != 0 {
			t.Errorf("%d attempts later", n)
		}
	})
}

func TestPrepareChangesAnAttempt(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		bad := errors.New("not now")
		m := w.manager(&sioclient.Options{
			RetryFirst: true,
			Prepare: func(_ context.Context, a *sioclient.Attempt) error {
				if a.Number == 0 {
					return bad
				}
				a.URL += "?token=fresh"
				a.Engine.Path = "/other/"
				return nil
			},
		})
		var errs []error
		s := w.socket(m, "/", nil)
		s.OnConnectError(func(err error) { errs = append(errs, err) })
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		r := w.accept().Request()
		if r.URL.Path != "/other/" || r.URL.Query().Get("token") != "fresh" || r.URL.Query().Get("EIO") != "4" {
			t.Errorf("request %s", r.URL)
		}
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], bad) {
			t.Errorf("errors %v, want that of Prepare", errs)
		}
	})
}

// TestCloseTwiceAtOnce: the second call returns no earlier than the first, also if nothing runs.
func TestCloseTwiceAtOnce(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		release := make(chan struct{})
		sioclient.PauseClose(w.socket(m, "/", nil), func() { <-release })
		returned := make(chan error, 2)
		for range 2 {
			go func() { returned <- m.Close() }()
			synctest.Wait() // the first one has begun
		}
		if len(returned) > 0 {
			t.Error("Close returned while the first one was at work")
		}
		close(release)
		for range 2 {
			if err := <-returned; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestDial(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		go func() {
			srv := w.accept()
			srv.want("40/admin,")
			srv.send(`40/admin,{"sid":"a"}`)
		}()
		s, err := sioclient.Dial(context.Background(), peerURL+"/admin?token=x", w.options(nil))
		if err != nil {
			t.Fatal(err)
		}
		if s.Namespace() != "/admin" || !s.Connected() || !s.Manager().Connected() {
			t.Errorf("namespace %q, connected %t", s.Namespace(), s.Connected())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Emit("x"); !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("Emit after Close = %v", err)
		}
	})
}

func TestDialLeavesNothingBehind(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		s, err := sioclient.Dial(context.Background(), peerURL, w.options(nil))
		if s != nil || !errors.Is(err, sioclient.ErrConnection) {
			t.Errorf("Dial = %v, %v", s, err)
		}
	})
}

func TestConnectsThatFailLeaveNoWish(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		m := w.manager(nil)
		results := make(chan error, 8)
		for range cap(results) {
			go func() { results <- m.Connect(context.Background()) }()
		}
		for range cap(results) {
			if err := <-results; !errors.Is(err, sioclient.ErrConnection) {
				t.Errorf("Connect = %v", err)
			}
		}
		w.listen(nil)
		s := w.socket(m, "/", nil)
		w.open(s)
		_ = s.Disconnect()
		synctest.Wait()
		if m.Connected() {
			t.Error("the connection outlived its last socket")
		}
	})
}
