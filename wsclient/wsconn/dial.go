//go:build !js

package wsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wsurl"
)

// DialOptions are the settings of [Dial]. The zero value is good for use.
type DialOptions struct {
	Options

	// Header is sent with the upgrade request: credentials, cookies, Origin. Those of the handshake itself (Connection,
	// Upgrade, Host and the Sec-WebSocket ones) and those of a body must not be in it.
	Header http.Header

	// Host replaces the host of the URL in the Host header.
	Host string

	// Subprotocols are offered in this order. See [Conn.Subprotocol].
	Subprotocols []string

	// TLSConfig is used for wss. Nil means the system's authorities. It is cloned; the protocol is always HTTP/1.1.
	TLSConfig *tls.Config

	// DialContext makes the network connection, to the peer or to a proxy. Nil means a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the proxy for a request, nil for none: http and https proxies (by CONNECT), socks5 and socks5h. Nil
	// means [http.ProxyFromEnvironment], which looks at the request's http or https URL.
	Proxy func(*http.Request) (*url.URL, error)

	// Jar supplies cookies to the upgrade request and takes those of the answer. Nil means none.
	Jar http.CookieJar

	// HandshakeTimeout bounds all of Dial: name resolution, connecting, TLS, proxy, upgrade, redirects. Zero means 30 s,
	// negative means no limit but that of the context.
	HandshakeTimeout time.Duration

	// MaxRedirects is how many redirects are followed, at most 10, and only on the same host: headers with credentials
	// would travel along. Zero means none: a redirect is a *HandshakeError, with the Location in its Header.
	MaxRedirects int

	// CrossHostRedirects follows redirects to other hosts as well, to plain HTTP from TLS even. Header travels along,
	// except for the credentials that package net/http keeps from other hosts: Authorization and Cookie.
	CrossHostRedirects bool
}

// Dial connects to a ws or wss URL; http and https mean the same. User and password in the URL become basic
// authentication, unless the options' Header has another.
//
// The context and [DialOptions.HandshakeTimeout] bound the call only and have no effect on the connection afterwards.
// After an error nothing is left behind. Errors:
//   - *ConfigError: the URL or an option cannot be used; nothing was sent.
//   - *HandshakeError: the peer, or a proxy, answered with another status than 101.
//   - *ProtocolError: its answer was no proper one.
//   - *TimeoutError: time was up. It matches context.DeadlineExceeded if that was the context's.
//   - *ConnectionError: anything else; the cause is that of the standard library. A cancelled context is among them.
func Dial(ctx context.Context, rawURL string, opts *DialOptions) (*Conn, error) {
	d, err := newDialer(rawURL, opts)
	if err != nil {
		return nil, err
	}
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if d.opts.HandshakeTimeout > 0 {
		bounded, cancel = context.WithTimeout(ctx, d.opts.HandshakeTimeout)
	}
	defer cancel()
	defer d.transport.CloseIdleConnections()

	c := newConn(d.opts.Options)
	ws, resp, err := websocket.Dial(bounded, d.url.String(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: d, Jar: d.opts.Jar},
		HTTPHeader:   d.opts.Header,
		Host:         d.opts.Host,
		Subprotocols: d.opts.Subprotocols,
		// The modes have the same values.
		CompressionMode:      websocket.CompressionMode(d.opts.Compression),
		CompressionThreshold: d.opts.CompressionThreshold,
		OnPingReceived:       c.pingReceived,
		OnPongReceived:       c.pongReceived,
	})
	if err != nil {
		return nil, d.failed(ctx, bounded, resp, err)
	}
	c.response = resp
	c.compressed = resp.Header.Get("Sec-WebSocket-Extensions") != ""
	c.start(ws, d.shim, d.target)
	return c, nil
}

// newDialer checks the URL and the options and sets up a dialer. It sends nothing.
func newDialer(rawURL string, opts *DialOptions) (*dialer, error) {
	d := &dialer{}
	if opts != nil {
		d.opts = *opts
	}
	u, err := wsurl.Parse(callConnect, "url", rawURL)
	if err != nil {
		return nil, err
	}
	if d.opts.Options, err = d.opts.withDefaults(callConnect); err != nil {
		return nil, err
	}
	if d.opts.HandshakeTimeout == 0 {
		d.opts.HandshakeTimeout = 30 * time.Second
	}
	if d.opts.MaxRedirects < 0 || d.opts.MaxRedirects > 10 {
		return nil, wserr.Config(callConnect, "MaxRedirects", "not between 0 and 10")
	}
	if !isHost(d.opts.Host) {
		return nil, wserr.Config(callConnect, "Host", "not a host")
	}
	d.opts.Header = canonical(d.opts.Header)
	if err := checkHeader(d.opts.Header); err != nil {
		return nil, err
	}
	for _, p := range d.opts.Subprotocols {
		if !isToken(p) {
			return nil, wserr.Config(callConnect, "Subprotocols", "not a token")
		}
	}
	d.target = redact.URL(u)
	setBasicAuth(d.opts.Header, u.User)
	u.User = nil
	d.url = u
	d.setUp()
	return d, nil
}

// setBasicAuth puts the credentials of a URL into the header (RFC 7617), unless it has some.
func setBasicAuth(h http.Header, user *url.Userinfo) {
	if user == nil || h.Get("Authorization") != "" {
		return
	}
	r := http.Request{Header: h}
	password, _ := user.Password()
	r.SetBasicAuth(user.Username(), password)
}

// canonical returns a copy of the header with its names as package net/http looks them up.
func canonical(h http.Header) http.Header {
	c := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		c[name] = append(c[name], values...)
	}
	return c
}

// isHost reports whether s can be the host of a URL, with or without a port. An empty one means that of the URL dialled.
func isHost(s string) bool {
	u, err := url.Parse("ws://" + s)
	return err == nil && u.Host == s && u.User == nil
}

// checkHeader turns down what would break the upgrade request or smuggle something into it. The names are canonical.
func checkHeader(h http.Header) error {
	for name, values := range h {
		switch {
		case !isToken(name):
			return wserr.Config(callConnect, "Header", "name is not a token")
		case name == "Connection", name == "Upgrade", name == "Host", strings.HasPrefix(name, "Sec-Websocket-"):
			return wserr.Config(callConnect, "Header", name+" belongs to the handshake")
		case name == "Content-Length", name == "Transfer-Encoding", name == "Trailer":
			return wserr.Config(callConnect, "Header", name+" belongs to a body, and there is none")
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
				return wserr.Config(callConnect, "Header", "value of "+name+" has control characters")
			}
		}
	}
	return nil
}

// isToken reports whether s is a token of HTTP (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7F || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// failed makes the typed error of a dial that failed with err and perhaps an answer.
func (d *dialer) failed(ctx, bounded context.Context, resp *http.Response, err error) error {
	info := errkit.Info{Class: wserr.ErrConnection, Op: callConnect, Target: d.target}
	switch {
	case ctx.Err() != nil:
		info.Err = errkit.FromContext(ctx)
		info.Kind = errkit.TransportKind(info.Err)
		if !info.Kind.Has(errkit.Timeout) {
			return &wserr.ConnectionError{Info: info, URL: d.target}
		}
		info.Class = wserr.ErrTimeout
		info.Kind |= errkit.Connection | errkit.NotSent
		return &wserr.TimeoutError{Info: info, URL: d.target}
	case bounded.Err() != nil:
		info.Class = wserr.ErrTimeout
		info.Kind = errkit.Connection | errkit.NotSent
		return &wserr.TimeoutError{Info: info, Limit: d.opts.HandshakeTimeout, URL: d.target}
	case d.proxyAnswer != nil:
		return d.refused(d.proxyAnswer, errProxyRefused)
	case resp != nil && resp.StatusCode == http.StatusSwitchingProtocols:
		return d.violated(innermost(err).Error())
	case resp != nil:
		return d.refused(resp, nil)
	}
	info.Err = errkit.CleanCause(err)
	info.Kind = errkit.TransportKind(info.Err)
	if errors.Is(err, http.ErrSchemeMismatch) {
		info.Kind |= errkit.Protocol
	} else if info.Kind == 0 && d.answered() {
		return d.violated("the answer to the upgrade is not HTTP")
	}
	return &wserr.ConnectionError{Info: info, URL: d.target}
}

func (d *dialer) refused(resp *http.Response, cause error) error {
	e := &wserr.HandshakeError{StatusCode: resp.StatusCode, Status: resp.Status, Header: resp.Header.Clone()}
	if d.location != "" {
		e.Header.Set("Location", d.location)
	}
	class := wserr.HandshakeClass(resp.StatusCode)
	e.Info = errkit.Info{
		Class: class, Op: callConnect, Target: d.target, Kind: errkit.HTTPKind(resp.StatusCode), Err: cause,
	}
	e.RetryAfter, _ = errkit.ParseRetryAfter(resp.Header.Get("Retry-After"), time.Now())
	e.URL = d.target
	if resp.Body != nil {
		// The library has read the beginning of the body already.
		e.Body, _ = io.ReadAll(io.LimitReader(resp.Body, wserr.MaxBody))
	}
	return e
}

func (d *dialer) violated(problem string) error {
	return &wserr.ProtocolError{
		Info: errkit.Info{
			Class: wserr.ErrProtocol, Op: callConnect, Target: d.target, Kind: errkit.Connection | errkit.NotSent,
		},
		ProtocolError: printable(problem),
	}
}

// Check returns the *ConfigError with which Dial would turn down the URL or the options. It sends nothing.
func Check(rawURL string, opts *DialOptions) error {
	_, err := newDialer(rawURL, opts)
	return err
}
