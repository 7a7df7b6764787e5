package pikvm

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// opSocket names the handshake of the event socket in errors.
const opSocket = "events.Open"

// dialSocket opens a socket of the device, with the credentials, the TLS policy and the limits of requests; messages of over
// limit bytes break it, of over 1 MiB if it is zero. A
// handshake that the device refuses with an HTTP answer fails with the error that a request would fail with; if
// the credentials were refused and there are fresh ones, it tries once more with these.
func (c *Client) dialSocket(ctx context.Context, op, path string, query url.Values, limit int64) (*wsconn.Conn, error) {
	o, err := c.begin(ctx, op)
	if err != nil {
		return nil, err
	}
	defer o.end()
	k := &call{op: op, method: http.MethodGet, path: path, query: query}
	g, err := o.grant()
	if err != nil {
		return nil, err
	}
	conn, refused, err := o.handshake(k, g, limit)
	if refused == nil {
		return conn, err
	}
	fresh, ok, err := o.renew(g, refused.status)
	if err != nil {
		return nil, err
	}
	if ok {
		if conn, refused, err = o.handshake(k, fresh, limit); refused == nil {
			return conn, err
		}
	}
	return nil, c.handshakeError(k, refused)
}

// handshake dials once. The answer is that of a device that refused the upgrade.
func (o *operation) handshake(k *call, g grant, limit int64) (*wsconn.Conn, *answer, error) {
	c := o.client
	header := http.Header{}
	if g.header != nil {
		header = g.header.Clone()
	}
	header.Set("User-Agent", c.opts.UserAgent)
	scheme := "ws"
	if c.trans.tls != nil {
		scheme = "wss"
	}
	var reached atomic.Bool
	conn, err := wsconn.Dial(o.traced(&reached), c.url(scheme, k.path, k.query), &wsconn.DialOptions{
		Options:          wsconn.Options{ReadLimit: limit},
		Header:           header,
		TLSConfig:        c.trans.tls.Clone(),
		DialContext:      c.opts.DialContext,
		Proxy:            c.opts.Proxy,
		HandshakeTimeout: -1, // the operation has its own limit
	})
	if err == nil {
		return conn, nil, nil
	}
	refused, ok := errors.AsType[*wsconn.HandshakeError](err)
	if ok && refused.StatusCode > http.StatusSwitchingProtocols && reached.Load() { // or it is a proxy that refused
		return nil, &answer{
			status: refused.StatusCode, header: refused.Header, body: refused.Body, grant: g,
		}, nil
	}
	err = o.failure(socketCause(err), reached.Load(), g.secrets()...)
	if connect, ok := errors.AsType[*ConnectError](err); ok && connect.Kind.Has(errkit.Protocol) && reached.Load() {
		err = newWebSocketError(ErrWebSocket, k.op, c.target, 0, "", connect.Err)
	}
	return nil, nil, err
}

// handshakeError returns the error of an answer that is no upgrade, not even one that would be a success
// otherwise.
func (c *Client) handshakeError(k *call, a *answer) error {
	if err := c.refusal(k, a); err != nil {
		return err
	}
	return c.responseError(k, a, errors.New("no upgrade"))
}

// socketCause returns what is behind an error of the socket's own module: the same failure of a request has the
// same cause.
func socketCause(err error) error {
	if e, ok := errors.AsType[errkit.Error](err); ok && e.ErrorInfo().Err != nil {
		return e.ErrorInfo().Err
	}
	return err
}
