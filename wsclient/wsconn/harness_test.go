package wsconn_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// noProxy keeps the environment of the test out of it.
func noProxy(*http.Request) (*url.URL, error) { return nil, nil }

// play starts a scripted peer on the loopback device.
func play(tb testing.TB, scripts ...wstest.Script) *wstest.Peer {
	tb.Helper()
	peer, err := wstest.Play(nil, scripts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { peer.Close() })
	return peer
}

// nobody returns an address at which nobody listens, and nobody else will until the test has ended: that of the near end
// of a connection.
func nobody(t *testing.T) string {
	t.Helper()
	conn, err := net.Dial("tcp", play(t, discard).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

// dialScript connects to a peer that plays the script.
func dialScript(tb testing.TB, opts *wsconn.DialOptions, script wstest.Script) *wsconn.Conn {
	tb.Helper()
	peer := play(tb, script)
	return dial(tb, peer.URL(), opts)
}

func dial(tb testing.TB, url string, opts *wsconn.DialOptions) *wsconn.Conn {
	tb.Helper()
	c, err := wsconn.Dial(tb.Context(), url, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.CloseNow() })
	return c
}

// upgraded runs the script after the upgrade.
func upgraded(script wstest.Script) wstest.Script {
	return func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		return script(s)
	}
}

// sends sends frames after the upgrade and then takes what comes.
func sends(frames ...wstest.Frame) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		return errors.Join(s.Send(frames...), s.Discard())
	})
}

func discard(s *wstest.Session) error { return s.Discard() }

// pair is both ends of a connection over a network in memory.
type pair struct {
	client, server *wsconn.Conn
	link           *netem.Link
}

// inBubble runs fn in a bubble, where time passes only when nothing else does.
func inBubble(t *testing.T, fn func(t *testing.T, n *netem.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(t, netem.New(nil)) })
}

// connect makes a pair; it must run in a bubble.
func connect(t *testing.T, n *netem.Network, dialOpts wsconn.DialOptions, acceptOpts wsconn.AcceptOptions) pair {
	t.Helper()
	l, err := n.Listen("server:80")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan *wsconn.Conn, 1)
	srv, err := wstest.Start(&wstest.Options{
		Listener: l,
		Accept:   &acceptOpts,
		Handler: func(c *wsconn.Conn) {
			accepted <- c
			<-c.Done()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	dialOpts.DialContext, dialOpts.Proxy = n.DialContext, noProxy
	c := dial(t, srv.URL(), &dialOpts)
	p := pair{client: c, server: <-accepted, link: n.Links()[0]}
	return p
}

// connectScript connects to a scripted peer on a network in memory; it must run in a bubble.
func connectScript(
	t *testing.T, n *netem.Network, opts wsconn.DialOptions, script wstest.Script,
) (*wsconn.Conn, *netem.Link) {
	t.Helper()
	l, err := n.Listen("peer:80")
	if err != nil {
		t.Fatal(err)
	}
	peer, err := wstest.Play(&wstest.PeerOptions{Listener: l}, script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	opts.DialContext, opts.Proxy = n.DialContext, noProxy
	return dial(t, peer.URL(), &opts), n.Links()[0]
}

// read reads messages until the connection ends; the channel gets the error.
func read(c *wsconn.Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		for {
			if _, _, err := c.Read(nil); err != nil {
				done <- err
				return
			}
		}
	}()
	return done
}

// want fails the test unless err is of type E.
func want[E error](tb testing.TB, err error) E {
	tb.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		tb.Fatalf("error is %T: %v, want %T", err, err, e)
	}
	if !errors.Is(err, wsconn.Err) {
		tb.Errorf("%v does not match wsconn.Err", err)
	}
	return e
}

// canceled returns a context that is cancelled.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
