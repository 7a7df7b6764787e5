//go:build !js

package wsconn

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// proxy decides how a request gets to its host. For wss, and with SOCKS, package net/http does all that is
// needed. For ws it would ask an HTTP proxy to forward the upgrade, which proxies do not do; RFC 6455, section 4.1, wants
// a tunnel there too.
func (d *dialer) proxy(req *http.Request) (*url.URL, error) {
	choose := d.opts.Proxy
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	d.tunnel = nil
	u, err := choose(req)
	if err != nil || u == nil {
		return nil, err
	}
	if req.URL.Scheme == "http" && (u.Scheme == "http" || u.Scheme == "https") {
		d.tunnel = u
		return nil, nil
	}
	return u, nil
}

// dialTunnel asks an HTTP proxy for a connection to addr (RFC 9110, section 9.3.6).
func (d *dialer) dialTunnel(
	ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), addr string,
) (net.Conn, error) {
	raw, err := dial(ctx, "tcp", net.JoinHostPort(d.tunnel.Hostname(), port(d.tunnel)))
	if err != nil {
		return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	conn := net.Conn(newWire(raw, d.opts.WriteTimeout))
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if d.tunnel.Scheme == "https" {
		config := d.opts.TLSConfig.Clone()
		if config == nil {
			config = &tls.Config{}
		}
		config.ServerName = d.tunnel.Hostname()
		conn = tls.Client(conn, config)
	}
	if err := d.connect(ctx, conn, addr); err != nil {
		_ = raw.Close() // given up
		return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	return conn, nil
}

func (d *dialer) connect(ctx context.Context, conn net.Conn, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if user := d.tunnel.User; user != nil {
		auth := make(http.Header)
		setBasicAuth(auth, user)
		req.Header.Set("Proxy-Authorization", auth.Get("Authorization"))
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	// The peer says nothing before it is asked, so nothing of it is lost in the buffer.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 64<<10)), req)
	if err != nil {
		return err
	}
	return d.proxyAnswered(ctx, d.tunnel, req, resp)
}

// proxyAnswered keeps the answer of a proxy that refuses.
func (d *dialer) proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	d.proxyAnswer = &http.Response{StatusCode: resp.StatusCode, Status: resp.Status, Header: resp.Header}
	return errProxyRefused
}
