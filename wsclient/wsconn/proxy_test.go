package wsconn_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A proxy is asked for a tunnel, for ws as for wss, and its refusal is told from that of the server.
func TestProxy(t *testing.T) {
	t.Parallel()
	ca, err := certs.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	for _, secureServer := range []bool{false, true} {
		for _, secureProxy := range []bool{false, true} {
			t.Run(name(secureServer, secureProxy), func(t *testing.T) {
				t.Parallel()
				o, p := &wstest.Options{}, &wstest.PeerOptions{}
				if secureServer {
					o.TLS = config
				}
				if secureProxy {
					p.TLS = config
				}
				srv, err := wstest.Start(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { srv.Close() })
				proxy, err := wstest.Play(p, tunnel)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { proxy.Close() })

				opts := func(user *url.Userinfo) *wsconn.DialOptions {
					u := &url.URL{Scheme: "http", Host: proxy.Addr().String(), User: user}
					if secureProxy {
						u.Scheme = "https"
					}
					return &wsconn.DialOptions{
						Proxy: http.ProxyURL(u), TLSConfig: &tls.Config{RootCAs: ca.Pool()},
					}
				}
				c := dial(t, srv.URL(), opts(url.UserPassword("user", "S3CRET")))
				if err := c.Write(wsconn.Text, []byte("hello")); err != nil {
					t.Fatal(err)
				}
				if _, msg, err := c.Read(nil); err != nil || string(msg) != "hello" {
					t.Errorf("%q, %v", msg, err)
				}
				err = dialError(t, srv.URL(), opts(nil))
				e := want[*wsconn.HandshakeError](t, err)
				if e.StatusCode != http.StatusProxyAuthRequired || e.Header.Get("Proxy-Authenticate") == "" ||
					!errors.Is(err, errkit.Auth) {
					t.Errorf("got %v with %v", err, e.Header)
				}
			})
		}
	}
	t.Run("not there", func(t *testing.T) {
		t.Parallel()
		gone := play(t, discard)
		gone.Close()
		u := &url.URL{Scheme: "http", Host: gone.Addr().String()}
		err := dialError(t, "ws://127.0.0.1:9", &wsconn.DialOptions{Proxy: http.ProxyURL(u)})
		want[*wsconn.ConnectionError](t, err)
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "proxyconnect" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no HTTP", func(t *testing.T) {
		t.Parallel()
		bad := play(t, func(s *wstest.Session) error {
			return errors.Join(s.Raw([]byte("hello\r\n\r\n")), s.Discard())
		})
		u := &url.URL{Scheme: "http", Host: bad.Addr().String()}
		want[*wsconn.ConnectionError](t, dialError(t, "ws://127.0.0.1:9", &wsconn.DialOptions{Proxy: http.ProxyURL(u)}))
	})
}

func name(secureServer, secureProxy bool) string {
	scheme := map[bool]string{false: "ws by http", true: "ws by https"}[secureProxy]
	if secureServer {
		return "wss" + scheme[2:]
	}
	return scheme
}

// tunnel is a proxy that wants a password.
func tunnel(s *wstest.Session) error {
	req, err := s.Request()
	if err != nil {
		return err
	}
	if req.Method != http.MethodConnect || req.Header.Get("Proxy-Authorization") != "Basic dXNlcjpTM0NSRVQ=" {
		return s.Answer(http.StatusProxyAuthRequired, http.Header{"Proxy-Authenticate": {"Basic"}}, "")
	}
	to, err := net.Dial("tcp", req.Host)
	if err != nil {
		return err
	}
	if err := s.Raw([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
		return err
	}
	var copying sync.WaitGroup
	copying.Go(func() {
		io.Copy(to, s)
		to.Close()
	})
	io.Copy(s.Conn(), to)
	s.Close()
	copying.Wait()
	return nil
}
