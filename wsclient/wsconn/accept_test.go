package wsconn_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// serve accepts requests and sends the outcome to the channel.
func serve(t *testing.T, opts *wsconn.AcceptOptions) (*httptest.Server, <-chan error) {
	t.Helper()
	outcome := make(chan error, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsconn.Accept(w, r, opts)
		outcome <- err
		if err == nil {
			defer c.CloseNow()
			wstest.Echo(c)
		}
	}))
	t.Cleanup(srv.Close)
	return srv, outcome
}

// Requests that are no upgrade, or come from pages of other sites, are turned down with a fitting status.
func TestAcceptRefusals(t *testing.T) {
	t.Parallel()
	proper := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	for _, tt := range []struct {
		name   string
		method string
		header map[string]string
		opts   wsconn.AcceptOptions
		status int
	}{
		{"proper", "GET", nil, wsconn.AcceptOptions{}, 101},
		{"POST", "POST", nil, wsconn.AcceptOptions{}, 405},
		{"no connection", "GET", map[string]string{"Connection": ""}, wsconn.AcceptOptions{}, 426},
		{"no upgrade", "GET", map[string]string{"Upgrade": "h2c"}, wsconn.AcceptOptions{}, 426},
		{"old version", "GET", map[string]string{"Sec-Websocket-Version": "8"}, wsconn.AcceptOptions{}, 400},
		{"no key", "GET", map[string]string{"Sec-Websocket-Key": ""}, wsconn.AcceptOptions{}, 400},
		{"bad key", "GET", map[string]string{"Sec-Websocket-Key": "short"}, wsconn.AcceptOptions{}, 400},
		{"other origin", "GET", map[string]string{"Origin": "https://evil.example"}, wsconn.AcceptOptions{}, 403},
		{"bad origin", "GET", map[string]string{"Origin": "://"}, wsconn.AcceptOptions{}, 403},
		{
			"pattern", "GET",
			map[string]string{"Origin": "https://a.good.example"},
			wsconn.AcceptOptions{OriginPatterns: []string{"*.good.example"}},
			101,
		},
		{
			"pattern with scheme", "GET",
			map[string]string{"Origin": "http://a.good.example"},
			wsconn.AcceptOptions{OriginPatterns: []string{"https://*.good.example"}},
			403,
		},
		{
			"any origin", "GET",
			map[string]string{"Origin": "https://evil.example"},
			wsconn.AcceptOptions{AllowAnyOrigin: true},
			101,
		},
		{"no upgrade, late answer", "GET", map[string]string{"Upgrade": "h2c"}, wsconn.AcceptOptions{LateAnswer: true}, 426},
		{
			"other origin, late answer", "GET",
			map[string]string{"Origin": "https://evil.example"},
			wsconn.AcceptOptions{LateAnswer: true},
			403,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv, outcome := serve(t, &tt.opts)
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range proper {
				req.Header.Set(k, v)
			}
			for k, v := range tt.header {
				req.Header.Set(k, v)
				if v == "" {
					req.Header.Del(k)
				}
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("status %d", resp.StatusCode)
			}
			err = <-outcome
			if tt.status == 101 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := want[*wsconn.HandshakeError](t, err)
			if e.StatusCode != tt.status || e.Status != resp.Status || e.Op != "accept" || !errors.Is(err, errkit.HTTPKind(tt.status)) {
				t.Errorf("got %+v", e)
			}
		})
	}
}

// Options that cannot be used are the server's fault.
func TestAcceptBadOptions(t *testing.T) {
	t.Parallel()
	for field, opts := range map[string]wsconn.AcceptOptions{
		"OriginPatterns": {OriginPatterns: []string{"["}},
		"Subprotocols":   {Subprotocols: []string{""}},
		"ReadBuffer":     {Options: wsconn.Options{ReadBuffer: 1}},
	} {
		srv, outcome := serve(t, &opts)
		err := dialError(t, srv.URL, nil)
		if e := want[*wsconn.HandshakeError](t, err); e.StatusCode != 500 {
			t.Errorf("%s: status %d", field, e.StatusCode)
		}
		if e := want[*wsconn.ConfigError](t, <-outcome); e.Field != field {
			t.Errorf("%s: got %v", field, e)
		}
	}
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		offered, spoken []string
		chosen          string
	}{
		{nil, nil, ""},
		{[]string{"a", "b"}, nil, ""},
		{nil, []string{"a"}, ""},
		{[]string{"a", "b"}, []string{"b", "a"}, "b"},
		{[]string{"a"}, []string{"c"}, ""},
	} {
		srv, _ := serve(t, &wsconn.AcceptOptions{Subprotocols: tt.spoken})
		c := dial(t, srv.URL, &wsconn.DialOptions{Subprotocols: tt.offered})
		if got := c.Subprotocol(); got != tt.chosen {
			t.Errorf("%v with %v: %q", tt.offered, tt.spoken, got)
		}
		if c.Response().StatusCode != 101 || c.LocalAddr() == nil || c.RemoteAddr().String() == "" {
			t.Error("no response or addresses")
		}
	}
}

// HTTP/2 knows no upgrade: such a request is turned down, and Dial makes one of HTTP/1.1 even where the server can more.
func TestAcceptHTTP2(t *testing.T) {
	t.Parallel()
	outcome := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsconn.Accept(w, r, nil)
		outcome <- err
		if err == nil {
			c.CloseNow()
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("got %s %s", resp.Proto, resp.Status)
	}
	want[*wsconn.HandshakeError](t, <-outcome)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	c := dial(t, srv.URL, &wsconn.DialOptions{TLSConfig: config})
	if err := <-outcome; err != nil || c.Response().ProtoMajor != 1 {
		t.Errorf("got %v, %s", err, c.Response().Proto)
	}
}

// Frames that come in one packet with the request are not lost, and are counted.
func TestAcceptReadsAhead(t *testing.T) {
	t.Parallel()
	stats := make(chan wsconn.Stats, 1)
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		_, msg, err := c.Read(nil)
		if err != nil || c.Write(wsconn.Text, msg) != nil {
			t.Error(err)
		}
		stats <- c.Stats()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	conn, err := net.Dial("tcp", srv.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	early := wstest.Frame{Opcode: wstest.OpText, Payload: []byte("early"), Masked: true, Key: [4]byte{9, 8, 7, 6}}
	if _, err := conn.Write(early.Append([]byte(request))); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	f, err := wstest.ReadFrame(in)
	if err != nil || string(f.Payload) != "early" {
		t.Errorf("got %v %q, %v", f, f.Payload, err)
	}
	if got, sent := (<-stats).BytesIn, int64(len(early.Bytes())); got != sent {
		t.Errorf("%d bytes in, want %d", got, sent)
	}
}

// A client that does not mask its frames breaks the protocol.
func TestAcceptUnmasked(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		_, _, err := c.Read(nil)
		failed <- err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	conn, err := net.Dial("tcp", srv.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, _, err := wstest.Connect(conn, srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Raw(wstest.Text("bare").Bytes()); err != nil {
		t.Fatal(err)
	}
	if e := want[*wsconn.ProtocolError](t, <-failed); !strings.Contains(e.ProtocolError, "mask") {
		t.Errorf("got %v", e)
	}
	if f, err := s.Next(); err != nil || f.Opcode != wstest.OpClose {
		t.Errorf("got %v, %v", f, err)
	}
}

// wrapped is a response writer of a middleware.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Middleware that can be unwrapped is no obstacle; a connection that cannot be taken over gives a status.
func TestAcceptHijack(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := wsconn.Accept(wrapped{w}, r, nil); err != nil {
			t.Error(err)
		} else {
			defer c.CloseNow()
			wstest.Echo(c)
		}
	}))
	t.Cleanup(srv.Close)
	c := dial(t, srv.URL, nil)
	if err := c.Write(wsconn.Text, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(nil); err != nil {
		t.Error(err)
	}

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	_, err := wsconn.Accept(w, r, nil)
	if e := want[*wsconn.HandshakeError](t, err); e.StatusCode != 501 || w.Code != 501 {
		t.Errorf("got %v, answered %d", err, w.Code)
	}
}
