//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// TestDial lets wsconn be the client of a Node.js server.
func TestDial(t *testing.T) {
	plain, deflate := nodeServer(t)

	t.Run("echo", func(t *testing.T) {
		for _, tc := range []struct {
			name, server string
			compression  wsconn.Compression
		}{
			{name: "plain", server: plain},
			{name: "offer declined", server: plain, compression: wsconn.CompressionContextTakeover},
			{name: "context takeover", server: deflate, compression: wsconn.CompressionContextTakeover},
			{name: "no context takeover", server: deflate, compression: wsconn.CompressionNoContextTakeover},
		} {
			t.Run(tc.name, func(t *testing.T) {
				conn := dial(t, tc.server+"/echo", &wsconn.DialOptions{Options: wsconn.Options{Compression: tc.compression}})
				if want := tc.compression != wsconn.CompressionOff && tc.server == deflate; conn.Compressed() != want {
					t.Errorf("compressed = %v, want %v", conn.Compressed(), want)
				}
				echo(t, conn)
			})
		}
	})

	t.Run("many at once", func(t *testing.T) {
		conn := dial(t, plain+"/echo", nil)
		batch := make([]wsconn.Message, 5000)
		for i := range batch {
			batch[i] = wsconn.Message{Type: wsconn.Binary, Data: bytes.Repeat([]byte{byte(i)}, i%300)}
		}
		done := make(chan error, 1)
		go func() {
			_, err := conn.WriteBatch(batch)
			done <- err
		}()
		for i := range batch {
			typ, msg, err := conn.Read(nil)
			if err != nil {
				t.Fatal(err)
			}
			if typ != batch[i].Type || !bytes.Equal(msg, batch[i].Data) {
				t.Fatalf("message %d: %v of %d bytes", i, typ, len(msg))
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	t.Run("fragments", func(t *testing.T) {
		expect(t, dial(t, plain+"/fragments", nil), "one,two,three")
	})

	t.Run("their ping", func(t *testing.T) {
		expect(t, dial(t, plain+"/ping", nil), "pong:are you there")
	})

	t.Run("our ping", func(t *testing.T) {
		conn := dial(t, plain+"/echo", nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _, _ = conn.Read(nil) // ends with the connection
		}()
		rtt, err := conn.Ping(deadline(t))
		if err != nil || rtt <= 0 {
			t.Errorf("ping = %v, %v", rtt, err)
		}
		_ = conn.CloseNow()
		<-ended
	})

	t.Run("too big", func(t *testing.T) {
		conn := dial(t, plain+"/big?n=1048577", nil)
		_, _, err := conn.Read(nil)
		e, ok := errors.AsType[*wsclient.MessageTooBigError](err)
		if !ok || e.Size != 1<<20+1 || e.Limit != 1<<20 {
			t.Errorf("error = %v", err)
		}
	})

	t.Run("largest", func(t *testing.T) {
		conn := dial(t, plain+"/big?n=1048576", nil)
		if _, msg, err := conn.Read(nil); err != nil || len(msg) != 1<<20 {
			t.Errorf("%d bytes, %v", len(msg), err)
		}
	})

	t.Run("subprotocol", func(t *testing.T) {
		conn := dial(t, plain+"/echo", &wsconn.DialOptions{Subprotocols: []string{"v1.field", "v2.field"}})
		if got := conn.Subprotocol(); got != "v2.field" {
			t.Errorf("subprotocol = %q", got)
		}
	})

	t.Run("their close", func(t *testing.T) {
		for _, tc := range []struct {
			query  string
			code   int
			reason string
			kind   errkit.Kind
		}{
			{query: "?code=1000&reason=done", code: 1000, reason: "done", kind: errkit.Disconnected},
			{query: "", code: 1005, kind: errkit.Disconnected},
			{query: "?code=1001", code: 1001, kind: errkit.Unavailable},
			{query: "?code=1008&reason=policy", code: 1008, reason: "policy", kind: errkit.Denied},
			{query: "?code=1011", code: 1011, kind: errkit.Internal},
			{query: "?code=1013", code: 1013, kind: errkit.Busy},
			{query: "?code=4401&reason=gr%C3%BC%C3%9Fe", code: 4401, reason: "grüße", kind: errkit.Disconnected},
		} {
			t.Run(tc.query, func(t *testing.T) {
				_, _, err := dial(t, plain+"/close"+tc.query, nil).Read(nil)
				e, ok := errors.AsType[*wsclient.ClosedError](err)
				if !ok || e.Code != tc.code || e.Reason != tc.reason || !e.Remote || !errors.Is(err, tc.kind) {
					t.Errorf("error = %+v", err)
				}
			})
		}
	})

	t.Run("our close", func(t *testing.T) {
		conn := dial(t, plain+"/tell", nil)
		if err := conn.Close(4002, "that was all"); err != nil {
			t.Fatal(err)
		}
		told := dial(t, plain+"/told", nil)
		for { // the server hears of the close a moment later
			if err := told.Write(wsconn.Text, []byte("?")); err != nil {
				t.Fatal(err)
			}
			_, msg, err := told.Read(nil)
			if err != nil {
				t.Fatal(err)
			}
			if string(msg) == "null" {
				continue
			}
			if d := cmp.Diff(`{"code":4002,"reason":"that was all"}`, string(msg)); d != "" {
				t.Errorf("the server saw (-want +got):\n%s", d)
			}
			return
		}
	})

	t.Run("cut", func(t *testing.T) {
		_, _, err := dial(t, plain+"/cut", nil).Read(nil)
		if e, ok := errors.AsType[*wsclient.ClosedError](err); !ok || e.Code != 1006 || !errors.Is(err, errkit.Disconnected) {
			t.Errorf("error = %v", err)
		}
	})

	t.Run("refused", func(t *testing.T) {
		_, err := wsconn.Dial(deadline(t), plain+"/refuse", nil)
		e, ok := errors.AsType[*wsclient.HandshakeError](err)
		if !ok {
			t.Fatalf("error = %v", err)
		}
		var body struct{ OK *bool }
		if json.Unmarshal(e.Body, &body) != nil || body.OK == nil || e.StatusCode != http.StatusUnauthorized ||
			e.RetryAfter != 7*time.Second || !errors.Is(err, errkit.Auth) {
			t.Errorf("error = %+v, body %q", e, e.Body)
		}
	})
}

func dial(t *testing.T, url string, opts *wsconn.DialOptions) *wsconn.Conn {
	t.Helper()
	conn, err := wsconn.Dial(deadline(t), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func expect(t *testing.T, conn *wsconn.Conn, want string) {
	t.Helper()
	typ, msg, err := conn.Read(nil)
	if err != nil || typ != wsconn.Text || string(msg) != want {
		t.Errorf("got %v %q, %v; want text %q", typ, msg, err, want)
	}
}

// echo sends messages of all sorts and wants each of them back.
func echo(t *testing.T, conn *wsconn.Conn) {
	t.Helper()
	for _, msg := range []wsconn.Message{
		{Type: wsconn.Text, Data: []byte("grüße")},
		{Type: wsconn.Text, Data: []byte{}},
		{Type: wsconn.Binary, Data: []byte{0, 1, 2, 255}},
		{Type: wsconn.Text, Data: []byte(strings.Repeat("x", 125))},
		{Type: wsconn.Text, Data: []byte(strings.Repeat("x", 126))},
		{Type: wsconn.Text, Data: []byte(strings.Repeat("x", 65535))},
		{Type: wsconn.Binary, Data: bytes.Repeat([]byte("abcdefgh"), 1<<17)},
	} {
		sent := make(chan error, 1)
		go func() { sent <- conn.Write(msg.Type, msg.Data) }()
		typ, got, err := conn.Read(nil)
		if err != nil {
			t.Fatal(err)
		}
		if typ != msg.Type || !bytes.Equal(got, msg.Data) {
			t.Errorf("%v of %d bytes came back as %v of %d", msg.Type, len(msg.Data), typ, len(got))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
}
