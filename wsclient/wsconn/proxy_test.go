package wsconn_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
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
	t.Run("SOCKS", func(t *testing.T) {
		t.Parallel()
		for _, scheme := range []string{"socks5", "socks5h"} {
			srv, err := wstest.Start(nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { srv.Close() })
			proxy := play(t, socks)
			u := &url.URL{Scheme: scheme, Host: proxy.Addr().String()}
			c := dial(t, srv.URL(), &wsconn.DialOptions{Proxy: http.ProxyURL(u)})
			if err := c.Write(wsconn.Text, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if _, msg, err := c.Read(nil); err != nil || string(msg) != "hello" || proxy.Accepted() != 1 {
				t.Errorf("%q, %v", msg, err)
			}
		}
	})
	t.Run("not there", func(t *testing.T) {
		t.Parallel()
		u := &url.URL{Scheme: "http", Host: nobody(t)}
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
	relay(s, to)
	return nil
}

// socks is a proxy of RFC 1928 that wants no password and knows IPv4 addresses and names.
func socks(s *wstest.Session) error {
	b := make([]byte, 257)
	if _, err := io.ReadFull(s, b[:2]); err != nil { // version, number of methods
		return err
	}
	if _, err := io.ReadFull(s, b[:b[1]]); err != nil {
		return err
	}
	if err := s.Raw([]byte{5, 0}); err != nil {
		return err
	}
	if _, err := io.ReadFull(s, b[:4]); err != nil { // version, connect, reserved, kind of address
		return err
	}
	host, named := net.IPv4len, b[3] == 3
	if named {
		if _, err := io.ReadFull(s, b[:1]); err != nil {
			return err
		}
		host = int(b[0])
	}
	if _, err := io.ReadFull(s, b[:host+2]); err != nil {
		return err
	}
	name := net.IP(b[:host]).String()
	if named {
		name = string(b[:host])
	}
	to, err := net.Dial("tcp", net.JoinHostPort(name, fmt.Sprint(binary.BigEndian.Uint16(b[host:]))))
	if err != nil {
		return err
	}
	if err := s.Raw([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	relay(s, to)
	return nil
}

// relay copies both ways until one of them ends.
func relay(s *wstest.Session, to net.Conn) {
	var copying sync.WaitGroup
	copying.Go(func() {
		io.Copy(to, s)
		to.Close()
	})
	io.Copy(s.Conn(), to)
	s.Close()
	copying.Wait()
}
