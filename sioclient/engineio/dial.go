package engineio

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Dial connects to the server at an http, https, ws or wss URL; ws means http and the other way round, the transport is
// chosen by the options. Of the URL's path nothing is used: see DialOptions.Path. User and password in it become basic
// authentication.
//
// The handler gets what the server sends, also before Dial returns; DialOptions.OnOpen comes before that. The context
// bounds the call only. After an error nothing is left behind and the handler is not called. Errors:
//   - *sioclient.InvalidError: the URL or an option cannot be used; nothing was sent.
//   - *sioclient.EngineError: no connection, with status, code and text if the server refused. It matches
//     sioclient.ErrEngineVersion if the server speaks another revision of the protocol, and the error of the context if
//     that was done. A first packet that breaks the protocol makes it match sioclient.ErrPacket.
func Dial(ctx context.Context, rawURL string, opts *DialOptions, h Handler) (*Conn, error) {
	if h == nil {
		return nil, sioerr.Invalid(opDial, "handler", "nil")
	}
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(rawURL, o)
	if err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	for _, transport := range t.order() {
		var opened *opening
		if opened, err = t.open(ctx, transport); err == nil {
			return newConn(t, h, opened), nil
		}
		o.Logger.Debug("transport not opened", "module", "sioclient", "target", t.shown, "transport", transport,
			errkit.Attr(err))
		if ctx.Err() != nil || errors.Is(err, sioerr.ErrInvalid) {
			break
		}
	}
	return nil, err
}

// check finds options that the library below would turn down, before anything is sent.
func (t *target) check() error {
	for _, transport := range []string{Polling, WebSocket} {
		err := wsconn.Check(t.url(transport, wire.V4, "").String(), t.webSocketOptions(transport))
		if e, ok := errors.AsType[*wsconn.ConfigError](err); ok {
			return sioerr.Invalid(opDial, e.Field, e.Info.Err.Error())
		}
	}
	return nil
}

// order returns the transports to try.
func (t *target) order() []string {
	list := t.opts.Transports
	if t.opts.Remember.WebSocket() {
		for i, name := range list {
			if name == WebSocket && i > 0 {
				list = append([]string{WebSocket}, append(list[:i:i], list[i+1:]...)...)
			}
		}
	}
	if !t.opts.TryAllTransports {
		list = list[:1]
	}
	return list
}

// opening is what a transport that was opened has brought so far.
type opening struct {
	revision  wire.Revision
	handshake wire.Handshake
	poller    *poller      // this one or
	ws        *wsconn.Conn // that one
	rest      packets      // what came with the first packet
}

// open opens a transport, with the other revision too if that is wanted.
func (t *target) open(ctx context.Context, transport string) (*opening, error) {
	revision := wire.Revision(t.opts.EngineVersion)
	if t.opts.EngineVersion == EngineAuto {
		revision = wire.V4
	}
	o, err := t.openRevision(ctx, transport, revision)
	if t.opts.EngineVersion == EngineAuto && errors.Is(err, sioerr.ErrEngineVersion) {
		o, err = t.openRevision(ctx, transport, wire.V3)
	}
	if err != nil && transport == WebSocket {
		t.opts.Remember.set(false)
	}
	return o, err
}

func (t *target) openRevision(ctx context.Context, transport string, revision wire.Revision) (*opening, error) {
	ctx, cancel := t.bounded(ctx)
	defer cancel()
	if transport == WebSocket {
		return t.openWebSocket(ctx, revision)
	}
	return t.openPolling(ctx, revision)
}

func (t *target) openWebSocket(ctx context.Context, revision wire.Revision) (*opening, error) {
	ws, err := t.dialWebSocket(ctx, opDial, revision, "")
	if err != nil {
		return nil, err
	}
	first, err := t.readFirst(ctx, opDial, ws, revision, "")
	if err != nil {
		return nil, err
	}
	o := &opening{revision: revision, ws: ws}
	if err := o.read(first); err != nil {
		_ = ws.CloseNow() // always nil
		return nil, t.engineError(sioerr.ErrEngine, opDial, WebSocket, "", err)
	}
	return o, nil
}

// openPolling makes the first request. A server may send messages right behind the open packet.
func (t *target) openPolling(ctx context.Context, revision wire.Revision) (*opening, error) {
	o := &opening{revision: revision, poller: newPoller(t, revision)}
	all, err := o.poller.get(ctx)
	if err == nil {
		if err = o.readFirst(all); err != nil {
			err = t.engineError(sioerr.ErrEngine, opDial, Polling, "", err)
		}
	}
	if err != nil {
		o.poller.close()
		return nil, err
	}
	o.poller.sid = o.handshake.SID
	return o, nil
}

// readFirst takes the first packet of a payload, and leaves the rest for later.
func (o *opening) readFirst(all packets) error {
	o.rest = func(yield func(wire.Packet, error) bool) {
		first := true
		for p, err := range all {
			if !first && !yield(p, err) {
				return
			}
			first = false
		}
	}
	for p, err := range all {
		if err != nil {
			return err
		}
		return o.read(p)
	}
	return errNoOpenPacket
}

// read takes the first packet.
func (o *opening) read(p wire.Packet) error {
	if p.Type != wire.Open || p.Binary {
		return sioerr.Packet(opDial, errNoOpenPacket.Error(), nil)
	}
	var err error
	o.handshake, err = wire.ParseHandshake(p.Data)
	return err
}
