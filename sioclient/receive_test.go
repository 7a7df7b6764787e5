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

func TestReceiveTakesWhatNobodyHandles(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		var l log
		s.On("handled", func(e *sioclient.Event) error { l.add(e.Name); return nil })
		srv.send(`42["first",1]`, `42["handled"]`, `420["second",2]`)
		var n int
		for i, want := range []string{"first", "second"} {
			e, err := s.Receive(context.Background())
			if err != nil || e.Name != want || e.Decode(&n) != nil || n != i+1 {
				t.Fatalf("Receive = %v, %v, want %s with %d", e, err, want, i+1)
			}
			if err := e.Ack("got it"); err != nil {
				t.Error(err)
			}
		}
		srv.want(`430["got it"]`)
		l.want(t, "handled")
	})
}

func TestReceiveWaitsOutAnOutage(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		got := make(chan *sioclient.Event, 1)
		go func() {
			e, err := s.Receive(context.Background())
			if err != nil {
				t.Error(err)
			}
			got <- e
		}()
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`, `42["at last"]`)
		if e := <-got; e.Name != "at last" {
			t.Errorf("event %q", e.Name)
		}
	})
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := s.Receive(ctx)
		if !errors.Is(err, sioclient.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive = %v, want a TimeoutError", err)
		}
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
		_, err = s.Receive(ctx)
		if !errors.Is(err, sioclient.Err) || !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) {
			t.Errorf("Receive = %v, want context.Canceled", err)
		}
		srv.send(`42["kept"]`)
		if e, err := s.Receive(context.Background()); err != nil || e.Name != "kept" {
			t.Errorf("Receive = %v, %v: the connection did not stay as it was", e, err)
		}
	})
}

func TestReceiveTellsWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts sioclient.SocketOptions
	}{
		{"messages", sioclient.SocketOptions{InboxMessages: 2}},
		{"bytes", sioclient.SocketOptions{InboxBytes: 10}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &tc.opts)
				srv := w.open(s)
				srv.send(`42["a",1]`, `42["b",2]`, `42["c",3]`, `42["d",4]`, `42["e",5]`)
				synctest.Wait()
				_, err := s.Receive(context.Background())
				var full *sioclient.BufferFullError
				if !errors.As(err, &full) || full.Messages != 3 {
					t.Fatalf("Receive = %v, want a BufferFullError of 3", err)
				}
				for _, want := range []string{"d", "e"} {
					if e, err := s.Receive(context.Background()); err != nil || e.Name != want {
						t.Errorf("Receive = %v, %v, want %s", e, err, want)
					}
				}
			})
		})
	}
}

func TestNoInbox(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{InboxMessages: -1})
		srv := w.open(s)
		srv.send(`42["a",1]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := s.Receive(ctx); !errors.Is(err, sioclient.ErrTimeout) {
			t.Errorf("Receive = %v, want nothing to be kept", err)
		}
	})
}

func TestEvents(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   func(s *sioclient.Socket, srv *session)
		class error // nil for a clean end
	}{
		{"Disconnect", func(s *sioclient.Socket, _ *session) { _ = s.Disconnect() }, nil},
		{"Close", func(s *sioclient.Socket, _ *session) { _ = s.Manager().Close() }, nil},
		{"server", func(_ *sioclient.Socket, srv *session) { srv.send("41") }, sioclient.ErrDisconnected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{InboxMessages: 2})
				srv := w.open(s)
				srv.send(`42["lost"]`, `42["a"]`, `42["b"]`)
				synctest.Wait()
				var got []string
				var last error
				for e, err := range s.Events(context.Background()) {
					switch {
					case errors.Is(err, sioclient.ErrBufferFull):
						got = append(got, "gap")
					case err != nil:
						last = err
					default:
						got = append(got, e.Name)
						if e.Name == "b" {
							tc.end(s, srv)
						}
					}
				}
				if d := cmp.Diff([]string{"gap", "a", "b"}, got); d != "" {
					t.Errorf("events (-want +got):\n%s", d)
				}
				if !errors.Is(last, tc.class) {
					t.Errorf("last error %v, want %v", last, tc.class)
				}
			})
		})
	}
}

func TestEventsEndWithTheLoop(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		srv.send(`42["a"]`, `42["b"]`)
		for e, err := range s.Events(context.Background()) {
			if err != nil || e.Name != "a" {
				t.Fatalf("%v, %v", e, err)
			}
			break
		}
		if e, err := s.Receive(context.Background()); err != nil || e.Name != "b" {
			t.Errorf("Receive = %v, %v: the loop took more than it gave", e, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		n := 0
		for _, err := range s.Events(ctx) {
			n++
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d pairs, want the error alone", n)
		}
	})
}

func TestCloseEndsReceiveInAHandler(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		result := make(chan error, 1)
		s.On("e", func(*sioclient.Event) error {
			_, err := s.Receive(context.Background())
			result <- err
			return nil
		})
		srv.send(`42["e"]`)
		synctest.Wait()
		_ = s.Manager().Close()
		if err := <-result; !errors.Is(err, sioclient.ErrClosed) {
			t.Errorf("Receive = %v, want ErrClosed", err)
		}
	})
}
