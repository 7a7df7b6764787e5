package errkit_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Whatever goes wrong on the way to or at a proxy, nothing has been sent to the peer.
func TestClassifyProxy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		scheme string
		proxy  func(*net.TCPConn)
		op     string
		want   errkit.Kind
	}{
		// Replies of SOCKS: RFC 1928, section 6.
		{"SOCKS, host unreachable", "socks5", refuseSocks(4), "socks connect", refused},
		{"SOCKS, connection refused", "socks5", refuseSocks(5), "socks connect", refused},
		{"SOCKS, lost", "socks5", func(*net.TCPConn) {}, "socks connect", refused | errkit.Disconnected},
		{"proxy with TLS that speaks none", "https", func(conn *net.TCPConn) {
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) // the client sees it or the end
			_, _ = io.Copy(io.Discard, conn)
		}, "proxyconnect", refused | errkit.Protocol},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			proxy := serve(t, func(conn *net.TCPConn) {
				tc.proxy(conn)
				_ = conn.Close() // the client has noticed
			})
			transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: tc.scheme, Host: proxy})}
			_, err := get(t.Context(), transport, "http://kvm.invalid/")
			compareKinds(t, err, tc.want)
			if e, ok := errors.AsType[*net.OpError](err); !ok || e.Op != tc.op {
				t.Errorf("it is %#v", err)
			}
		})
	}
}

// refuseSocks is a proxy that refuses every connection with the given reply.
func refuseSocks(reply byte) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 3)) // version, one method: no authentication
		_, _ = conn.Write([]byte{5, 0})
		_, _ = conn.Read(make([]byte, 300)) // the request
		_, _ = conn.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
		_, _ = io.Copy(io.Discard, conn) // until the client has read it
	}
}
