package wsconn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// dialError dials and returns the error that it must give.
func dialError(t *testing.T, url string, opts *wsconn.DialOptions) error {
	t.Helper()
	c, err := wsconn.Dial(t.Context(), url, opts)
	if err == nil {
		c.CloseNow()
		t.Fatal("connected")
	}
	if c != nil {
		t.Error("connection beside an error")
	}
	return err
}

// What cannot be used is turned down before anything is sent.
func TestDialBadInput(t *testing.T) {
	t.Parallel()
	dials := func(context.Context, string, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, errors.New("no")
	}
	for _, tt := range []struct {
		name, url, field string
		opts             wsconn.DialOptions
	}{
		{name: "empty", url: "", field: "url"},
		{name: "scheme", url: "ftp://host/", field: "url"},
		{name: "no scheme", url: "host/path", field: "url"},
		{name: "no host", url: "ws:///path", field: "url"},
		{name: "unparsable", url: "ws://user:S3CRET@ho st/%zz", field: "url"},
		{name: "control character", url: "ws://host/\n", field: "url"},
		{name: "port", url: "ws://host:65536", field: "url"},
		{name: "host", url: "ws://host", field: "Host", opts: wsconn.DialOptions{Host: "a b"}},
		{name: "host with a path", url: "ws://host", field: "Host", opts: wsconn.DialOptions{Host: "a/b"}},
		{name: "host with a header", url: "ws://host", field: "Host", opts: wsconn.DialOptions{Host: "a\r\nX-Evil: 1"}},
		{name: "header of a body", url: "ws://host", field: "Header", opts: header("content-length", "1")},
		{name: "redirects", url: "ws://host", field: "MaxRedirects", opts: wsconn.DialOptions{MaxRedirects: 11}},
		{name: "negative redirects", url: "ws://host", field: "MaxRedirects", opts: wsconn.DialOptions{MaxRedirects: -1}},
		{name: "subprotocol", url: "ws://host", field: "Subprotocols", opts: wsconn.DialOptions{Subprotocols: []string{"a b"}}},
		{name: "header name", url: "ws://host", field: "Header", opts: header("bad name", "x")},
		{name: "header value", url: "ws://host", field: "Header", opts: header("X-Token", "S3CRET\r\nX-Evil: 1")},
		{name: "header of the handshake", url: "ws://host", field: "Header", opts: header("sec-websocket-extensions", "x")},
		{name: "upgrade header", url: "ws://host", field: "Header", opts: header("Upgrade", "x")},
		{
			name: "read buffer", url: "ws://host", field: "ReadBuffer",
			opts: wsconn.DialOptions{Options: wsconn.Options{ReadBuffer: 1000}},
		},
		{
			name: "close timeout", url: "ws://host", field: "CloseTimeout",
			opts: wsconn.DialOptions{Options: wsconn.Options{CloseTimeout: -1}},
		},
		{
			name: "compression", url: "ws://host", field: "Compression",
			opts: wsconn.DialOptions{Options: wsconn.Options{Compression: 7}},
		},
		{
			name: "threshold", url: "ws://host", field: "CompressionThreshold",
			opts: wsconn.DialOptions{Options: wsconn.Options{CompressionThreshold: -1}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.opts.DialContext = dials
			err := dialError(t, tt.url, &tt.opts)
			if e := want[*wsconn.ConfigError](t, err); e.Field != tt.field {
				t.Errorf("field is %q", e.Field)
			}
			if !errors.Is(err, errkit.Invalid|errkit.NotSent) || errkit.Transient(err) {
				t.Error("wrong kind")
			}
			if strings.Contains(err.Error(), "S3CRET") {
				t.Errorf("secret in %v", err)
			}
		})
	}
}

func header(name, value string) wsconn.DialOptions {
	return wsconn.DialOptions{Header: http.Header{name: {value}}}
}

// An answer other than 101 has its status, headers and the beginning of its body; other failures keep the errors of the
// standard library.
func TestF09HandshakeErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		kind   errkit.Kind
	}{
		{200, 0},
		{401, errkit.Auth},
		{403, errkit.Denied},
		{404, errkit.NotFound},
		{407, errkit.Auth},
		{429, errkit.RateLimited},
		{500, errkit.Internal},
		{503, errkit.Unavailable},
		{599, errkit.Connection},
	} {
		t.Run(fmt.Sprint("status ", tt.status), func(t *testing.T) {
			t.Parallel()
			body := strings.Repeat("S3CRET", 500)
			peer := play(t, func(s *wstest.Session) error {
				return s.Answer(tt.status, http.Header{"Retry-After": {"120"}, "X-Why": {"because"}}, body)
			})
			err := dialError(t, peer.URL(), nil)
			e := want[*wsconn.HandshakeError](t, err)
			if e.StatusCode != tt.status || e.Header.Get("X-Why") != "because" || string(e.Body) != body[:1024] ||
				e.RetryAfter != 2*time.Minute || !strings.HasPrefix(e.Status, fmt.Sprint(tt.status)) {
				t.Errorf("got %+v", e)
			}
			if tt.kind != 0 && !errors.Is(err, tt.kind) {
				t.Errorf("kinds are %v", e.Kinds())
			}
			if !errors.Is(err, errkit.Connection|errkit.NotSent) {
				t.Errorf("kinds are %v", e.Kinds())
			}
			if c := want[*wsconn.ConnectionError](t, err); c.URL != peer.URL() {
				t.Errorf("URL is %q", c.URL)
			}
			if strings.Contains(err.Error(), "S3CRET") {
				t.Error("body in the text")
			}
		})
	}
	accept := func(h http.Header) wstest.Script {
		return func(s *wstest.Session) error { return errors.Join(s.Upgrade(h), s.Discard()) }
	}
	for name, script := range map[string]wstest.Script{
		"wrong accept":  accept(http.Header{"Sec-WebSocket-Accept": {"AAAA"}}),
		"no accept":     accept(http.Header{"Sec-WebSocket-Accept": nil}),
		"no upgrade":    accept(http.Header{"Upgrade": nil}),
		"other upgrade": accept(http.Header{"Upgrade": {"h2c"}}),
		"no connection": accept(http.Header{"Connection": nil}),
		"subprotocol":   accept(http.Header{"Sec-WebSocket-Protocol": {"chat"}}),
		"extension":     accept(http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}}),
		"not HTTP":      func(s *wstest.Session) error { return errors.Join(s.Raw([]byte("SSH-2.0-x\r\n")), s.Discard()) },
		"garbage":       func(s *wstest.Session) error { return errors.Join(s.Raw(make([]byte, 100_000)), s.Discard()) },
		"not a status":  func(s *wstest.Session) error { return errors.Join(s.Raw([]byte("HTTP/1.1 abc\r\n\r\n")), s.Discard()) },
		"a bad header": func(s *wstest.Session) error {
			return errors.Join(s.Raw([]byte("HTTP/1.1 101 x\r\n:\r\n\r\n")), s.Discard())
		},
		"an endless start": func(s *wstest.Session) error { return flood(s, "HTTP/1.1 101 x\r\nX: ") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := dialError(t, play(t, script).URL(), nil)
			e := want[*wsconn.ProtocolError](t, err)
			if e.Op != "connect" || e.ProtocolError == "" || !errors.Is(err, errkit.Protocol|errkit.Connection|errkit.NotSent) {
				t.Errorf("got %+v", e)
			}
		})
	}
	t.Run("unknown host", func(t *testing.T) {
		t.Parallel()
		cause := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
		err := dialError(t, "ws://host.invalid", &wsconn.DialOptions{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, cause },
			Proxy:       noProxy,
		})
		want[*wsconn.ConnectionError](t, err)
		if _, ok := errors.AsType[*net.DNSError](err); !ok || !errkit.Transient(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		err := dialError(t, "ws://"+nobody(t), nil)
		want[*wsconn.ConnectionError](t, err)
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("hangs up", func(t *testing.T) {
		t.Parallel()
		for _, script := range []wstest.Script{(*wstest.Session).Close, (*wstest.Session).RST} {
			peer := play(t, func(s *wstest.Session) error {
				_, err := s.Request()
				return errors.Join(err, script(s))
			})
			err := dialError(t, peer.URL(), nil)
			want[*wsconn.ConnectionError](t, err)
			if !errors.Is(err, errkit.Disconnected) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// flood sends a beginning and then no end.
func flood(s *wstest.Session, beginning string) error {
	if _, err := s.Request(); err != nil {
		return err
	}
	err := s.Raw([]byte(beginning))
	for err == nil {
		err = s.Raw([]byte(strings.Repeat("x", 4096)))
	}
	return nil
}

// TLS failures are connection errors that keep their cause; certificates of the client work.
func TestDialTLS(t *testing.T) {
	t.Parallel()
	ca, err := certs.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	clientCert, err := ca.Client("device")
	if err != nil {
		t.Fatal(err)
	}
	other, err := ca.Server("other.example")
	if err != nil {
		t.Fatal(err)
	}
	serve := func(t *testing.T, config *tls.Config) string {
		srv, err := wstest.Start(&wstest.Options{TLS: config})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Close() })
		return srv.URL()
	}
	t.Run("works", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			l, err := n.Listen("127.0.0.1:443")
			if err != nil {
				t.Fatal(err)
			}
			srv, err := wstest.Start(&wstest.Options{Listener: l, TLS: &tls.Config{
				Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { srv.Close() })
			config := &tls.Config{
				RootCAs: ca.Pool(), Certificates: []tls.Certificate{clientCert}, NextProtos: []string{"h2", "http/1.1"},
			}
			c := dial(t, srv.URL(), &wsconn.DialOptions{TLSConfig: config, DialContext: n.DialContext, Proxy: noProxy})
			if c.Response().TLS == nil || len(config.NextProtos) != 2 {
				t.Error("no TLS, or the caller's configuration was changed")
			}
			big := make([]byte, 1<<20)
			for range 3 {
				if err := c.Write(wsconn.Binary, big); err != nil {
					t.Fatal(err)
				}
				if _, msg, err := c.Read(nil); err != nil || len(msg) != len(big) {
					t.Fatal(len(msg), err)
				}
			}
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		err := dialError(t, serve(t, &tls.Config{Certificates: []tls.Certificate{cert}}), nil)
		want[*wsconn.ConnectionError](t, err)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || !errors.Is(err, errkit.Auth) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("wrong name", func(t *testing.T) {
		t.Parallel()
		url := serve(t, &tls.Config{Certificates: []tls.Certificate{other}})
		err := dialError(t, url, &wsconn.DialOptions{TLSConfig: &tls.Config{RootCAs: ca.Pool()}})
		if _, ok := errors.AsType[x509.HostnameError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no client certificate", func(t *testing.T) {
		t.Parallel()
		url := serve(t, &tls.Config{
			Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		})
		err := dialError(t, url, &wsconn.DialOptions{TLSConfig: &tls.Config{RootCAs: ca.Pool()}})
		want[*wsconn.ConnectionError](t, err)
		if !errors.Is(err, errkit.Auth) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("plain server", func(t *testing.T) {
		t.Parallel()
		srv, err := wstest.Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Close() })
		err = dialError(t, "wss://"+srv.Addr().String(), nil)
		want[*wsconn.ConnectionError](t, err)
		if !errors.Is(err, http.ErrSchemeMismatch) || !errors.Is(err, errkit.Protocol) {
			t.Errorf("got %v", err)
		}
	})
}

// The time of a dial is bounded, by its limit and by its context, at every stage.
func TestDialTimeouts(t *testing.T) {
	t.Parallel()
	stages := map[string]func(*netem.Network){
		"connecting": func(n *netem.Network) { n.Blackhole("peer:80") },
		"answering":  func(*netem.Network) {},
	}
	scripts := map[string]wstest.Script{
		"silent": (*wstest.Session).Hold,
		"slow": func(s *wstest.Session) error {
			p, err := s.UpgradeBytes(http.Header{"X-Long": {strings.Repeat("x", 1000)}})
			return errors.Join(err, s.Trickle(p, 1, func() { time.Sleep(time.Second) }))
		},
		"slow body": func(s *wstest.Session) error {
			err := s.Raw([]byte("HTTP/1.1 503 no\r\nContent-Length: 1000\r\n\r\n"))
			return errors.Join(err, s.Hold())
		},
	}
	for stage, prepare := range stages {
		for how, script := range scripts {
			t.Run(stage+" "+how, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, n *netem.Network) {
					l, err := n.Listen("peer:80")
					if err != nil {
						t.Fatal(err)
					}
					peer, err := wstest.Play(&wstest.PeerOptions{Listener: l}, script)
					if err != nil {
						t.Fatal(err)
					}
					defer peer.Close()
					prepare(n)
					opts := &wsconn.DialOptions{
						DialContext: n.DialContext, Proxy: noProxy, HandshakeTimeout: 2 * time.Second,
					}
					checkDialTimeouts(t, peer.URL(), opts)
				})
			})
		}
	}
}

func checkDialTimeouts(t *testing.T, url string, opts *wsconn.DialOptions) {
	t.Helper()
	start := time.Now()
	_, err := wsconn.Dial(t.Context(), url, opts)
	e := want[*wsconn.TimeoutError](t, err)
	if e.Limit != 2*time.Second || e.Op != "connect" || time.Since(start) != 2*time.Second ||
		!errors.Is(err, errkit.Timeout|errkit.Connection|errkit.NotSent) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v after %v", err, time.Since(start))
	}

	start = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = wsconn.Dial(ctx, url, opts)
	want[*wsconn.TimeoutError](t, err)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}

	start = time.Now()
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	_, err = wsconn.Dial(ctx, url, opts)
	want[*wsconn.ConnectionError](t, err)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) || time.Since(start) != time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	if errkit.Transient(err) {
		t.Error("a cancelled dial is transient")
	}
}

// A handshake that is cut after any byte gives a typed error and leaves nothing.
func TestHandshakeCutAtEveryByte(t *testing.T) {
	for _, mode := range []netem.CutMode{netem.FIN, netem.RST, netem.Silence} {
		t.Run(mode.String(), func(t *testing.T) {
			leak.Check(t)
			inBubble(t, func(t *testing.T, n *netem.Network) {
				l, err := n.Listen("peer:80")
				if err != nil {
					t.Fatal(err)
				}
				length := make(chan int, 1)
				peer, err := wstest.Play(&wstest.PeerOptions{Listener: l}, func(s *wstest.Session) error {
					p, err := s.UpgradeBytes(nil)
					length <- len(p)
					return errors.Join(err, s.Raw(p), s.Discard())
				})
				if err != nil {
					t.Fatal(err)
				}
				defer peer.Close()
				opts := &wsconn.DialOptions{DialContext: n.DialContext, Proxy: noProxy, HandshakeTimeout: time.Second}
				for cut, whole := int64(0), 1000; cut < int64(whole); cut++ {
					n.CutAfter(netem.Down, cut, mode)
					_, err := wsconn.Dial(t.Context(), peer.URL(), opts)
					if err == nil {
						t.Fatalf("connected after %d of %d bytes", cut, whole)
					}
					if cut == 0 {
						want[net.Error](t, err)
					}
					if !errors.Is(err, wsconn.ErrConnection) && !errors.Is(err, wsconn.ErrTimeout) {
						t.Errorf("after %d bytes: %v", cut, err)
					}
					if !errors.Is(err, errkit.NotSent) {
						t.Errorf("after %d bytes: kinds %v", cut, errkit.KindOf(err))
					}
					select {
					case whole = <-length:
					default:
					}
				}
			})
		})
	}
}

// Secrets of the URL go to the server and nowhere else.
func TestDialSecrets(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	srv, err := wstest.Start(&wstest.Options{Request: func(_ http.ResponseWriter, r *http.Request) bool {
		requests <- r
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	url := "ws://user:S3CRET@" + srv.Addr().String() + "/?token=S3CRET#S3CRET"
	c := dial(t, url, nil)
	r := <-requests
	if user, password, ok := r.BasicAuth(); !ok || user != "user" || password != "S3CRET" || r.URL.RawQuery != "token=S3CRET" {
		t.Errorf("got %v %q %q", ok, user, r.URL.RawQuery)
	}
	c.CloseNow()
	errs := []error{c.Err(), c.Write(wsconn.Text, nil)}

	for _, name := range []string{"Authorization", "authorization"} {
		own := dial(t, url, &wsconn.DialOptions{Header: http.Header{name: {"Bearer mine"}}})
		own.CloseNow()
		if got := (<-requests).Header["Authorization"]; !slices.Equal(got, []string{"Bearer mine"}) {
			t.Errorf("%s is %q", name, got)
		}
	}
	srv.Close()
	errs = append(errs, dialError(t, url, nil))
	for _, err := range errs {
		if err == nil || strings.Contains(err.Error()+errkit.Detail(err), "S3CRET") {
			t.Errorf("secret in %v", err)
		}
	}
	if e := want[*wsconn.ConnectionError](t, errs[2]); strings.Contains(e.URL, "S3CRET") {
		t.Errorf("secret in %v", e.URL)
	}
}
