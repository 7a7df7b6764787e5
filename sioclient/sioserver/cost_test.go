package sioserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// rawClient is a client that costs next to nothing: frames are prepared, and answers only counted.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

func newRawClient(b testing.TB, addr string) *rawClient {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	c := &rawClient{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	_, _ = fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	c.frame(b)
	c.write(b, frame("40"))
	c.frame(b)
	return c
}

// frame makes a masked frame of up to 125 bytes, with the mask 0.
func frame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

func (c *rawClient) write(b testing.TB, frames []byte) {
	b.Helper()
	if _, err := c.conn.Write(frames); err != nil {
		b.Fatal(err)
	}
}

// frame skips one frame of the server.
func (c *rawClient) frame(b testing.TB) {
	b.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.r, head); err != nil {
		b.Fatal(err)
	}
	n := int(head[1])
	if n == 126 {
		if _, err := io.ReadFull(c.r, head); err != nil {
			b.Fatal(err)
		}
		n = int(head[0])<<8 | int(head[1])
	}
	if _, err := c.r.Discard(n); err != nil {
		b.Fatal(err)
	}
}

func benchServer(b testing.TB, opts *sioserver.Options) string {
	b.Helper()
	srv, err := sioserver.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	srv.OnConnect(func(s *sioserver.Socket) {
		s.On("echo", func(e *sioserver.Event) error {
			var text string
			if err := e.Decode(&text); err != nil {
				return err
			}
			if e.WantsAck() {
				return e.Ack(text)
			}
			return s.Emit("echo", text)
		})
		s.On("all", func(e *sioserver.Event) error {
			var text string
			if err := e.Decode(&text); err != nil {
				return err
			}
			return srv.Emit("all", text)
		})
	})
	h := httptest.NewServer(srv)
	b.Cleanup(func() {
		_ = srv.Close()
		h.Close()
	})
	return h.Listener.Addr().String()
}

const benchText = `"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"`

func BenchmarkEcho(b *testing.B) {
	for name, opts := range map[string]*sioserver.Options{"queue": nil, "inline": {InlineHandlers: true}} {
		b.Run(name, func(b *testing.B) {
			c := newRawClient(b, benchServer(b, opts))
			defer func() { _ = c.conn.Close() }()
			f := frame(`42["echo",` + benchText + `]`)
			b.ReportAllocs()
			for b.Loop() {
				c.write(b, f)
				c.frame(b)
			}
		})
	}
}

// TestIdleGoroutines: a connection that nothing happens on has one goroutine. It does not run beside other tests.
func TestIdleGoroutines(t *testing.T) { //nolint:paralleltest // it counts goroutines
	const clients = 50
	addr := benchServer(t, nil)
	before := runtime.NumGoroutine()
	for range clients {
		c := newRawClient(t, addr)
		defer func() { _ = c.conn.Close() }()
	}
	deadline := time.Now().Add(time.Minute)
	for runtime.NumGoroutine() > before+clients {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines for %d connections", runtime.NumGoroutine()-before, clients)
		}
		runtime.Gosched()
	}
}

// TestEmitAllocations: what is sent to many is encoded once, and each of them costs no more than its writer.
func TestEmitAllocations(t *testing.T) { //nolint:paralleltest // it counts allocations
	const clients = 20
	srv, err := sioserver.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(srv)
	defer h.Close()
	defer func() { _ = srv.Close() }()
	for range clients {
		c := newRawClient(t, h.Listener.Addr().String())
		defer func() { _ = c.conn.Close() }()
		go func() { _, _ = io.Copy(io.Discard, c.conn) }()
	}
	for srv.Len() < clients {
		runtime.Gosched()
	}
	text := strings.Repeat("x", 100)
	got := testing.AllocsPerRun(200, func() { _ = srv.Emit("m", text) })
	if limit := float64(10 + 3*clients); got > limit {
		t.Errorf("%v allocations for %d recipients, want at most %v", got, clients, limit)
	}
}

func BenchmarkBroadcast(b *testing.B) {
	const clients = 200
	addr := benchServer(b, nil)
	all := make([]*rawClient, clients)
	for i := range all {
		all[i] = newRawClient(b, addr)
		defer func() { _ = all[i].conn.Close() }()
	}
	f := frame(`42["all",` + benchText + `]`)
	b.ReportAllocs()
	for b.Loop() {
		all[0].write(b, f)
		for _, c := range all {
			c.frame(b)
		}
	}
}
