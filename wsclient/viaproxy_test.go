//go:build !js

package wsclient_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// proxy starts a scripted peer on a real socket and returns its address as a proxy.
func proxy(t *testing.T, scheme string, s wstest.Script) *neturl.URL {
	t.Helper()
	p, err := wstest.Play(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return &neturl.URL{Scheme: scheme, Host: p.Addr().String(), User: neturl.UserPassword("user", "S3CRET")}
}

func TestRC28Proxy(t *testing.T) {
	t.Parallel()
	srv, err := wstest.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	through := func(t *testing.T, scheme string, s wstest.Script) (*wsclient.Manager, *diary, *neturl.URL) {
		p := proxy(t, scheme, s)
		m, d := manage(t, srv.URL(), wsclient.Options{
			Dial:      wsclient.DialOptions{Proxy: http.ProxyURL(p)},
			Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: 2},
		})
		return m, d, p
	}
	for scheme, s := range map[string]wstest.Script{"http": tunnel, "socks5": socks, "socks5h": socks} {
		t.Run("RC-28 "+scheme, func(t *testing.T) {
			t.Parallel()
			m, _, _ := through(t, scheme, s)
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.Send(t.Context(), wsclient.Text, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if msg, err := m.Receive(t.Context()); err != nil || string(msg.Data) != "hello" {
				t.Errorf("%q, %v", msg.Data, err)
			}
		})
	}
	t.Run("RC-28 refused by the proxy", func(t *testing.T) {
		t.Parallel()
		for status, attempts := range map[int]int{407: 1, 403: 1, 502: 3} {
			m, d, p := through(t, "http", func(s *wstest.Session) error {
				return s.Answer(status, nil, "")
			})
			err := m.Connect(t.Context())
			e, ok := errors.AsType[*wsclient.HandshakeError](err)
			if !ok || e.StatusCode != status || e.Attempts != attempts || !strings.Contains(err.Error(), "proxy") {
				t.Errorf("%d: %v after %d attempts", status, err, len(d.told().attempts))
			}
			if strings.Contains(err.Error(), "S3CRET") {
				t.Errorf("the password of %s is in the error: %v", p.Redacted(), err)
			}
		}
	})
	t.Run("RC-28 proxy not there", func(t *testing.T) {
		t.Parallel()
		for _, scheme := range []string{"http", "socks5"} {
			gone := &neturl.URL{Scheme: scheme, Host: nobody(t, srv.Addr().String())}
			m, _ := manage(t, srv.URL(), wsclient.Options{
				Dial:      wsclient.DialOptions{Proxy: http.ProxyURL(gone)},
				Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: 2},
			})
			err := m.Connect(t.Context())
			e, ok := errors.AsType[*wsclient.ConnectionError](err)
			if !ok || e.Attempts != 3 || !strings.Contains(err.Error(), gone.Host) {
				t.Errorf("%s: %v, which does not name %s", scheme, err, gone.Host)
			}
		}
	})
}

// nobody returns an address at which nobody listens, and nobody else will until the test has ended: that of the near end
// of a connection to a server.
func nobody(t *testing.T, server string) string {
	t.Helper()
	conn, err := net.Dial("tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

// tunnel is a proxy for CONNECT that wants a password.
func tunnel(s *wstest.Session) error {
	req, err := s.Request()
	if err != nil {
		return err
	}
	if req.Method != http.MethodConnect || req.Header.Get("Proxy-Authorization") != "Basic dXNlcjpTM0NSRVQ=" {
		return s.Answer(http.StatusProxyAuthRequired, http.Header{"Proxy-Authenticate": {"Basic"}}, "")
	}
	return relay(s, req.Host, "HTTP/1.1 200 OK\r\n\r\n")
}

// socks is a proxy of RFC 1928 that takes any password and knows IPv4 addresses and names.
func socks(s *wstest.Session) error {
	b := make([]byte, 512)
	read := func(n int) error {
		_, err := io.ReadFull(s, b[:n])
		return err
	}
	if err := read(2); err != nil { // version, number of methods
		return err
	}
	if err := read(int(b[1])); err != nil {
		return err
	}
	if err := s.Raw([]byte{5, 0}); err != nil {
		return err
	}
	if err := read(4); err != nil { // version, connect, reserved, kind of address
		return err
	}
	length, named := net.IPv4len, b[3] == 3
	if named {
		if err := read(1); err != nil {
			return err
		}
		length = int(b[0])
	}
	if err := read(length + 2); err != nil {
		return err
	}
	host := net.IP(b[:length]).String()
	if named {
		host = string(b[:length])
	}
	port := strconv.Itoa(int(binary.BigEndian.Uint16(b[length:])))
	return relay(s, net.JoinHostPort(host, port), "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
}

// relay answers and then copies both ways until one of them ends.
func relay(s *wstest.Session, host, answer string) error {
	to, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	if err := s.Raw([]byte(answer)); err != nil {
		return errors.Join(err, to.Close())
	}
	var copying sync.WaitGroup
	copying.Go(func() {
		io.Copy(to, s) // ends with the connection
		to.Close()
	})
	io.Copy(s.Conn(), to) // ends with the connection
	s.Close()
	copying.Wait()
	return nil
}
