package engineio_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestDialURL: what is asked for by both transports, timestamps aside.
func TestDialURL(t *testing.T) {
	t.Parallel()
	v4 := func(transport string) url.Values { return url.Values{"EIO": {"4"}, "transport": {transport}} }
	with := func(add url.Values) func(string) url.Values {
		return func(transport string) url.Values {
			q := v4(transport)
			for name, values := range add {
				q[name] = values
			}
			return q
		}
	}
	for name, row := range map[string]struct {
		url   string
		opts  engineio.DialOptions
		host  string
		addr  string
		path  string
		query func(transport string) url.Values
	}{
		"plain":          {"http://h.test", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", v4},
		"ws is http":     {"ws://h.test/", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", v4},
		"in capitals":    {"HTTP://h.test/", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", v4},
		"default port":   {"http://h.test:80", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", v4},
		"other port":     {"http://h.test:8080", engineio.DialOptions{}, "h.test:8080", "h.test:8080", "/engine.io/", v4},
		"IPv6":           {"http://[::1]:80/", engineio.DialOptions{}, "[::1]", "[::1]:80", "/engine.io/", v4},
		"IPv6 with port": {"ws://[::1]:8080", engineio.DialOptions{}, "[::1]:8080", "[::1]:8080", "/engine.io/", v4},
		"path of the URL is not used": {
			"http://h.test/admin", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", v4,
		},
		"Path":                     {"http://h.test", engineio.DialOptions{Path: "/socket.io"}, "h.test", "h.test:80", "/socket.io/", v4},
		"Path with slash":          {"http://h.test", engineio.DialOptions{Path: "/a/b/"}, "h.test", "h.test:80", "/a/b/", v4},
		"Path without slash":       {"http://h.test", engineio.DialOptions{Path: "/a/", DisableTrailingSlash: true}, "h.test", "h.test:80", "/a", v4},
		"query of the URL":         {"http://h.test/?a=1&a=2", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", with(url.Values{"a": {"1", "2"}})},
		"Query instead of it":      {"http://h.test/?a=1", engineio.DialOptions{Query: url.Values{"b": {"ü&"}}}, "h.test", "h.test:80", "/engine.io/", with(url.Values{"b": {"ü&"}})},
		"not that of the protocol": {"http://h.test/?EIO=2&transport=x&sid=forged&ok=1", engineio.DialOptions{}, "h.test", "h.test:80", "/engine.io/", with(url.Values{"ok": {"1"}})},
		"revision 3":               {"http://h.test", engineio.DialOptions{EngineVersion: 3}, "h.test", "h.test:80", "/engine.io/", with(url.Values{"EIO": {"3"}})},
		"ForceBase64":              {"http://h.test", engineio.DialOptions{ForceBase64: true}, "h.test", "h.test:80", "/engine.io/", with(url.Values{"b64": {"1"}})},
	} {
		for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
			t.Run(name+" by "+transport, func(t *testing.T) {
				t.Parallel()
				opts := row.opts
				opts.Transports = []string{transport}
				got := capture(t, row.url, opts)
				query := got.r.URL.Query()
				check(t, transport == engineio.Polling, query.Has("t"))
				query.Del("t")
				check(t, row.query(transport), query)
				check(t, []string{row.host, row.addr, row.path}, []string{got.r.Host, got.addr, got.r.URL.Path})
			})
		}
	}
}

// captured is a request with the address that was dialled for it.
type captured struct {
	r    *http.Request
	addr string
}

// capture returns the first request of a Dial, which is refused.
func capture(t *testing.T, rawURL string, opts engineio.DialOptions) captured {
	t.Helper()
	var got captured
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		listener, err := network.Listen("127.0.0.1:80")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got.r = r.Clone(context.Background())
			w.WriteHeader(http.StatusTeapot)
		})}
		defer func() { _ = server.Close() }()
		go func() { _ = server.Serve(listener) }()
		opts.DialContext = func(ctx context.Context, netw, addr string) (net.Conn, error) {
			got.addr = addr
			return network.DialContext(ctx, netw, "127.0.0.1:80")
		}
		_, err = engineio.Dial(t.Context(), rawURL, &opts, newWitness())
		check(t, http.StatusTeapot, asEngineError(t, err).Status)
	})
	return got
}

// TestDialHeader: the header of the options and of each transport, Host and basic authentication.
func TestDialHeader(t *testing.T) {
	t.Parallel()
	opts := engineio.DialOptions{
		Header: http.Header{"authorization": {"Bearer x"}, "X-All": {"1", "2"}, "Host": {"virtual.test"}},
		TransportHeader: map[string]http.Header{
			engineio.Polling: {"X-All": {"polling"}}, engineio.WebSocket: {"X-Ws": {"1"}, "Origin": {"http://page.test"}},
		},
	}
	for transport, want := range map[string][]string{
		engineio.Polling:   {"Bearer x", "polling", "", "", "virtual.test"},
		engineio.WebSocket: {"Bearer x", "1,2", "1", "http://page.test", "virtual.test"},
	} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			o := opts
			o.Transports = []string{transport}
			r := capture(t, "http://h.test", o).r
			check(t, want, []string{
				r.Header.Get("Authorization"), strings.Join(r.Header.Values("X-All"), ","), r.Header.Get("X-Ws"),
				r.Header.Get("Origin"), r.Host,
			})
			o = engineio.DialOptions{Transports: []string{transport}}
			user, password, ok := capture(t, "http://me:secret@h.test", o).r.BasicAuth()
			check(t, []any{"me", "secret", true}, []any{user, password, ok})
		})
	}
}

// TestDialTimestamps: the parameter is new with each request, can be renamed, left out, and added for WebSocket.
func TestDialTimestamps(t *testing.T) {
	t.Parallel()
	polling := []string{engineio.Polling}
	for name, row := range map[string]struct {
		opts  engineio.DialOptions
		param string
		want  bool
	}{
		"polling":            {engineio.DialOptions{Transports: polling}, "t", true},
		"polling, renamed":   {engineio.DialOptions{Transports: polling, TimestampParam: "ts"}, "ts", true},
		"polling, none":      {engineio.DialOptions{Transports: polling, DisableTimestamps: true}, "t", false},
		"WebSocket":          {engineio.DialOptions{Transports: webSocketOnly}, "t", false},
		"WebSocket, with it": {engineio.DialOptions{Transports: webSocketOnly, TimestampWebSocket: true}, "t", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := capture(t, "http://h.test", row.opts).r.URL.Query()
			second := capture(t, "http://h.test", row.opts).r.URL.Query()
			check(t, row.want, first.Has(row.param))
			check(t, row.want, first.Get(row.param) != second.Get(row.param))
		})
	}
}

// TestDialInvalid: what cannot be used is refused before anything is dialled.
func TestDialInvalid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		url   string
		opts  engineio.DialOptions
		field string
	}{
		"no URL":                 {"http://%zz", engineio.DialOptions{}, "url"},
		"no scheme":              {"host.test/x", engineio.DialOptions{}, "url"},
		"other scheme":           {"ftp://host.test", engineio.DialOptions{}, "url"},
		"no host":                {"http:///x", engineio.DialOptions{}, "url"},
		"transport":              {"http://h.test", engineio.DialOptions{Transports: []string{"webtransport"}}, "Transports"},
		"no transport":           {"http://h.test", engineio.DialOptions{Transports: []string{}}, "Transports"},
		"header of a transport":  {"http://h.test", engineio.DialOptions{TransportHeader: map[string]http.Header{"x": nil}}, "TransportHeader"},
		"version":                {"http://h.test", engineio.DialOptions{EngineVersion: 5}, "EngineVersion"},
		"path":                   {"http://h.test", engineio.DialOptions{Path: "engine.io"}, "Path"},
		"request timeout":        {"http://h.test", engineio.DialOptions{RequestTimeout: -1}, "RequestTimeout"},
		"read limit":             {"http://h.test", engineio.DialOptions{ReadLimit: -1}, "ReadLimit"},
		"queue":                  {"http://h.test", engineio.DialOptions{Queue: engineio.QueueLimits{Bytes: -1}}, "Queue"},
		"header that is none":    {"http://h.test", engineio.DialOptions{Header: http.Header{"a b": {"c"}}}, "Header"},
		"header smuggled in":     {"http://h.test", engineio.DialOptions{Header: http.Header{"A": {"b\r\nC: d"}}}, "Header"},
		"header of the protocol": {"http://h.test", engineio.DialOptions{Header: http.Header{"Upgrade": {"x"}}}, "Header"},
		"subprotocol":            {"http://h.test", engineio.DialOptions{Subprotocols: []string{"a b"}}, "Subprotocols"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialled")
				return nil, io.EOF
			}
			_, err := engineio.Dial(t.Context(), row.url, &row.opts, newWitness())
			checkIs(t, err, sioclient.ErrInvalid, errkit.Invalid, errkit.NotSent)
			checkField(t, row.field, err)
		})
	}
	_, err := engineio.Dial(t.Context(), "http://h.test", nil, nil)
	checkField(t, "handler", err)
}

func checkField(t *testing.T, field string, err error) {
	t.Helper()
	e, ok := errors.AsType[*sioclient.InvalidError](err)
	if !ok {
		t.Fatalf("got %v, want an *InvalidError", err)
	}
	check(t, field, e.Field)
}

// TestDialTLS: https and wss with an authority of one's own, and without.
func TestDialTLS(t *testing.T) {
	t.Parallel()
	ca, err := certs.NewCA("test authority")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := engineio.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(engine)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = quietLog()
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(func() { _ = engine.Close() })
	for _, transport := range []string{engineio.Polling, engineio.WebSocket} {
		opts := &engineio.DialOptions{Transports: []string{transport}, TLSConfig: &tls.Config{RootCAs: ca.Pool()}}
		for _, scheme := range []string{"https", "wss"} {
			conn, err := engineio.Dial(t.Context(), strings.Replace(server.URL, "https", scheme, 1), opts, newWitness())
			if err != nil {
				t.Fatal(err)
			}
			finish(conn)
		}
		opts.TLSConfig = nil
		_, err = engineio.Dial(t.Context(), server.URL, opts, newWitness())
		checkIs(t, err, sioclient.ErrEngine)
		if !strings.Contains(err.Error(), "certificate") {
			t.Error(err)
		}
	}
}

// TestDialProxy: both transports ask the proxy.
func TestDialProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for transport, want := range map[string]string{
		engineio.Polling: "GET far.test", engineio.WebSocket: "CONNECT far.test:80",
	} {
		_, err := engineio.Dial(t.Context(), "http://far.test", &engineio.DialOptions{
			Transports: []string{transport}, Proxy: http.ProxyURL(address),
		}, newWitness())
		check(t, http.StatusForbidden, asEngineError(t, err).Status)
		check(t, want, <-asked)
	}
}
