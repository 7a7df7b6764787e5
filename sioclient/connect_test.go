package sioclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

func TestConnectJoinsTheNamespace(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", nil)
		l.watch(s)
		if s.Connected() || s.Active() || s.ID() != "" {
			t.Error("a new socket is not at rest")
		}
		w.open(s)
		if !s.Connected() || !s.Active() || s.ID() != "sid-1" || s.Recovered() {
			t.Errorf("connected %t, active %t, id %q, recovered %t", s.Connected(), s.Active(), s.ID(), s.Recovered())
		}
		l.want(t, "connect")
		err := s.Connect(context.Background())
		if !errors.Is(err, sioclient.ErrAlreadyConnected) || !errors.Is(err, sioclient.ErrConnection) {
			t.Errorf("second Connect = %v, want ErrAlreadyConnected", err)
		}
	})
}

func TestNamespacesShareAConnection(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		main, admin := w.socket(m, "/", nil), w.socket(m, "/admin", &sioclient.SocketOptions{Auth: map[string]string{"token": "123"}})
		srv := w.open(main)
		result := w.connect(admin)
		srv.want(`40/admin,{"token":"123"}`)
		srv.send(`40/admin,{"sid":"sid-2"}`)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if main.ID() != "sid-1" || admin.ID() != "sid-2" {
			t.Errorf("ids %q, %q", main.ID(), admin.ID())
		}
		if again := w.socket(m, "/admin", nil); again != admin {
			t.Error("the same namespace has two sockets")
		}
		if err := admin.Disconnect(); err != nil {
			t.Fatal(err)
		}
		srv.want("41/admin,")
		srv.quiet()
		if !main.Connected() || !m.Connected() {
			t.Error("leaving one namespace ended the others")
		}
		if err := main.Disconnect(); err != nil {
			t.Fatal(err)
		}
		srv.want("41")
		<-srv.Done()
		if m.Connected() {
			t.Error("the connection outlived its last socket")
		}
	})
}

func TestFirstAttemptFails(t *testing.T) {
	for _, tc := range []struct {
		name     string
		opts     sioclient.Options
		attempts int
		class    *errkit.Class
	}{
		{"reconnection is for later", sioclient.Options{}, 1, sioclient.ErrConnection},
		{"no reconnection", sioclient.Options{DisableReconnection: true}, 1, sioclient.ErrConnection},
		{"attempts are counted exactly", sioclient.Options{RetryFirst: true, ReconnectionAttempts: 3}, 4, sioclient.ErrReconnect},
		{"no reconnection wins", sioclient.Options{RetryFirst: true, DisableReconnection: true}, 1, sioclient.ErrConnection},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				w.stop()
				attempts := 0
				tc.opts.Prepare = func(_ context.Context, a *sioclient.Attempt) error {
					if a.Number != attempts {
						t.Errorf("attempt %d has number %d", attempts, a.Number)
					}
					attempts++
					return nil
				}
				m := w.manager(&tc.opts)
				s := w.socket(m, "/", nil)
				err := s.Connect(context.Background())
				if !errors.Is(err, tc.class) || !errors.Is(err, errkit.Connection) {
					t.Errorf("Connect = %v, want %v of kind Connection", err, tc.class)
				}
				if attempts != tc.attempts {
					t.Errorf("%d attempts, want %d", attempts, tc.attempts)
				}
				time.Sleep(time.Minute)
				if attempts != tc.attempts || s.Active() {
					t.Errorf("%d attempts later, active %t", attempts, s.Active())
				}
			})
		})
	}
}

func TestOpenGoesOnAfterAFirstAttemptThatFails(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		w.stop()
		s := w.socket(w.manager(nil), "/", nil)
		l.watch(s)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		l.want(t, "connect_error", "connect_error")
		if !s.Active() {
			t.Error("the socket gave up")
		}
		w.listen(nil)
		w.accept().send(`40{"sid":"x"}`)
		l.want(t, "connect")
	})
}

func TestConnectOnAnActiveSocketDoesNotStopIt(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		s := w.socket(w.manager(nil), "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		if err := s.Connect(context.Background()); !errors.Is(err, sioclient.ErrConnection) {
			t.Errorf("Connect = %v", err)
		}
		if !s.Active() {
			t.Error("Connect stopped what Open began")
		}
	})
}

func TestConnectEndsWithItsContext(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ctx   func() (context.Context, context.CancelFunc)
		cause error
		class *errkit.Class
	}{
		{"deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Second)
		}, context.DeadlineExceeded, sioclient.ErrConnectTimeout},
		{"cancel", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(10*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled, sioclient.ErrConnection},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				ctx, cancel := tc.ctx()
				defer cancel()
				s := w.socket(w.manager(nil), "/x", nil)
				start := time.Now()
				err := s.Connect(ctx) // the server never confirms
				if !errors.Is(err, tc.class) || !errors.Is(err, tc.cause) {
					t.Errorf("Connect = %v, want %v and %v", err, tc.class, tc.cause)
				}
				var ce *sioclient.ConnectionError
				if !errors.As(err, &ce) || !cmp.Equal(ce.Namespaces, []string{"/x"}) {
					t.Errorf("Connect = %#v, want the namespace in it", err)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("it took %v, want 10s", took)
				}
				if s.Active() {
					t.Error("the socket is still active")
				}
				if err := s.Connect(ctx); !errors.Is(err, tc.cause) {
					t.Errorf("Connect with a context that is done = %v", err)
				}
			})
		})
	}
}

func TestServerThatDoesNotConfirm(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(&sioclient.Options{Timeout: 7 * time.Second}), "/", nil)
		start := time.Now()
		err := s.Connect(context.Background())
		if !errors.Is(err, sioclient.ErrConnectTimeout) || time.Since(start) != 7*time.Second {
			t.Errorf("Connect = %v after %v, want ErrConnectTimeout after 7s", err, time.Since(start))
		}
	})
}

func TestServerThatConfirmsTooLate(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(&sioclient.Options{Timeout: 7 * time.Second})
		w.socket(m, "/other", nil)
		other := w.socket(m, "/other", nil)
		if err := other.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want("40/other,")
		srv.send(`40/other,{"sid":"o"}`)
		late := w.socket(m, "/late", nil)
		if err := late.Connect(context.Background()); !errors.Is(err, sioclient.ErrConnectTimeout) {
			t.Errorf("Connect = %v, want ErrConnectTimeout", err)
		}
		srv.want("40/late,")
		srv.send(`40/late,{"sid":"l"}`)
		srv.want("41/late,") // the server shall not believe that somebody is there
		if late.Connected() {
			t.Error("a socket at rest was connected")
		}
	})
}

func TestConnectIsNotSentTwiceOnAConnection(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		main, x := w.socket(m, "/", nil), w.socket(m, "/x", nil)
		srv := w.open(main)
		if err := x.Open(); err != nil {
			t.Fatal(err)
		}
		srv.want("40/x,")
		if err := x.Disconnect(); err != nil {
			t.Fatal(err)
		}
		if err := x.Open(); err != nil { // the answer to the first CONNECT is still to come
			t.Fatal(err)
		}
		srv.quiet()
		srv.send(`40/x,{"sid":"x"}`)
		synctest.Wait()
		if !x.Connected() {
			t.Error("the answer did not count")
		}
	})
}

func TestRefusalThatNobodyWaitsForAnyMore(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		main, x := w.socket(m, "/", nil), w.socket(m, "/x", nil)
		srv := w.open(main)
		if err := x.Open(); err != nil {
			t.Fatal(err)
		}
		srv.want("40/x,")
		_ = x.Disconnect()
		srv.send(`44/x,{"message":"no"}`)
		synctest.Wait()
		result := w.connect(x) // asks again: the first question was answered
		srv.want("40/x,")
		srv.send(`40/x,{"sid":"x"}`)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// TestOnConnectAfterConnect: a function that comes after Connect has returned is for the next time, however late the
// others are told of this one.
func TestOnConnectAfterConnect(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", nil)
		release := make(chan struct{})
		s.OnConnectError(func(error) { <-release }) // keeps the queue busy
		result := w.connect(s)
		srv := w.accept()
		srv.want("40")
		srv.send(`44{"message":"not yet"}`)
		if err := <-result; err == nil {
			t.Fatal("connected")
		}
		told := make(chan string, 10)
		s.OnConnect(func() { told <- "before" })
		result = w.connect(s)
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"x"}`)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		s.OnConnect(func() { told <- "after" })
		close(release)
		synctest.Wait()
		if n := len(told); n != 1 || <-told != "before" {
			t.Errorf("%d were told", n)
		}
	})
}

// TestWatchersAddedLater: what happened before they were added is not told to OnDisconnect and OnConnectError, although
// handlers that still run hold up the news.
func TestWatchersAddedLater(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(&sioclient.Options{ReconnectionAttempts: 1})
		var l log
		release := make(chan struct{})
		s.On("long", func(*sioclient.Event) error {
			<-release
			return nil
		})
		s.OnDisconnect(func(sioclient.Reason, error) { l.add("disconnect") })
		s.OnConnectError(func(error) { l.add("connect error") })
		srv.send(`42["long"]`)
		synctest.Wait()
		w.stop()
		for s.Active() { // until the attempts are used up
			time.Sleep(time.Second)
		}
		s.OnDisconnect(func(sioclient.Reason, error) { l.add("disconnect, later") })
		s.OnConnectError(func(error) { l.add("connect error, later") })
		close(release)
		l.want(t, "disconnect", "connect error", "connect error")
	})
}

func TestConfirmationThatNobodyAskedFor(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		release := make(chan struct{})
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{AuthFunc: func(context.Context) (any, error) {
			<-release
			return nil, nil
		}})
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.send(`40{"sid":"early"}`)
		synctest.Wait()
		if s.Connected() {
			t.Error("the socket is connected before it asked")
		}
		close(release)
		srv.want("40")
		srv.send(`40{"sid":"x"}`)
		synctest.Wait()
		if s.ID() != "x" {
			t.Errorf("id %q", s.ID())
		}
	})
}

// TestOnConnectAddedLater: what was added after the confirmation waits for the next one, although handlers that still run
// hold up the news of the first.
func TestOnConnectAddedLater(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", nil)
		release := make(chan struct{})
		s.On("early", func(*sioclient.Event) error {
			<-release
			return nil
		})
		s.OnConnect(func() { l.add("there from the beginning") })
		removed := s.OnConnect(func() { l.add("removed") })
		result := w.connect(s)
		srv := w.accept()
		srv.want("40")
		srv.send(`42["early"]`, `40{"sid":"sid-1"}`)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		s.OnConnect(func() { l.add("added later") })
		removed()
		close(release)
		l.want(t, "there from the beginning")
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"sid-2"}`)
		l.want(t, "there from the beginning", "added later")
	})
}
