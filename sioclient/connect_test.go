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

func TestAuthIsSentAsItIs(t *testing.T) {
	type credentials struct {
		User string `json:"user"`
		Tag  string `json:"tag"`
	}
	for _, tc := range []struct {
		name string
		auth any
		want string
	}{
		{"none", nil, "40"},
		{"nil map", map[string]any(nil), "40"},
		{"map", map[string]any{"a": 1}, `40{"a":1}`},
		{"struct, no escapes", credentials{"x", "<b>&"}, `40{"user":"x","tag":"<b>&"}`},
		{"empty object", struct{}{}, `40{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Auth: tc.auth})
				if err := s.Open(); err != nil {
					t.Fatal(err)
				}
				w.accept().want(tc.want)
			})
		})
	}
}

func TestAuthFuncIsAskedOnEveryConnection(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		n := 0
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{AuthFunc: func(context.Context) (any, error) {
			n++
			return map[string]int{"n": n}, nil
		}})
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want(`40{"n":1}`)
		srv.send(`40{"sid":"a"}`)
		srv.Cut()
		w.accept().want(`40{"n":2}`)
	})
}

func TestAuthFuncThatFailsIsAskedAgain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		bad := errors.New("no token")
		var times []time.Duration
		start := time.Now()
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{AuthFunc: func(context.Context) (any, error) {
			times = append(times, time.Since(start))
			switch len(times) {
			case 1:
				return nil, bad
			case 2:
				return "no object", nil
			case 3:
				panic("none")
			}
			return map[string]int{}, nil
		}})
		l.watch(s)
		var errs []error
		s.OnConnectError(func(err error) { errs = append(errs, err) })
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		w.accept().want(`40{}`)
		if d := cmp.Diff([]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, times); d != "" {
			t.Errorf("calls at (-want +got):\n%s", d)
		}
		l.want(t, "connect_error", "connect_error", "connect_error")
		if !errors.Is(errs[0], bad) || !errors.Is(errs[0], sioclient.ErrConnection) {
			t.Errorf("error = %v, want a ConnectionError around that of AuthFunc", errs[0])
		}
		if !errors.Is(errs[2], sioclient.ErrHandler) {
			t.Errorf("error = %v, want ErrHandler for a panic", errs[2])
		}
	})
}

func TestAuthFuncFailureEndsConnect(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		bad := errors.New("no token")
		m := w.manager(nil)
		s := w.socket(m, "/", &sioclient.SocketOptions{AuthFunc: func(context.Context) (any, error) { return nil, bad }})
		err := s.Connect(context.Background())
		if !errors.Is(err, bad) {
			t.Errorf("Connect = %v, want the error of AuthFunc", err)
		}
		synctest.Wait()
		if s.Active() || m.Connected() {
			t.Error("something is left of a connect that failed")
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
