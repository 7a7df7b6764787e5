package sioclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

func TestConnectThatFailsEndsWhatWaitsForIt(t *testing.T) {
	for name, retries := range map[string]int{"once": 0, "retries": 2} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				w.stop()
				s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Retries: retries, AckTimeout: -1})
				var l log
				s.OnError(func(err error) { l.add("lost") })
				if err := s.Emit("e"); err != nil {
					t.Fatal(err)
				}
				waiting := call(context.Background(), s, "q")
				synctest.Wait()
				if err := s.Connect(context.Background()); !errors.Is(err, sioclient.ErrConnection) {
					t.Errorf("Connect = %v", err)
				}
				if a := <-waiting; !errors.Is(a.err, sioclient.ErrDisconnected) || !errors.Is(a.err, sioclient.ErrConnection) {
					t.Errorf("Call = %v, want ErrDisconnected because of ErrConnection", a.err)
				}
				l.want(t, "lost")
			})
		})
	}
}

// A handler that waits for its own event must not keep the news of that event waiting.
func TestEventThatTurnsOutTooLargeEndsItsCall(t *testing.T) {
	for name, retries := range map[string]int{"once": 0, "retries": 2} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Retries: retries})
				srv := w.open(s)
				result := make(chan error, 1)
				s.OnDisconnect(func(sioclient.Reason, error) {
					_, err := s.Call(context.Background(), "big", strings.Repeat("x", 1_100_000))
					result <- err
				})
				srv.Cut()
				srv = w.accept()
				srv.want("40")
				srv.send(`40{"sid":"b"}`)
				start := time.Now()
				if err := <-result; !errors.Is(err, sioclient.ErrTooLarge) || !errors.Is(err, errkit.NotSent) {
					t.Errorf("Call = %v, want ErrTooLarge, not sent", err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v", took)
				}
				srv.quiet()
			})
		})
	}
}
