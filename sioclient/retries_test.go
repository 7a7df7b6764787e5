package sioclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

// retrying returns a socket whose events are tried three times, for 10 s each.
func (w *world) retrying() *sioclient.Socket {
	w.t.Helper()
	return w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Retries: 2, AckTimeout: 10 * time.Second})
}

// The wire of three emits in the public protocol test suite of clients with retries.
func TestRetriesSendOneEventAfterTheOther(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.retrying()
		for i := 1; i <= 3; i++ {
			if err := s.Emit("echo", i); err != nil {
				t.Fatal(err)
			}
		}
		result := w.connect(s)
		srv := w.accept()
		srv.want("40")
		srv.send(`40{"sid":"a"}`)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ want, answer string }{
			{`420["echo",1]`, `430[1]`}, {`421["echo",2]`, `431[2]`}, {`422["echo",3]`, `432[3]`},
		} {
			srv.want(step.want)
			srv.quiet()
			srv.send(step.answer)
		}
		synctest.Wait()
		_ = s.Disconnect()
		srv.want("41")
	})
}

func TestRetriesUseUpTheirTries(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.retrying()
		srv := w.open(s)
		var errs []error
		s.OnError(func(err error) { errs = append(errs, err) })
		start := time.Now()
		if err := s.Emit("lost", []byte{1}); err != nil {
			t.Fatal(err)
		}
		if err := s.Emit("next"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`451-0["lost",{"_placeholder":true,"num":0}]`, `451-1["lost",{"_placeholder":true,"num":0}]`,
			`451-2["lost",{"_placeholder":true,"num":0}]`,
		} {
			srv.want(want, "bAQ==")
		}
		srv.want(`423["next"]`)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("three tries took %v, want 30s", took)
		}
		srv.send(`430["late"]`, `433[]`)
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], sioclient.ErrTimeout) {
			t.Errorf("errors %v, want one TimeoutError", errs)
		}
		if n := s.Manager().Stats().Dropped; n != 1 {
			t.Errorf("%d dropped, want 1", n)
		}
	})
}

func TestRetriesGoOnAfterAnOutage(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.retrying()
		srv := w.open(s)
		result := call(context.Background(), s, "a")
		srv.want(`420["a"]`)
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		srv.want(`421["a"]`)
		srv.send(`431["done"]`)
		if a := <-result; a.err != nil || string(a.args.JSON()) != `["done"]` {
			t.Errorf("Call = %s, %v", a.args.JSON(), a.err)
		}
	})
}

func TestRetriesAndTimeLimits(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.retrying()
		srv := w.open(s)
		start := time.Now()
		_, err := s.Timeout(time.Second).Call(context.Background(), "a")
		if !errors.Is(err, sioclient.ErrTimeout) || time.Since(start) != 3*time.Second {
			t.Errorf("Call = %v after %v, want ErrTimeout after three tries of 1s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, err = s.Call(ctx, "b")
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sioclient.ErrTimeout) {
			t.Errorf("Call = %v, want the deadline of its context", err)
		}
		if err := s.Emit("c"); err != nil {
			t.Fatal(err)
		}
		srv.want(`420["a"]`, `421["a"]`, `422["a"]`, `423["b"]`, `424["c"]`)
		srv.send(`434[]`)
		time.Sleep(time.Minute)
		srv.quiet()
	})
}

func TestRetriesEndWithTheSocket(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   func(s *sioclient.Socket)
		class error
	}{
		{"Disconnect", func(s *sioclient.Socket) { _ = s.Disconnect() }, sioclient.ErrDisconnected},
		{"Close", func(s *sioclient.Socket) { _ = s.Manager().Close() }, sioclient.ErrClosed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.retrying()
				srv := w.open(s)
				flying := call(context.Background(), s, "flying")
				srv.want(`420["flying"]`)
				waiting := call(context.Background(), s, "waiting")
				if err := s.Emit("silent"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				tc.end(s)
				for _, r := range []<-chan answer{flying, waiting} {
					if a := <-r; !errors.Is(a.err, tc.class) {
						t.Errorf("Call = %v, want %v", a.err, tc.class)
					}
				}
				if n := s.Manager().Stats().Dropped; n != 1 {
					t.Errorf("%d dropped, want 1", n)
				}
			})
		})
	}
}

func TestRetriesRefuseWhatCannotBeEncoded(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.retrying()
		srv := w.open(s)
		if err := s.Emit("x", make(chan int)); !errors.Is(err, sioclient.Err) {
			t.Errorf("Emit = %v, want a typed error", err)
		}
		srv.quiet()
	})
}

func TestRetriesWaitForATransportThatIsFull(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{}
		opts.Engine.Queue.Messages = 1
		m := w.manager(opts)
		main, x := w.socket(m, "/", nil), w.socket(m, "/x", &sioclient.SocketOptions{Retries: 1, DisableBuffer: true})
		srv := w.open(main)
		joined := w.connect(x)
		srv.want("40/x,")
		srv.send(`40/x,{"sid":"x"}`)
		if err := <-joined; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		link := w.network.Links()[0]
		link.Stall(netem.Up)
		big := strings.Repeat("x", 200_000)
		if err := main.Emit("big", big); err != nil { // more than the network takes
			t.Fatal(err)
		}
		synctest.Wait()
		result := call(context.Background(), x, "kept")
		synctest.Wait()
		link.Resume(netem.Up)
		srv.want(`42["big","`+big+`"]`, `42/x,0["kept"]`)
		srv.send(`43/x,0[]`)
		if a := <-result; a.err != nil {
			t.Errorf("Call = %v", a.err)
		}
	})
}
