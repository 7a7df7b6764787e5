package pikvm

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of the connections that a client keeps.
const (
	maxIdleConns     = 4
	idleConnTimeout  = 30 * time.Second // well below the patience of web servers: few requests meet a closing connection
	maxHeaderBytes   = 64 << 10
	defaultHTTPPort  = "80"
	defaultHTTPSPort = "443"
)

// transport holds what requests and sockets share: how to reach the device and whom to believe.
type transport struct {
	http *http.Transport
	tls  *tls.Config // nil without TLS
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	addr string // of the device, with its port
	host string // of the device, as its certificate should say
}

func newTransport(base *url.URL, o *Options) (*transport, error) {
	config, err := tlsConfig(base, o)
	if err != nil {
		return nil, err
	}
	t := &transport{tls: config, dial: o.DialContext, host: base.Hostname()}
	t.addr = net.JoinHostPort(t.host, portOf(base))
	t.http = &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            patientDial(o.DialContext),
		TLSClientConfig:        config,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		// HTTP/1.1 alone: sockets need it, and one connection lost to a bad link costs one request.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	return t, nil
}

// dialTLS connects to the device and shakes hands.
func (t *transport) dialTLS(ctx context.Context) (*tls.Conn, error) {
	raw, err := t.dial(ctx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	config := t.tls.Clone()
	config.ServerName = t.host
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error tells more
		return nil, err
	}
	return conn, nil
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return defaultHTTPSPort
	}
	return defaultHTTPPort
}

func validPort(u *url.URL) bool {
	port, err := strconv.ParseUint(portOf(u), 10, 16)
	return err == nil && port > 0
}
