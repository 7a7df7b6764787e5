//go:build !js

package wsconn

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// AcceptOptions are the settings of [Accept]. The zero value is good for use.
type AcceptOptions struct {
	Options

	// Subprotocols are those that the server speaks, the preferred one first.
	Subprotocols []string

	// OriginPatterns are the hosts, besides the server's own, whose pages may connect from a browser: a pattern of
	// [path.Match] for the host with its port, or for scheme://host if it has a scheme. Requests without an Origin
	// header, those of programs, pass.
	OriginPatterns []string

	// AllowAnyOrigin lets pages of every site connect from a browser, with the cookies of this one.
	AllowAnyOrigin bool

	// LateAnswer keeps the answer to the upgrade request back until something is written, the first message or a close
	// frame, and sends both in one write. Until then the peer waits: it is for protocols in which the server speaks first.
	// The answer does not pass through the ResponseWriter then, and if it cannot be written, the write that goes with it
	// fails.
	LateAnswer bool
}

// Accept answers an upgrade request and takes over its connection. The context of the request does not end it, so the
// handler may go on using it, or return and leave it to others.
//
// After an error the request has been answered, and nothing is left to do. A request that is no proper upgrade, or
// comes from a page of another site, gives a *HandshakeError with the status that it got; a pattern or an option that
// cannot be used gives a *ConfigError and the status 500; a connection that cannot be taken over gives a
// *ConnectionError.
func Accept(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) (*Conn, error) {
	var o AcceptOptions
	if opts != nil {
		o = *opts
	}
	if err := o.check(); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return nil, err
	}
	c := newConn(o.Options)
	u := &upgrade{ResponseWriter: w, opts: &o.Options, late: o.LateAnswer}
	ws, err := websocket.Accept(u.writer(), r, &websocket.AcceptOptions{
		Subprotocols:         o.Subprotocols,
		InsecureSkipVerify:   o.AllowAnyOrigin,
		OriginPatterns:       o.OriginPatterns,
		CompressionMode:      websocket.CompressionMode(o.Compression),
		CompressionThreshold: o.CompressionThreshold,
		OnPingReceived:       c.pingReceived,
		OnPongReceived:       c.pongReceived,
	})
	if err != nil {
		return nil, u.failed(r.RemoteAddr, err)
	}
	c.compressed = w.Header().Get("Sec-WebSocket-Extensions") != ""
	c.start(ws, u.shim, r.RemoteAddr)
	return c, nil
}

func (o *AcceptOptions) check() (err error) {
	for _, p := range o.OriginPatterns {
		if _, err := path.Match(p, ""); err != nil {
			return wserr.Config(callAccept, "OriginPatterns", "not a pattern")
		}
	}
	for _, p := range o.Subprotocols {
		if !isToken(p) {
			return wserr.Config(callAccept, "Subprotocols", "not a token")
		}
	}
	o.Options, err = o.withDefaults(callAccept)
	return err
}

// upgrade is the response as the library sees it. It puts the shim under the library when that takes the connection
// over.
type upgrade struct {
	http.ResponseWriter
	opts   *Options
	late   bool // see AcceptOptions.LateAnswer
	status int
	shim   *shim
}

// writer returns u, or the bare response if its connection cannot be taken over, so that the library says so.
func (u *upgrade) writer() http.ResponseWriter {
	for w := u.ResponseWriter; ; {
		switch t := w.(type) {
		case http.Hijacker:
			return u
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return statusOnly{u}
		}
	}
}

// statusOnly is an upgrade without a connection to take over.
type statusOnly struct{ u *upgrade }

func (s statusOnly) Header() http.Header         { return s.u.Header() }
func (s statusOnly) Write(p []byte) (int, error) { return s.u.Write(p) }
func (s statusOnly) WriteHeader(status int)      { s.u.WriteHeader(status) }

func (u *upgrade) WriteHeader(status int) {
	u.status = status
	if u.late && status == http.StatusSwitchingProtocols {
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

// Hijack takes over the connection of the HTTP server and returns it with the shim on top.
func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	wire := newWire(conn, u.opts.WriteTimeout)
	body := struct {
		io.Reader
		io.Writer
	}{wire, wire}
	// What the server has read ahead came with the request.
	if ahead, _ := rw.Reader.Peek(rw.Reader.Buffered()); len(ahead) > 0 {
		body.Reader = io.MultiReader(bytes.NewReader(bytes.Clone(ahead)), wire)
		wire.in.Add(int64(len(ahead)))
	}
	u.shim = newShim(wire, conn, body, false, u.opts)
	if u.late {
		u.shim.answer = u.answer()
	}
	return upgraded{wire, u.shim}, bufio.NewReadWriter(
		bufio.NewReaderSize(u.shim, acceptedReads), bufio.NewWriterSize(u.shim, acceptedWrites)), nil
}

// answer returns the answer of a successful upgrade, with room for a short message behind it.
func (u *upgrade) answer() []byte {
	b := bytes.NewBuffer(make([]byte, 0, 512))
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = u.Header().Write(b) // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// Sizes of the library's reads and writes on accepted connections, of which a server may have many. Most messages that
// arrive fit in, and longer ones are read in the blocks of the shim; the library writes little but control frames.
const (
	acceptedReads  = 1 << 10
	acceptedWrites = 256
)

// upgraded is the shim as a net.Conn, which is how a connection is handed over.
type upgraded struct {
	net.Conn
	shim *shim
}

func (u upgraded) Read(p []byte) (int, error)  { return u.shim.Read(p) }
func (u upgraded) Write(p []byte) (int, error) { return u.shim.Write(p) }
func (u upgraded) Close() error                { return u.shim.Close() }

// failed makes the typed error of an upgrade that failed.
func (u *upgrade) failed(peer string, err error) error {
	info := errkit.Info{Class: wserr.ErrConnection, Op: callAccept, Target: peer, Err: innermost(err)}
	if u.status == http.StatusSwitchingProtocols {
		info.Kind = errkit.TransportKind(info.Err)
		return &wserr.ConnectionError{Info: info, URL: peer}
	}
	info.Class = wserr.ErrHandshake
	info.Kind = errkit.HTTPKind(u.status)
	return &wserr.HandshakeError{
		ConnectionError: wserr.ConnectionError{Info: info, URL: peer},
		StatusCode:      u.status, Status: strconv.Itoa(u.status) + " " + http.StatusText(u.status),
	}
}
