package sioclient_test

import (
	"context"
	"errors"
	"io"
	stdlog "log"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// withServer runs a test of the client with the server of this module.
func withServer(t *testing.T, opts *sioserver.Options, test func(t *testing.T, srv *sioserver.Server, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, err := sioserver.New(opts)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, network: netem.New(nil)}
		listener, err := w.network.Listen("peer.test:80")
		if err != nil {
			t.Fatal(err)
		}
		web := &http.Server{Handler: srv, ErrorLog: stdlog.New(io.Discard, "", 0)}
		served := make(chan error, 1)
		go func() { served <- web.Serve(listener) }()
		defer func() {
			for _, m := range w.opened {
				_ = m.Close()
			}
			_ = srv.Close()
			_ = web.Close()
			<-served
		}()
		test(t, srv, w)
	})
}

func TestBothEndsOfThisModule(t *testing.T) {
	for _, tc := range []struct {
		name   string
		client sioclient.Options
		server sioserver.Options
	}{
		{"websocket", sioclient.Options{Engine: engineio.DialOptions{Transports: []string{engineio.WebSocket}}}, sioserver.Options{}},
		{"polling", sioclient.Options{Engine: engineio.DialOptions{Transports: []string{engineio.Polling}}}, sioserver.Options{}},
		{"upgrade", sioclient.Options{Engine: engineio.DialOptions{Transports: []string{engineio.Polling, engineio.WebSocket}}}, sioserver.Options{}},
		{"msgpack", sioclient.Options{Parser: packet.Msgpack}, sioserver.Options{Parser: packet.Msgpack}},
		{"revision 4", sioclient.Options{Version: sioclient.Version3}, sioserver.Options{Engine: engineio.ServerOptions{AllowEIO3: true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withServer(t, &tc.server, func(t *testing.T, srv *sioserver.Server, w *world) {
				const n = 500
				srv.OnConnect(func(s *sioserver.Socket) {
					s.On("echo", func(e *sioclient.Event) error { return s.Emit("echo", e.Args) })
					sioclient.Reply2(s, "join", func(a string, b []byte) (string, error) { return a + string(b), nil })
					s.On("ask me", func(*sioclient.Event) error {
						answer, err := s.Call(context.Background(), "question")
						if err != nil {
							return err
						}
						return s.Emit("asked", answer)
					})
				})
				s := w.socket(w.manager(&tc.client), "/", nil)
				var next atomic.Int64
				sioclient.On2(s, "echo", func(i int64, b []byte) {
					if want := next.Add(1) - 1; i != want || len(b) != 1 || b[0] != byte(i) {
						t.Errorf("echo %d, %v, want %d", i, b, want)
					}
				})
				sioclient.Reply0(s, "question", func() (int, error) { return 42, nil })
				if err := s.Connect(context.Background()); err != nil {
					t.Fatal(err)
				}
				for i := range n {
					if err := s.Emit("echo", i, []byte{byte(i)}); err != nil {
						t.Fatal(err)
					}
				}
				joined, err := sioclient.Call1[string](context.Background(), s, "join", "a", []byte("b"))
				if joined != "ab" || err != nil {
					t.Errorf("Call1 = %q, %v", joined, err)
				}
				if err := s.Emit("ask me"); err != nil {
					t.Fatal(err)
				}
				e, err := s.Receive(context.Background())
				var answer int
				if err != nil || e.Decode(&answer) != nil || answer != 42 {
					t.Errorf("asked %v, %v", answer, err)
				}
				if next.Load() != n {
					t.Errorf("%d echoes, want %d", next.Load(), n)
				}
			})
		})
	}
}

func TestRecoveryWithTheServerOfThisModule(t *testing.T) {
	opts := &sioserver.Options{Recovery: &sioserver.RecoveryOptions{}}
	withServer(t, opts, func(t *testing.T, srv *sioserver.Server, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{StripOffset: true})
		if err := s.Connect(context.Background()); err != nil {
			t.Fatal(err)
		}
		id, next := s.ID(), 0
		for round := range 20 { // the first of them before there was any event
			w.network.ResetAll()
			synctest.Wait()
			for i := range round + 1 {
				if err := srv.Emit("n", next+i); err != nil {
					t.Fatal(err)
				}
			}
			for range round + 1 {
				var got int
				e, err := s.Receive(context.Background())
				if err != nil || e.Decode(&got) != nil || got != next {
					t.Fatalf("round %d: event %d, %v, want %d", round, got, err, next)
				}
				next++
			}
			synctest.Wait()
			if !s.Recovered() || s.ID() != id {
				t.Fatalf("round %d: recovered %t, id %q, want %q", round, s.Recovered(), s.ID(), id)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if e, err := s.Receive(ctx); !errors.Is(err, sioclient.ErrTimeout) {
			t.Errorf("Receive = %v, %v, want nothing twice", e, err)
		}
	})
}

// Every millisecond of two connections over a slow network is a moment to close at: dialling, opening, upgrading, joining,
// calling, waiting to connect again. What is left behind would hang the bubble.
func TestCloseAtEveryMillisecond(t *testing.T) {
	for step := range 60 {
		at := time.Duration(step) * 2 * time.Millisecond
		t.Run(at.String(), func(t *testing.T) {
			withServer(t, nil, func(t *testing.T, srv *sioserver.Server, w *world) {
				w.network.Latency(netem.Both, 3*time.Millisecond)
				srv.OnConnect(func(s *sioserver.Socket) { _ = s.Emit("hello", []byte{1}) })
				m := w.manager(&sioclient.Options{
					Engine:            engineio.DialOptions{Transports: []string{engineio.Polling, engineio.WebSocket}},
					ReconnectionDelay: 10 * time.Millisecond,
				})
				s := w.socket(m, "/", &sioclient.SocketOptions{AuthFunc: func(ctx context.Context) (any, error) {
					time.Sleep(5 * time.Millisecond)
					return nil, ctx.Err()
				}})
				if err := s.Open(); err != nil {
					t.Fatal(err)
				}
				result := call(context.Background(), s, "nobody answers")
				time.AfterFunc(60*time.Millisecond, w.network.ResetAll)
				time.Sleep(at)
				_ = m.Close()
				if a := <-result; !errors.Is(a.err, sioclient.ErrClosed) && !errors.Is(a.err, sioclient.ErrDisconnected) {
					t.Errorf("Call = %v", a.err)
				}
			})
		})
	}
}

func TestRefusalOfTheServerOfThisModule(t *testing.T) {
	withServer(t, nil, func(t *testing.T, srv *sioserver.Server, w *world) {
		srv.Use(func(context.Context, *sioserver.Socket) error {
			return sioclient.Refuse("not you", map[string]int{"code": 7})
		})
		s := w.socket(w.manager(nil), "/", nil)
		got := refusalOf(t, s.Connect(context.Background()))
		if got.Message != "not you" || got.Data != `{"code":7}` {
			t.Errorf("refusal %+v", got)
		}
	})
}
