package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// openData is what the reference server says first.
const openData = `0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

// openWS is the same over WebSocket.
var openWS = strings.Replace(openData, `["websocket"]`, `[]`, 1)

const testSID = "lv_VI97HAXpY6yYWAAAC"

// scriptedRows runs each row on a fake clock, against a server whose answers it gives by hand.
func scriptedRows(t *testing.T, rows map[string]func(t *testing.T, p *scripted)) {
	t.Helper()
	t.Parallel()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newScripted(t)
				defer p.close()
				row(t, p)
			})
		})
	}
}

// scripted is a server whose every answer the test gives by hand.
type scripted struct {
	t        *testing.T
	network  *netem.Network
	server   *http.Server
	requests chan *request
	waiting  []*request // those that have come and were not asked for
	stop     context.CancelFunc
	stopped  context.Context
	served   sync.WaitGroup
	sockets  []*wsconn.Conn
	witness  *witness
}

// request is one that waits for its answer.
type request struct {
	t      *testing.T
	r      *http.Request
	body   string
	action chan func(w http.ResponseWriter)
	over   chan struct{}
	peer   *scripted
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	p := &scripted{t: t, network: netem.New(nil), requests: make(chan *request), witness: newWitness()}
	p.stopped, p.stop = context.WithCancel(t.Context())
	p.server = &http.Server{Handler: p, ErrorLog: quietLog()}
	for _, addr := range []string{"peer.test:80", "peer.test:8080"} {
		listener, err := p.network.Listen(addr)
		if err != nil {
			t.Fatal(err)
		}
		p.served.Go(func() { _ = p.server.Serve(listener) }) // until it is closed
	}
	return p
}

func (p *scripted) close() {
	p.stop()
	_ = p.server.Close() // connections that a test has cut are no news
	p.network.ResetAll()
	p.served.Wait()
	for _, ws := range p.sockets {
		_ = ws.CloseNow()
	}
}

func (p *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	req := &request{
		t: p.t, r: r, body: string(body), peer: p, action: make(chan func(http.ResponseWriter)), over: make(chan struct{}),
	}
	defer close(req.over)
	select {
	case p.requests <- req:
	case <-p.stopped.Done():
		return
	case <-r.Context().Done():
		return
	}
	select {
	case act := <-req.action:
		act(w)
	case <-r.Context().Done():
	case <-p.stopped.Done():
	}
}

// next returns the next request that is neither answered nor returned yet, which must be what is said: the method and the
// transport.
func (p *scripted) next(want string) *request {
	p.t.Helper()
	req := p.find(func(*request) bool { return true })
	check(p.t, want, req.String())
	return req
}

// nextPost returns the next request that sends; others wait for their turn.
func (p *scripted) nextPost() *request {
	return p.find(func(r *request) bool { return r.String() == "POST polling" })
}

// nextPoll returns the next poll; others wait for their turn.
func (p *scripted) nextPoll() *request {
	return p.find(func(r *request) bool { return r.String() == "GET polling" })
}

// nextWebSocket returns the next upgrade request; others wait for their turn.
func (p *scripted) nextWebSocket() *request {
	return p.find(func(r *request) bool { return r.String() == "GET websocket" })
}

func (p *scripted) find(wanted func(*request) bool) *request {
	for i, req := range p.waiting {
		if wanted(req) {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			return req
		}
	}
	for {
		req := <-p.requests
		synctest.Wait()
		if req.r.Context().Err() != nil {
			continue // of a connection that has ended
		}
		if wanted(req) {
			return req
		}
		p.waiting = append(p.waiting, req)
	}
}

// String returns the method and the transport.
func (r *request) String() string { return r.r.Method + " " + r.r.URL.Query().Get("transport") }

// quiet checks that nobody asks for anything once everything has settled.
func (p *scripted) quiet() {
	p.t.Helper()
	synctest.Wait()
	for _, req := range p.waiting {
		p.t.Fatalf("a request too many: %s %s %q", req.r.Method, req.r.URL, req.body)
	}
	select {
	case req := <-p.requests:
		p.t.Fatalf("a request too many: %s %s %q", req.r.Method, req.r.URL, req.body)
	default:
	}
}

// do runs what answers a request, and waits until it is answered.
func (r *request) do(act func(w http.ResponseWriter)) {
	r.action <- act
	<-r.over
}

// answer answers with a status and a body of text.
func (r *request) answer(status int, body string) {
	r.do(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that is gone is no news
	})
}

// accept agrees to an upgrade.
func (r *request) accept(header http.Header) *socket {
	return r.acceptWith(header, wsconn.Options{ReadLimit: -1})
}

func (r *request) acceptWith(header http.Header, opts wsconn.Options) *socket {
	r.t.Helper()
	var ws *wsconn.Conn
	var err error
	r.do(func(w http.ResponseWriter) {
		for name, values := range header {
			w.Header()[name] = values
		}
		ws, err = wsconn.Accept(w, r.r, &wsconn.AcceptOptions{Options: opts})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.peer.sockets = append(r.peer.sockets, ws)
	return &socket{t: r.t, ws: ws}
}

// socket is the server's end of a WebSocket connection.
type socket struct {
	t  *testing.T
	ws *wsconn.Conn
}

// send sends text messages.
func (s *socket) send(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if err := s.ws.Write(wsconn.Text, []byte(text)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// want reads messages, which must be these. Binary ones are told apart by a prefix.
func (s *socket) want(texts ...string) {
	s.t.Helper()
	for _, want := range texts {
		got, err := s.read()
		if err != nil {
			s.t.Fatal(err)
		}
		check(s.t, want, got)
	}
}

func (s *socket) read() (string, error) {
	typ, data, err := s.ws.Read(nil)
	if typ == wsconn.Binary && err == nil {
		return "binary " + string(data), nil
	}
	return string(data), err
}

// wantClose reads the close frame of the client, and returns its code.
func (s *socket) wantClose() int {
	s.t.Helper()
	got, err := s.read()
	closed, ok := errors.AsType[*wsconn.ClosedError](err)
	if !ok {
		s.t.Fatalf("got %q, %v, want a close frame", got, err)
	}
	return closed.Code
}

// options returns those that lead to the network of the peer.
func (p *scripted) options(o *engineio.DialOptions) *engineio.DialOptions {
	var c engineio.DialOptions
	if o != nil {
		c = *o
	}
	c.DialContext = p.network.DialContext
	return &c
}

// dialing is a Dial under way.
type dialing struct {
	t    *testing.T
	conn *engineio.Conn
	err  error
	done chan struct{}
}

// start dials while the test goes on to answer.
func (p *scripted) start(ctx context.Context, opts *engineio.DialOptions) *dialing {
	d := &dialing{t: p.t, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.conn, d.err = engineio.Dial(ctx, "http://peer.test/", p.options(opts), p.witness)
	}()
	return d
}

// ok waits for a connection.
func (d *dialing) ok() *engineio.Conn {
	d.t.Helper()
	<-d.done
	if d.err != nil {
		d.t.Fatal(d.err)
	}
	return d.conn
}

// fails waits for an error.
func (d *dialing) fails() error {
	d.t.Helper()
	<-d.done
	if d.err == nil {
		d.conn.Close(true)
		d.conn.Wait()
		d.t.Fatal("no error")
	}
	return d.err
}

var webSocketOnly = []string{engineio.WebSocket}

// dialWebSocket dials over WebSocket alone and returns both ends.
func (p *scripted) dialWebSocket(opts *engineio.DialOptions, open string) (*engineio.Conn, *socket) {
	p.t.Helper()
	var o engineio.DialOptions
	if opts != nil {
		o = *opts
	}
	o.Transports = webSocketOnly
	d := p.start(p.t.Context(), &o)
	s := p.next("GET websocket").accept(nil)
	s.send(open)
	return d.ok(), s
}

// dialWebSocketRaw is dialWebSocket with a server that sends what it likes.
func (p *scripted) dialWebSocketRaw(open string) (*engineio.Conn, *socket) {
	p.t.Helper()
	d := p.start(p.t.Context(), &engineio.DialOptions{Transports: webSocketOnly})
	s := p.next("GET websocket").acceptWith(nil, wsconn.Options{SkipUTF8: true})
	s.send(open)
	return d.ok(), s
}

// dialPolling dials over polling and returns the connection with the first poll that waits.
func (p *scripted) dialPolling(opts *engineio.DialOptions, open string) (*engineio.Conn, *request) {
	p.t.Helper()
	var o engineio.DialOptions
	if opts != nil {
		o = *opts
	}
	o.DisableUpgrade = true
	d := p.start(p.t.Context(), &o)
	p.next("GET polling").answer(http.StatusOK, open)
	conn := d.ok()
	return conn, p.next("GET polling")
}

// finish ends a connection at once and waits for that.
func finish(conn *engineio.Conn) {
	conn.CloseWith(sioclient.ForcedClose, nil)
	conn.Wait()
}

// witness is a handler that remembers.
type witness struct {
	mu       sync.Mutex
	changed  sync.Cond
	messages []string
	upgrades int
	closed   int
	reason   engineio.Reason
	err      error
	onText   func(text string) // called with each message
	onBinary func(data []byte)
}

func newWitness() *witness {
	r := &witness{}
	r.changed.L = &r.mu
	return r
}

func (r *witness) HandleMessage(binary bool, data []byte) {
	text := string(data)
	if binary {
		text = fmt.Sprintf("binary %x", data)
	}
	r.mu.Lock()
	r.messages = append(r.messages, text)
	r.changed.Broadcast()
	call, binaryCall := r.onText, r.onBinary
	r.mu.Unlock()
	if binary && binaryCall != nil {
		binaryCall(data)
	}
	if call != nil {
		call(text)
	}
}

func (r *witness) HandleUpgrade() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.upgrades++
	r.changed.Broadcast()
}

func (r *witness) HandleClose(reason engineio.Reason, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	r.reason, r.err = reason, err
	r.changed.Broadcast()
}

// wait waits until the messages are these.
func (r *witness) wait(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.messages) < len(want) && r.closed == 0 {
		r.changed.Wait()
	}
	check(t, want, r.messages)
}

// waitUpgrade waits until the transport was changed.
func (r *witness) waitUpgrade() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.upgrades == 0 {
		r.changed.Wait()
	}
}

// closes returns how often the end was told.
func (r *witness) closes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// wantEnd waits for the end of the connection, which must have this reason, and returns the error.
func (r *witness) wantEnd(t *testing.T, reason engineio.Reason) error {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.closed == 0 {
		r.changed.Wait()
	}
	check(t, reason, r.reason)
	check(t, 1, r.closed)
	return r.err
}

// checkIs checks the classes and kinds of an error.
func checkIs(t *testing.T, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
}

// quietLog is for the complaints of servers about what tests do to them.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// newLocalServer serves on 127.0.0.1 until the test is over, and returns the URL.
func newLocalServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = quietLog()
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
