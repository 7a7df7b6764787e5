package sioclient_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

func TestEmitOnTheWire(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		for _, tc := range []struct {
			name string
			args []any
			want []string
		}{
			{"none", nil, []string{`42["none"]`}},
			{"many", []any{1, "zwei", nil, true, []int{3}}, []string{`42["many",1,"zwei",null,true,[3]]`}},
			{"no <escapes> & a, comma", []any{"<&>"}, []string{`42["no <escapes> & a, comma","<&>"]`}},
			{"binary", []any{[]byte{1, 2}, map[string]any{"b": []byte{3}}}, []string{
				`452-["binary",{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]`, "bAQI=", "bAw==",
			}},
			{"connection", nil, []string{`42["connection"]`}},
		} {
			if err := s.Emit(tc.name, tc.args...); err != nil {
				t.Fatal(err)
			}
			srv.want(tc.want...)
		}
		if err := s.Send("hello"); err != nil {
			t.Fatal(err)
		}
		srv.want(`42["message","hello"]`)
	})
}

func TestEmitRefusesWhatCannotBeSent(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			err := s.Emit(name)
			if !errors.Is(err, sioclient.ErrReserved) || !errors.Is(err, errkit.Invalid) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("Emit(%q) = %v, want ErrReserved", name, err)
			}
			if _, err := s.Call(context.Background(), name); !errors.Is(err, sioclient.ErrReserved) {
				t.Errorf("Call(%q) = %v, want ErrReserved", name, err)
			}
		}
		if err := s.Emit("x", make(chan int)); !errors.Is(err, errkit.Invalid) || !errors.Is(err, sioclient.Err) {
			t.Errorf("Emit of a channel = %v, want a typed error", err)
		}
		if err := s.Emit("x", strings.Repeat("x", 1_100_000)); !errors.Is(err, sioclient.ErrTooLarge) {
			t.Errorf("Emit above the server's limit = %v, want ErrTooLarge", err)
		}
		srv.quiet()
	})
}

func TestEmitBeforeTheConnectionIsKeptInOrder(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", nil)
		for i := range 3 {
			if err := s.Emit("early", i); err != nil {
				t.Fatal(err)
			}
		}
		srv := w.open(s)
		srv.want(`42["early",0]`, `42["early",1]`, `42["early",2]`)
		srv.Cut()
		synctest.Wait()
		for i := range 3 {
			if err := s.Emit("between", i); err != nil {
				t.Fatal(err)
			}
		}
		srv = w.accept()
		srv.want("40")
		srv.send(`42["first"]`, `40{"sid":"b"}`)
		srv.want(`42["between",0]`, `42["between",1]`, `42["between",2]`)
	})
}

func TestEmitOnADeadLink(t *testing.T) {
	unbuffered := sioclient.SocketOptions{DisableBuffer: true}
	for _, tc := range []struct {
		name string
		opts sioclient.SocketOptions
		kill func(w *world, s *sioclient.Socket, srv *session)
		want []error
	}{
		{"reconnecting, buffered", sioclient.SocketOptions{}, func(_ *world, _ *sioclient.Socket, srv *session) { srv.Cut() }, nil},
		{"reconnecting, unbuffered", unbuffered, func(_ *world, _ *sioclient.Socket, srv *session) { srv.Cut() }, []error{sioclient.ErrDisconnected}},
		{"left", sioclient.SocketOptions{}, func(_ *world, s *sioclient.Socket, _ *session) { _ = s.Disconnect() }, []error{sioclient.ErrDisconnected}},
		{"thrown out", sioclient.SocketOptions{}, func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("41") }, []error{sioclient.ErrDisconnected}},
		{"closed", sioclient.SocketOptions{}, func(_ *world, s *sioclient.Socket, _ *session) { _ = s.Manager().Close() }, []error{sioclient.ErrClosed}},
		{"given up", sioclient.SocketOptions{}, func(w *world, _ *sioclient.Socket, _ *session) {
			w.stop()
			time.Sleep(time.Minute)
		}, []error{sioclient.ErrDisconnected, sioclient.ErrReconnect}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(&sioclient.Options{ReconnectionAttempts: 2}), "/", &tc.opts)
				srv := w.open(s)
				tc.kill(w, s, srv)
				synctest.Wait()
				err := s.Emit("x")
				if tc.want == nil && err != nil {
					t.Errorf("Emit = %v", err)
				}
				for _, class := range tc.want {
					if !errors.Is(err, class) || !errors.Is(err, errkit.NotSent) {
						t.Errorf("Emit = %v, want %v, not sent", err, class)
					}
				}
				if len(tc.want) > 0 {
					if _, err := s.Call(context.Background(), "x"); !errors.Is(err, tc.want[0]) {
						t.Errorf("Call = %v, want %v", err, tc.want[0])
					}
					if err := s.Volatile().Emit("x"); !s.Active() && !errors.Is(err, tc.want[0]) {
						t.Errorf("volatile Emit = %v, want %v", err, tc.want[0])
					}
				}
			})
		})
	}
}

func TestEmitOnANamespaceThatWasLeft(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		main, x := w.socket(m, "/", nil), w.socket(m, "/x", nil)
		srv := w.open(main)
		result := w.connect(x)
		srv.want("40/x,")
		srv.send(`40/x,{"sid":"x"}`)
		<-result
		_ = x.Disconnect()
		srv.want("41/x,")
		err := x.Emit("e")
		var bad *sioclient.BadNamespaceError
		if !errors.As(err, &bad) || bad.Namespace != "/x" || !errors.Is(err, errkit.Invalid) {
			t.Errorf("Emit = %v, want a BadNamespaceError", err)
		}
	})
}

func TestBufferIsBounded(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts sioclient.SocketOptions
		fit  int
	}{
		{"messages", sioclient.SocketOptions{BufferMessages: 3}, 3},
		{"bytes", sioclient.SocketOptions{BufferBytes: 100}, 4},
		{"retries, messages", sioclient.SocketOptions{BufferMessages: 3, Retries: 1}, 3},
		{"retries, bytes", sioclient.SocketOptions{BufferBytes: 100, Retries: 1}, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &tc.opts)
				for range tc.fit {
					if err := s.Emit("event", "0123456789"); err != nil { // 24 bytes
						t.Fatal(err)
					}
				}
				err := s.Emit("event", "0123456789")
				var full *sioclient.BufferFullError
				if !errors.As(err, &full) || full.Messages != tc.fit || !errors.Is(err, errkit.NotSent) {
					t.Errorf("Emit = %v, want a BufferFullError with %d messages", err, tc.fit)
				}
				if _, err := s.Call(context.Background(), "event", "0123456789"); !errors.Is(err, sioclient.ErrBufferFull) {
					t.Errorf("Call = %v, want ErrBufferFull", err)
				}
			})
		})
	}
}

func TestSlowLinkFillsTheBufferAndLosesNothing(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{Socket: sioclient.SocketOptions{BufferMessages: 50}}
		opts.Engine.Queue.Messages = 10
		s, srv := w.connected(opts)
		w.network.Links()[0].Stall(netem.Up)
		big := strings.Repeat("x", 100_000) // more than the window of the network
		sent := 0
		for ; ; sent++ {
			err := s.Emit("n", sent, big)
			if errors.Is(err, sioclient.ErrBufferFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if sent > 1000 {
				t.Fatal("the buffer has no end")
			}
		}
		if sent < 50 {
			t.Errorf("%d events were taken, want at least the 50 of the buffer", sent)
		}
		w.network.Links()[0].Resume(netem.Up)
		for i := range sent {
			if p := srv.receive(); !strings.HasPrefix(p, `42["n",`+strconv.Itoa(i)+`,`) {
				t.Fatalf("event %d is %.20q", i, p)
			}
		}
		srv.quiet()
	})
}

func TestVolatile(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		s := w.socket(m, "/", nil)
		if err := s.Volatile().Emit("before"); err != nil {
			t.Errorf("Emit without a connection = %v, want it dropped", err)
		}
		_, err := s.Volatile().Call(context.Background(), "before")
		if !errors.Is(err, sioclient.ErrDisconnected) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("Call without a connection = %v, want ErrDisconnected", err)
		}
		srv := w.open(s)
		srv.quiet()
		if err := s.Volatile().Compress(false).Emit("now", 1); err != nil {
			t.Error(err)
		}
		srv.want(`42["now",1]`)
		w.network.Links()[0].Stall(netem.Up)
		big := strings.Repeat("x", 100_000)
		if err := s.Emit("big", big); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := s.Volatile().Emit("dropped", []byte{1}); err != nil {
			t.Error(err)
		}
		if _, err := s.Volatile().Call(context.Background(), "dropped"); !errors.Is(err, sioclient.ErrBufferFull) {
			t.Errorf("Call on a busy connection = %v, want ErrBufferFull", err)
		}
		w.network.Links()[0].Resume(netem.Up)
		srv.want(`42["big","` + big + `"]`)
		srv.quiet()
		if n := m.Stats().VolatileDropped; n != 2 {
			t.Errorf("%d events dropped, want 2", n)
		}
	})
}

func TestVolatileIsExemptFromRetries(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Retries: 3})
		srv := w.open(s)
		srv.quiet() // the transport is at rest, so that nothing is dropped
		if err := s.Volatile().Emit("v"); err != nil {
			t.Fatal(err)
		}
		srv.want(`42["v"]`)
	})
}

func TestWhatWaitedIsReportedWhenItIsDropped(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		s := w.socket(m, "/", nil)
		var errs []error
		s.OnError(func(err error) { errs = append(errs, err) })
		w.open(s).Cut()
		synctest.Wait()
		for range 3 {
			if err := s.Emit("x"); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.Disconnect()
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], sioclient.ErrDisconnected) || !strings.Contains(errs[0].Error(), "3 events") {
			t.Errorf("errors %v, want one that tells of 3 events", errs)
		}
		if n := m.Stats().Dropped; n != 3 {
			t.Errorf("%d dropped, want 3", n)
		}
	})
}

func TestConcurrentEmitsKeepPacketsWhole(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		const each, workers = 50, 8
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				for n := range each {
					if err := s.Emit("e", i, n, []byte{byte(i)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		next := make([]int, workers)
		for range each * workers {
			head, tail := srv.receive(), srv.receive()
			var i, n int
			rest, ok := strings.CutPrefix(head, `451-["e",`)
			parts := strings.SplitN(rest, ",", 3)
			if ok {
				i, _ = strconv.Atoi(parts[0])
				n, _ = strconv.Atoi(parts[1])
			}
			if !ok || n != next[i] || tail != "b"+[]string{"AA==", "AQ==", "Ag==", "Aw==", "BA==", "BQ==", "Bg==", "Bw=="}[i] {
				t.Fatalf("got %q, %q, want event %d of worker %d", head, tail, next[i], i)
			}
			next[i]++
		}
		wg.Wait()
	})
}

func TestOutgoingListeners(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, _ := w.connected(nil)
		var got []string
		note := func(who string) sioclient.Handler {
			return func(e *sioclient.Event) error {
				got = append(got, who+" "+e.Name+" "+string(e.Args.JSON()))
				return nil
			}
		}
		off := s.OnAnyOutgoing(note("second"))
		s.PrependAnyOutgoing(note("first"))
		_ = s.Emit("a", 1)
		_ = s.Emit("connect")
		off()
		_ = s.Emit("b")
		s.OffAnyOutgoing()
		_ = s.Emit("c")
		if d := cmp.Diff([]string{"first a [1]", "second a [1]", "first b []"}, got); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
	})
}

// What the transport has taken is sent, also when the socket leaves while it is full.
func TestDisconnectOnATransportThatIsFull(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{}
		opts.Engine.Queue.Messages = 1
		m := w.manager(opts)
		main, x := w.socket(m, "/", nil), w.socket(m, "/x", nil)
		srv := w.open(main)
		joined := w.connect(x)
		srv.want("40/x,")
		srv.send(`40/x,{"sid":"x"}`)
		if err := <-joined; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		link := w.network.Links()[0]
		big := strings.Repeat("x", 200_000) // more than the network takes
		for _, step := range []struct {
			leave *sioclient.Socket
			want  []string
		}{
			{x, []string{`41/x,`}},
			{main, nil}, // with it the connection ends
		} {
			link.Stall(netem.Up)
			if err := step.leave.Emit("last", big); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			_ = step.leave.Disconnect()
			synctest.Wait()
			link.Resume(netem.Up)
			name := strings.TrimSuffix(step.leave.Namespace()+",", "/,")
			srv.want(append([]string{`42` + name + `["last","` + big + `"]`}, step.want...)...)
		}
		<-srv.Done()
	})
}
