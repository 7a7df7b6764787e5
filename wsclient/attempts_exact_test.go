package wsclient_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The number of attempts in an error is that of the dials that the network saw, whatever the peer did.
func TestEC09AttemptsAreExact(t *testing.T) {
	scenarios := 1000
	if testing.Short() {
		scenarios = 100
	}
	for seed := range 10 {
		inBubble(t, func(t *testing.T, w *world) {
			r := rand.New(rand.NewPCG(uint64(seed), 9))
			moods := []wstest.Script{
				func(s *wstest.Session) error { return s.RST() },
				func(s *wstest.Session) error { return s.FIN() },
				func(s *wstest.Session) error { return s.Answer(503, nil, "") },
				func(s *wstest.Session) error { return s.Answer(200, nil, "<html>") },
				hold,
			}
			calm := false
			peer := w.play(func(s *wstest.Session) error {
				if calm {
					return upgraded(discard)(s)
				}
				return moods[r.IntN(len(moods))](s)
			})
			for range scenarios / 10 {
				dialled := 0
				calm = true
				o := wsclient.Options{
					Dial: wsclient.DialOptions{HandshakeTimeout: time.Second},
					Reconnect: wsclient.ReconnectOptions{
						MaxAttempts: 1 + r.IntN(6), Backoff: retry.Backoff{Base: time.Second, StableAfter: time.Millisecond},
					},
				}
				o.Dial.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					dialled++
					if !calm && r.IntN(4) == 0 {
						return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("no route")}
					}
					return w.net.DialContext(ctx, network, addr)
				}
				m := w.manager(o)
				if r.IntN(2) == 0 {
					if err := m.Connect(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					dialled = 0
				}
				calm = false
				if m.IsConnected() {
					w.net.ResetAll()
					<-m.Done()
				} else {
					m.Connect(t.Context())
				}
				e, ok := errors.AsType[errkit.Error](m.Err())
				if !ok || e.ErrorInfo().Attempts != dialled {
					t.Fatalf("%d dials, error %v", dialled, m.Err())
				}
				m.Close()
				w.net.DropAll()
				synctest.Wait()
			}
			peer.Close()
		})
	}
}
