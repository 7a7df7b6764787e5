//go:build !js

package wsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// dialer makes the connection of one Dial. It is the transport of the library's HTTP client and puts the shim under the
// library as soon as the peer has agreed to the upgrade.
//
// Every Dial has an HTTP transport of its own: without HTTP/2, which cannot be upgraded, without kept connections,
// which would outlive a refusal, and without an offer of compression, which is none of WebSocket's.
type dialer struct {
	opts      DialOptions
	url       *url.URL // without user and password
	target    string
	transport *http.Transport

	shim      *shim
	wire      *wire    // of the last request that got as far as having a connection
	tunnel    *url.URL // proxy that dial has to ask for a connection; nil if there is none
	redirects int      // followed so far
	location  string   // where a redirect pointed that is not followed

	proxyAnswer *http.Response // with which a proxy refused
}

var (
	errProxyRefused = errors.New("refused by the proxy")
	errNotWritable  = errors.New("connection cannot be taken over")
)

func (d *dialer) setUp() {
	config := d.opts.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.NextProtos = []string{"http/1.1"}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	d.transport = &http.Transport{
		Proxy:                  d.proxy,
		DialContext:            d.dial,
		TLSClientConfig:        config,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              protocols,
		OnProxyConnectResponse: d.proxyAnswered,
	}
}

// dial makes the network connection and lays the wire on it, below any TLS.
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := d.opts.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	if d.tunnel != nil {
		return d.dialTunnel(ctx, dial, addr)
	}
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w := newWire(conn, d.opts.WriteTimeout)
	w.speakFirst()
	return w, nil
}

// RoundTrip sends one upgrade request. The library calls it once, and once more per redirect.
func (d *dialer) RoundTrip(req *http.Request) (*http.Response, error) {
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn = i.Conn }}
	d.wire = nil
	resp, err := d.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if conn != nil {
		d.wire, _ = wireBelow(conn)
	}
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols:
		body, ok := resp.Body.(io.ReadWriter)
		if !ok || d.wire == nil {
			_ = resp.Body.Close() // given up
			return nil, errNotWritable
		}
		d.shim = newShim(d.wire, conn, body, true, &d.opts.Options)
		resp.Body = d.shim
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		d.redirect(req.URL, resp)
	}
	return resp, nil
}

// redirect hides the Location of a redirect that is not to be followed.
func (d *dialer) redirect(from *url.URL, resp *http.Response) {
	location := resp.Header.Get("Location")
	to, err := from.Parse(location)
	if err == nil && d.redirects < d.opts.MaxRedirects && (d.opts.CrossHostRedirects || sameHost(from, to)) {
		d.redirects++
		return
	}
	d.location = location
	resp.Header.Del("Location")
}

// sameHost reports whether a redirect stays with the same server. From plain HTTP it may lead to TLS on the default
// ports, never back.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	fromTLS, toTLS := isTLS(from), isTLS(to)
	if fromTLS == toTLS {
		return port(from) == port(to)
	}
	return toTLS && port(from) == "80" && port(to) == "443"
}

func isTLS(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "wss" }

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if isTLS(u) {
		return "443"
	}
	return "80"
}

// answered reports whether the peer did answer the upgrade request, or began to, over a connection that did not fail.
func (d *dialer) answered() bool {
	return d.wire != nil && d.wire.in.Load() > 0 && !d.wire.failed.Load()
}
