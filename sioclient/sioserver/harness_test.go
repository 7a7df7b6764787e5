package sioserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// bench is a server on a network in memory, with raw clients.
type bench struct {
	*sioserver.Server
	t      *testing.T
	net    *netem.Network
	client *http.Client
}

const address = "sio.test:80"

// newBench starts a server, which ends with the test.
func newBench(t *testing.T, opts *sioserver.Options) *bench {
	t.Helper()
	srv, err := sioserver.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Server: srv, t: t, net: netem.New(nil)}
	listener, err := b.net.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: b.net.DialContext}
	b.client = &http.Client{Transport: transport}
	h := &http.Server{Handler: srv}
	go func() { _ = h.Serve(listener) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
		_ = h.Close()
	})
	return b
}

// inBubbles runs each test in a bubble of its own.
func inBubbles(t *testing.T, tests map[string]func(t *testing.T)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}
}

// peer is a raw client over WebSocket. It answers heartbeats by itself.
type peer struct {
	t    *testing.T
	conn *wsconn.Conn
	got  chan string
}

// dial opens a connection and reads the open packet.
func (b *bench) dial(query ...string) *peer {
	b.t.Helper()
	p := b.dialRaw(append([]string{"EIO=4"}, query...)...)
	if open := p.next(); !strings.HasPrefix(open, `0{"sid":`) {
		b.t.Fatalf("no open packet but %q", open)
	}
	return p
}

func (b *bench) dialRaw(query ...string) *peer {
	b.t.Helper()
	url := "ws://" + address + "/socket.io/?transport=websocket&" + strings.Join(query, "&")
	conn, err := wsconn.Dial(context.Background(), url, &wsconn.DialOptions{DialContext: b.net.DialContext})
	if err != nil {
		b.t.Fatal(err)
	}
	p := &peer{t: b.t, conn: conn, got: make(chan string, 1<<16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.read()
	}()
	b.t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	return p
}

func (p *peer) read() {
	defer close(p.got)
	for {
		kind, data, err := p.conn.Read(nil)
		switch {
		case err != nil:
			return
		case kind == wsconn.Binary:
			p.got <- fmt.Sprintf("binary %x", data)
		case string(data) == "2":
			_ = p.conn.Write(wsconn.Text, []byte("3"))
		default:
			p.got <- string(data)
		}
	}
}

// send sends messages; "binary …" means the bytes of that text.
func (p *peer) send(msgs ...string) {
	p.t.Helper()
	if err := p.write(msgs); err != nil {
		p.t.Fatal(err)
	}
}

// offend is send for messages of which each may be the one that the server ends the connection for.
func (p *peer) offend(msgs ...string) { _ = p.write(msgs) }

func (p *peer) write(msgs []string) error {
	for _, m := range msgs {
		kind := wsconn.Text
		if rest, ok := strings.CutPrefix(m, "binary "); ok {
			kind, m = wsconn.Binary, rest
		}
		if err := p.conn.Write(kind, []byte(m)); err != nil {
			return err
		}
	}
	return nil
}

// next returns the next message, "closed" after the last.
func (p *peer) next() string {
	p.t.Helper()
	select {
	case m, ok := <-p.got:
		if !ok {
			return "closed"
		}
		return m
	case <-time.After(10 * time.Minute): // on the clock of a bubble
		p.t.Fatal("nothing comes")
		return ""
	}
}

// want checks the messages that come next.
func (p *peer) want(msgs ...string) {
	p.t.Helper()
	for _, want := range msgs {
		if got := p.next(); got != want {
			p.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// quiet checks that nothing has come and nothing will, in a bubble.
func (p *peer) quiet() {
	p.t.Helper()
	synctest.Wait()
	select {
	case m, ok := <-p.got:
		if !ok {
			m = "closed"
		}
		p.t.Fatalf("got %q, want nothing", m)
	default:
	}
}

// join joins a namespace and returns the id of the socket.
func (p *peer) join(nsp string) string {
	p.t.Helper()
	return p.connect(nsp, "")
}

// connect asks for a namespace and returns the id of the socket.
func (p *peer) connect(nsp, auth string) string {
	p.t.Helper()
	sid, _ := p.connectPID(nsp, auth)
	return sid
}

func (p *peer) connectPID(nsp, auth string) (sid, pid string) {
	p.t.Helper()
	if nsp != "/" {
		nsp += ","
	} else {
		nsp = ""
	}
	p.send("40" + nsp + auth)
	return p.confirmed(nsp)
}

// confirmed reads the confirmation of a namespace, given with its comma.
func (p *peer) confirmed(nsp string) (sid, pid string) {
	p.t.Helper()
	m := p.next()
	rest, ok := strings.CutPrefix(m, "40"+nsp+`{"sid":"`)
	if !ok {
		p.t.Fatalf("not confirmed but %q", m)
	}
	sid, rest, _ = strings.Cut(rest, `"`)
	if rest, ok = strings.CutPrefix(rest, `,"pid":"`); ok {
		pid, _, _ = strings.Cut(rest, `"`)
	}
	return sid, pid
}

// poller is a raw client over HTTP.
type poller struct {
	b   *bench
	sid string
}

// poll opens a session and returns it with the packets of the first answer.
func (b *bench) poll(query string) (*poller, string) {
	b.t.Helper()
	p := &poller{b: b}
	body := p.request(http.MethodGet, query, "")
	_, rest, _ := strings.Cut(body, `"sid":"`)
	p.sid, _, _ = strings.Cut(rest, `"`)
	return p, body
}

func (p *poller) request(method, query, body string) string {
	p.b.t.Helper()
	url := "http://" + address + "/socket.io/?transport=polling&" + query
	if p.sid != "" {
		url += "&sid=" + p.sid
	}
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		p.b.t.Fatal(err)
	}
	resp, err := p.b.client.Do(r)
	if err != nil {
		return "error " + err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.b.t.Fatal(err)
	}
	return string(data)
}

func (p *poller) get() string { return p.request(http.MethodGet, "EIO=4", "") }

func (p *poller) post(packets ...string) string {
	return p.request(http.MethodPost, "EIO=4", strings.Join(packets, "\x1e"))
}

// check compares.
func check(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}
