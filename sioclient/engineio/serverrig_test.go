package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// rig is a server on a network in memory, and raw peers of it.
type rig struct {
	t       *testing.T
	server  *engineio.Server
	network *netem.Network
	client  *http.Client
	refused chan *engineio.RefusedRequest

	compression wsconn.Compression // that WebSocket clients offer

	mu       sync.Mutex
	sessions []*owner
}

// owner is the handler of a session. It keeps what it is told, and echoes messages unless quiet.
type owner struct {
	session  *engineio.Session
	echo     bool
	message  func(r *owner, binary bool, data []byte)
	upgraded func(r *owner)

	mu     sync.Mutex
	got    []string
	closed chan closing
}

type closing struct {
	Reason engineio.Reason
	Err    string
}

func (r *owner) HandleMessage(binary bool, data []byte) {
	r.note(text(binary, data))
	if r.message != nil {
		r.message(r, binary, data)
	}
	if !r.echo {
		return
	}
	m := engineio.Text(data)
	if binary {
		m = engineio.Binary(data)
	}
	if err := r.session.Send(m); err != nil {
		r.note("send: " + err.Error())
	}
}

func (r *owner) HandleUpgrade() {
	r.note("upgrade")
	if r.upgraded != nil {
		r.upgraded(r)
	}
}

func (r *owner) HandleClose(reason engineio.Reason, err error) {
	c := closing{Reason: reason}
	if err != nil {
		c.Err = err.Error()
	}
	r.closed <- c
}

func (r *owner) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, s)
}

func (r *owner) notes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func text(binary bool, data []byte) string {
	if binary {
		return fmt.Sprintf("binary %x", data)
	}
	return string(data)
}

// newRig starts a server that echoes, with the options of the tests for the original: a heartbeat of 300 + 200 ms.
func newRig(t *testing.T, opts engineio.ServerOptions) *rig {
	t.Helper()
	b := &rig{t: t, network: netem.New(nil), refused: make(chan *engineio.RefusedRequest, 1000)}
	if opts.PingInterval == 0 {
		opts.PingInterval, opts.PingTimeout = 300*time.Millisecond, 200*time.Millisecond
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = 1_000_000
	}
	onSession := opts.OnSession
	if onSession == nil {
		onSession = b.record
	}
	opts.OnSession = onSession
	opts.OnConnectionError = func(e *engineio.RefusedRequest) { b.refused <- e }
	var err error
	if b.server, err = engineio.NewServer(&opts); err != nil {
		t.Fatal(err)
	}
	b.serve(b.server)
	return b
}

func (b *rig) serve(h http.Handler) {
	b.t.Helper()
	listener, err := b.network.Listen("eio.test:80")
	if err != nil {
		b.t.Fatal(err)
	}
	web := &http.Server{
		Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 24 * time.Hour,
		ErrorLog: log.New(io.Discard, "", 0), // panics on purpose
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	transport := &http.Transport{DialContext: b.network.DialContext, DisableCompression: true}
	b.client = &http.Client{Transport: transport}
	b.t.Cleanup(func() {
		if err := b.server.Close(); err != nil {
			b.t.Error(err)
		}
		if n := b.server.Sessions(); n != 0 {
			b.t.Errorf("%d sessions after Close", n)
		}
		transport.CloseIdleConnections()
		if err := web.Close(); err != nil {
			b.t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			b.t.Error(err)
		}
		time.Sleep(time.Second) // net/http lets a client read an answer that came before it had sent all
	})
}

func (b *rig) record(s *engineio.Session) engineio.Handler {
	r := &owner{session: s, echo: true, closed: make(chan closing, 2)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions = append(b.sessions, r)
	return r
}

// session returns the newest session.
func (b *rig) session() *owner {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sessions) == 0 {
		b.t.Fatal("no session")
	}
	return b.sessions[len(b.sessions)-1]
}

// response is an answer with its body read.
type response struct {
	Status int
	Body   string
	header http.Header
}

// brief returns status and body.
func brief(r response) string { return strings.TrimSpace(fmt.Sprint(r.Status, " ", r.Body)) }

// do sends one request. The query is that of the protocol's example, EIO=4&transport=polling, unless it names others.
func (b *rig) do(method, query, body string, header ...string) response {
	b.t.Helper()
	res, err := b.try(b.t.Context(), method, query, strings.NewReader(body), header...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, query, err)
	}
	return res
}

func (b *rig) try(ctx context.Context, method, query string, body io.Reader, header ...string) (response, error) {
	if !strings.Contains(query, "EIO=") {
		query = "EIO=4&" + query
	}
	if !strings.Contains(query, "transport=") {
		query = "transport=polling&" + query
	}
	if method == http.MethodGet {
		body = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://eio.test/engine.io/?"+query, body)
	if err != nil {
		return response{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	return response{res.StatusCode, string(got), res.Header}, err
}

// open begins a polling session and returns the query of its requests. It returns when nothing of the request is left, so
// that the open packet does not count in the queue any more.
func (b *rig) open(query string) string {
	b.t.Helper()
	res := b.do(http.MethodGet, query, "")
	i := strings.Index(res.Body, `"sid":"`)
	if res.Status != http.StatusOK || i < 0 {
		b.t.Fatalf("handshake: %+v", res)
	}
	synctest.Wait()
	sid, _, _ := strings.Cut(res.Body[i+len(`"sid":"`):], `"`)
	if query != "" {
		query += "&"
	}
	return query + "sid=" + sid
}

// later does something beside the test, which gets the result from the channel.
func later[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

// get polls beside the test. It returns when the poll waits, or has been answered.
func (b *rig) get(sid string) <-chan response {
	c := later(func() response {
		res, err := b.try(b.t.Context(), http.MethodGet, sid, nil)
		if err != nil {
			return response{Body: err.Error()}
		}
		return res
	})
	synctest.Wait()
	return c
}

// dial opens a WebSocket.
func (b *rig) dial(query string) *wsconn.Conn {
	b.t.Helper()
	c, err := b.tryDial(query, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *rig) tryDial(query, origin string) (*wsconn.Conn, error) {
	if !strings.Contains(query, "EIO=") {
		query = "EIO=4&" + query
	}
	opts := &wsconn.DialOptions{DialContext: b.network.DialContext, Header: http.Header{}}
	opts.SkipUTF8 = true // tests send what is none
	opts.Compression = b.compression
	if origin != "" {
		opts.Header.Set("Origin", origin)
	}
	c, err := wsconn.Dial(b.t.Context(), "ws://eio.test/engine.io/?transport=websocket&"+query, opts)
	if err == nil {
		b.t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, err
}

// read returns the next message of a WebSocket, or how it ended.
func read(c *wsconn.Conn) string {
	typ, data, err := c.Read(nil)
	if err != nil {
		var closed *wsconn.ClosedError
		if errors.As(err, &closed) {
			return fmt.Sprintf("closed %d", closed.Code)
		}
		return err.Error()
	}
	return text(typ == wsconn.Binary, data)
}

func write(t *testing.T, c *wsconn.Conn, s string) {
	t.Helper()
	if err := c.Write(wsconn.Text, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

func check[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// inBubbles runs each row under a fake clock.
func inBubbles(t *testing.T, rows map[string]func(t *testing.T)) {
	t.Helper()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, row)
		})
	}
}
