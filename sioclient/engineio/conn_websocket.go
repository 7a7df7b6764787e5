package engineio

import (
	"context"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// keptRead is up to which size the buffer of a reader is kept for the next message.
const keptRead = 16 << 10

// dialWebSocket opens a WebSocket connection, for a new session if the id is empty. The context bounds that. The error
// is an *EngineError, or an *InvalidError if an option cannot be used.
func (t *target) dialWebSocket(ctx context.Context, op string, revision wire.Revision, sid string) (*wsconn.Conn, error) {
	ws, err := wsconn.Dial(ctx, t.url(WebSocket, revision, sid).String(), t.webSocketOptions(WebSocket))
	switch {
	case err == nil:
		return ws, nil
	case ctx.Err() != nil:
		return nil, t.contextError(ctx, op, WebSocket)
	}
	return nil, t.webSocketError(op, sid, err)
}

// webSocketOptions returns the options of a WebSocket connection with the header of a transport.
func (t *target) webSocketOptions(transport string) *wsconn.DialOptions {
	o := t.opts
	wo := &wsconn.DialOptions{
		Options: wsconn.Options{ReadLimit: o.ReadLimit, WriteTimeout: o.WriteTimeout},
		Header:  o.header(transport), Subprotocols: o.Subprotocols, TLSConfig: o.TLSConfig,
		DialContext: o.DialContext, Proxy: o.Proxy, Jar: o.Jar, HandshakeTimeout: -1,
	}
	wo.Host = wo.Header.Get("Host")
	wo.Header.Del("Host")
	if o.Compression {
		wo.Compression, wo.CompressionThreshold = wsconn.CompressionNoContextTakeover, o.CompressionThreshold
	}
	return wo
}

// readFirst reads the first message of a WebSocket connection, a packet of text, within the time of the context. The
// connection is closed if that fails.
func (t *target) readFirst(ctx context.Context, op string, ws *wsconn.Conn, revision wire.Revision, sid string) (wire.Packet, error) {
	stop := context.AfterFunc(ctx, func() { _ = ws.CloseNow() }) // there is no other way to end a read
	typ, data, err := ws.Read(nil)
	if !stop() {
		_ = ws.CloseNow() // always nil
		return wire.Packet{}, t.contextError(ctx, op, WebSocket)
	}
	if err == nil && typ != wsconn.Text {
		err = errNoOpenPacket
		if sid != "" {
			err = errNoProbeAnswer
		}
	}
	var p wire.Packet
	if err == nil {
		p, err = revision.ParseText(data)
	}
	if err != nil {
		_ = ws.CloseNow() // always nil
		return wire.Packet{}, t.webSocketError(op, sid, err)
	}
	return p, nil
}

// webSocketRead is what a read of a WebSocket connection came to.
type webSocketRead struct {
	typ  wsconn.MessageType
	data []byte
	err  error
}

// parse returns the packet of a message that was read, and the buffer for the next one, nil if the packet keeps it.
func (r *webSocketRead) parse(f framing) (p wire.Packet, buf []byte, err error) {
	p, err = f.read(r.typ, r.data)
	if r.typ == wsconn.Binary {
		// It belongs to who gets it. A small one in a large buffer would waste that.
		if 2*len(r.data) >= cap(r.data) {
			return p, nil, err
		}
		p.Data = slices.Clone(p.Data)
	}
	if cap(r.data) > keptRead {
		return p, nil, err
	}
	return p, r.data, err
}

// bounded returns a context for the opening of a transport.
func (t *target) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.opts.HandshakeTimeout < 0 {
		return context.WithCancel(ctx)
	}
	limit := t.opts.HandshakeTimeout
	return context.WithTimeoutCause(ctx, limit, errkit.Timeout)
}
