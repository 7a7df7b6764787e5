package sioclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// What says that nothing was sent must be certain of it, whatever the last step says of itself.
func TestRetriesThatWereTriedMayHaveArrived(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   func(w *world, s *sioclient.Socket)
		class error
	}{
		{"Close", func(_ *world, s *sioclient.Socket) { _ = s.Manager().Close() }, sioclient.ErrClosed},
		{"attempts are used up", func(w *world, _ *sioclient.Socket) { w.stop() }, sioclient.ErrReconnect},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				m := w.manager(&sioclient.Options{ReconnectionAttempts: 1})
				s := w.socket(m, "/", &sioclient.SocketOptions{Retries: 5})
				srv := w.open(s)
				tried := call(context.Background(), s, "tried")
				srv.want(`420["tried"]`)
				waiting := call(context.Background(), s, "waiting")
				synctest.Wait()
				tc.end(w, s)
				a := <-tried
				if !errors.Is(a.err, tc.class) || !errors.Is(a.err, sioclient.ErrDisconnected) || errors.Is(a.err, errkit.NotSent) {
					t.Errorf("Call = %v, want %v, perhaps sent", a.err, tc.class)
				}
				if errkit.KindOf(a.err).Has(errkit.NotSent) || errkit.KindOf(errors.Unwrap(a.err)).Has(errkit.NotSent) {
					t.Errorf("kinds %v, %v", errkit.KindOf(a.err), errkit.KindOf(errors.Unwrap(a.err)))
				}
				if a = <-waiting; !errors.Is(a.err, tc.class) || !errors.Is(a.err, errkit.NotSent) {
					t.Errorf("Call = %v, want %v, not sent", a.err, tc.class)
				}
			})
		})
	}
}

func TestCallDuringARefusedPollMayHaveArrived(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		listener, err := w.network.Listen("once.test:80")
		if err != nil {
			t.Fatal(err)
		}
		once := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Connection", "close") // each request has to dial
			w.peer.ServeHTTP(rw, r)
		})}
		served := make(chan error, 1)
		go func() { served <- once.Serve(listener) }()
		defer func() { _ = once.Close(); <-served }()
		var refuse atomic.Bool
		opts := &sioclient.Options{Prepare: func(_ context.Context, a *sioclient.Attempt) error {
			a.Engine.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if refuse.Load() {
					return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
				}
				return w.network.DialContext(ctx, network, addr)
			}
			a.URL = "http://once.test"
			return nil
		}}
		opts.Engine.Transports = []string{engineio.Polling}
		s, srv := w.connected(opts)
		result := call(context.Background(), s, "q")
		srv.want(`420["q"]`)
		refuse.Store(true)
		srv.send(`42["e"]`) // the answer to a poll, after which comes another
		a := <-result
		if !errors.Is(a.err, sioclient.ErrDisconnected) || !errors.Is(a.err, syscall.ECONNREFUSED) || errors.Is(a.err, errkit.NotSent) {
			t.Errorf("Call = %v, want a loss of the connection, perhaps sent", a.err)
		}
	})
}
