package sioclient_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

const peerURL = "http://peer.test"

// world is a network with a server whose every packet the test decides.
type world struct {
	t       *testing.T
	network *netem.Network
	peer    *siotest.Peer
	opened  []*sioclient.Manager
}

// inBubble runs a test on a fake clock.
func inBubble(t *testing.T, opts *siotest.PeerOptions, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, network: netem.New(nil)}
		w.listen(opts)
		defer func() {
			for _, m := range w.opened {
				_ = m.Close()
			}
			if w.peer != nil {
				_ = w.peer.Close()
			}
		}()
		test(t, w)
	})
}

// listen starts the server.
func (w *world) listen(opts *siotest.PeerOptions) {
	w.t.Helper()
	listener, err := w.network.Listen("peer.test:80")
	if err != nil {
		w.t.Fatal(err)
	}
	w.peer = siotest.NewPeer(listener, opts)
}

// stop ends the server; further dials are refused.
func (w *world) stop() {
	_ = w.peer.Close()
	w.peer = nil
}

// options completes options for this network. Delays have no jitter, so that a test can tell them.
func (w *world) options(opts *sioclient.Options) *sioclient.Options {
	var o sioclient.Options
	if opts != nil {
		o = *opts
	}
	o.Engine.DialContext = w.network.DialContext
	o.Engine.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	if o.Engine.Transports == nil {
		o.Engine.Transports = []string{engineio.WebSocket}
	}
	if o.RandomizationFactor == 0 {
		o.RandomizationFactor = -1
	}
	return &o
}

func (w *world) manager(opts *sioclient.Options) *sioclient.Manager {
	w.t.Helper()
	m, err := sioclient.NewManager(peerURL, w.options(opts))
	if err != nil {
		w.t.Fatal(err)
	}
	w.opened = append(w.opened, m)
	return m
}

func (w *world) socket(m *sioclient.Manager, namespace string, opts *sioclient.SocketOptions) *sioclient.Socket {
	w.t.Helper()
	s, err := m.Socket(namespace, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// connected returns a socket of the main namespace that is connected, and the server's end of its connection.
func (w *world) connected(opts *sioclient.Options) (*sioclient.Socket, *session) {
	w.t.Helper()
	s := w.socket(w.manager(opts), "/", nil)
	return s, w.open(s)
}

// open connects a socket of the main namespace.
func (w *world) open(s *sioclient.Socket) *session {
	w.t.Helper()
	result := w.connect(s)
	srv := w.accept()
	srv.want("40")
	srv.send(`40{"sid":"sid-1"}`)
	if err := <-result; err != nil {
		w.t.Fatal(err)
	}
	return srv
}

// connect starts to connect a socket.
func (w *world) connect(s *sioclient.Socket) <-chan error {
	result := make(chan error, 1)
	go func() { result <- s.Connect(context.Background()) }()
	return result
}

// accept returns the next session.
func (w *world) accept() *session {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	s, err := w.peer.Accept(ctx)
	if err != nil {
		w.t.Fatalf("no session: %v", err)
	}
	return &session{Session: s, t: w.t}
}

// session is the server's end of a connection.
type session struct {
	*siotest.Session
	t *testing.T
}

func (s *session) send(packets ...string) {
	s.t.Helper()
	if err := s.Send(packets...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) want(packets ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := s.Expect(ctx, packets...); err != nil {
		s.t.Fatal(err)
	}
}

// receive returns the next packet.
func (s *session) receive() string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	p, err := s.Receive(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// quiet checks that nothing more came once everything has settled.
func (s *session) quiet() {
	s.t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if p, err := s.Receive(ctx); err == nil {
		s.t.Fatalf("a packet too many: %q", p)
	}
}

// log notes what happened, from any goroutine.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// want compares the log once everything has settled, and empties it.
func (l *log) want(t *testing.T, lines ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := cmp.Diff(lines, slices.Clone(l.lines)); d != "" {
		t.Errorf("what happened (-want +got):\n%s", d)
	}
	l.lines = nil
}

// watch notes connects, disconnects and errors of a socket.
func (l *log) watch(s *sioclient.Socket) {
	s.OnConnect(func() { l.add("connect") })
	s.OnDisconnect(func(reason sioclient.Reason, err error) { l.add("disconnect: " + string(reason)) })
	s.OnConnectError(func(err error) { l.add("connect_error") })
	s.OnError(func(err error) { l.add("error: " + err.Error()) })
}
