//go:build !js

package wsconn

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/gate"
)

// Conn is one WebSocket connection, dialled or accepted. It does not reconnect and has no queues.
//
// All methods may be called from any goroutine; reads are served one at a time, and so are writes. Someone must read
// as long as the connection lives: control frames, pongs and the peer's close among them, are handled inside
// [Conn.Read] only.
//
// The first failure ends the connection, and from then on every call returns that same error. After it, too, Close or
// CloseNow should be called: they wait until nothing of the connection is left.
type Conn struct {
	ws     *websocket.Conn
	shim   *shim
	wire   *wire
	opts   Options
	target string // URL without secrets, or the address of the accepted peer

	subprotocol string
	compressed  bool
	response    *http.Response

	readMu  gate.Gate  // held by the one reader
	writeMu gate.Gate  // held by the one writer; guards what follows
	lone    [1]Message // the batch of a single message
	ends    []int64    // where the messages of a batch end in the stream
	frames  []byte     // control frames being built

	control control

	ended   atomic.Pointer[failure] // the first cause
	dead    chan struct{}           // closed when there is one
	closing atomic.Bool             // whether Close or CloseNow has begun
	closed  chan struct{}           // closed when it has ended
}

// newConn makes a Conn whose ws is still missing: the library asks for its hooks before it makes a connection.
func newConn(opts Options) *Conn {
	return &Conn{
		opts: opts, readMu: gate.New(), writeMu: gate.New(),
		dead: make(chan struct{}), closed: make(chan struct{}),
	}
}

// start puts the connection to work once both handshakes are done.
func (c *Conn) start(ws *websocket.Conn, s *shim, target string) {
	c.ws, c.shim, c.wire, c.target = ws, s, s.wire, target
	c.subprotocol = ws.Subprotocol()
	s.start()
	ws.SetReadLimit(max(c.opts.ReadLimit, -1))
	c.opts.Logger.LogAttrs(context.Background(), slog.LevelDebug, "websocket connected",
		slog.String("module", "wsclient"), slog.String("target", target))
}

// Subprotocol returns the negotiated subprotocol, "" if there is none.
func (c *Conn) Subprotocol() string { return c.subprotocol }

// Compressed reports whether compression was negotiated.
func (c *Conn) Compressed() bool { return c.compressed }

// Response returns the peer's answer to the upgrade: status, headers, TLS state. Its body is nil. An accepted
// connection has none.
func (c *Conn) Response() *http.Response { return c.response }

// LocalAddr returns the network address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.wire.LocalAddr() }

// RemoteAddr returns the network address of the peer, or that of a proxy in between.
func (c *Conn) RemoteAddr() net.Addr { return c.wire.RemoteAddr() }

// Done returns a channel that is closed when the connection has ended; [Conn.Err] then says why.
func (c *Conn) Done() <-chan struct{} { return c.dead }

// Err returns the error that ended the connection, nil while it lives.
func (c *Conn) Err() error {
	if f := c.ended.Load(); f != nil {
		return f.err
	}
	return nil
}

// LastRead returns when the last byte of any kind arrived: data, pongs, parts of frames. Before the first it is the
// beginning of the connection.
func (c *Conn) LastRead() time.Time {
	return c.wire.began.Add(time.Duration(c.wire.lastRead.Load()))
}

// SetReadDeadline lets reads fail with a *TimeoutError once t has passed. As every failed read does, that ends the
// connection: it is a watchdog, not a way to poll. The zero time takes it away. It costs a call into the runtime, so a
// busy reader sets it once in a while and not for each message.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if err := c.Err(); err != nil {
		return err
	}
	if err := c.wire.SetReadDeadline(t); err != nil {
		return c.readFailed(err)
	}
	if c.closing.Load() {
		c.boundClose()
	}
	return nil
}

// Stats are the counters of a connection. Bytes are those on the network: with framing, and on dialled connections
// with TLS and both handshakes.
type Stats struct {
	BytesIn, BytesOut int64
	Writes            int64 // writes to the network
}

// Stats returns the counters as they are now.
func (c *Conn) Stats() Stats {
	return Stats{
		BytesIn:  c.wire.in.Load(),
		BytesOut: c.wire.out.Load(),
		Writes:   c.wire.writes.Load(),
	}
}

// end makes err the cause unless there is one already, and returns the cause. The connection itself stays open.
func (c *Conn) end(err error) error {
	if c.ended.CompareAndSwap(nil, &failure{err}) {
		close(c.dead)
		c.opts.Logger.LogAttrs(context.Background(), slog.LevelDebug, "websocket ended",
			slog.String("module", "wsclient"), slog.String("target", c.target), errkit.Attr(err))
	}
	return c.Err()
}

// release lets the library give back its buffers; it closes the connection if that is still open. It must not run
// inside a callback of the library.
func (c *Conn) release() {
	// All that it could report is that the connection is closed.
	_ = c.ws.CloseNow()
}
