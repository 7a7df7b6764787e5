package sioclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

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
