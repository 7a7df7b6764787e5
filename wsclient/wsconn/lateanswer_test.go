package wsconn_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// late accepts one connection with LateAnswer for the handler, and returns the end of a client that has sent its request.
// It must run in a bubble.
func late(t *testing.T, n *netem.Network, opts wsconn.Options, handler func(*wsconn.Conn)) (net.Conn, *bufio.Reader) {
	t.Helper()
	l, err := n.Listen("server:80")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := wstest.Start(&wstest.Options{
		Listener: l, Handler: handler, Accept: &wsconn.AcceptOptions{Options: opts, LateAnswer: true},
		Request: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-Own", "kept")
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	conn, err := n.DialContext(t.Context(), "tcp", "server:80")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// readAnswer reads the answer to the request, whose key is that of RFC 6455, section 1.3.
func readAnswer(t *testing.T, r *bufio.Reader) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != "101 Switching Protocols" || resp.Header.Get("X-Own") != "kept" ||
		!strings.EqualFold(resp.Header.Get("Connection"), "upgrade") || !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") ||
		resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s, %v", resp.Status, resp.Header)
	}
}

// A late answer goes out with the first write, in front of it, and not before.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 40_000) // goes past the batch
	for _, tt := range []struct {
		name     string
		messages []string
		writes   int64
	}{
		{"short", []string{"hello"}, 1},
		{"empty", []string{""}, 1},
		{"length of two bytes", []string{strings.Repeat("x", 126)}, 1},
		{"several", []string{"one", "two", "three"}, 1},
		{"long", []string{long}, 2},
		{"short and long", []string{"short", long, "short"}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, n *netem.Network) {
				speak, stats, said := make(chan struct{}), make(chan wsconn.Stats, 1), make(chan struct{})
				_, r := late(t, n, wsconn.Options{}, func(c *wsconn.Conn) {
					<-speak
					var batch []wsconn.Message
					for _, m := range tt.messages {
						batch = append(batch, wsconn.Message{Type: wsconn.Text, Data: []byte(m)})
					}
					if sent, err := c.WriteBatch(batch); sent != len(batch) || err != nil {
						t.Error(sent, err)
					}
					stats <- c.Stats()
					close(said)
					<-c.Done()
				})
				arrived := make(chan struct{})
				go func() {
					_, _ = r.Peek(1)
					close(arrived)
				}()
				synctest.Wait()
				select {
				case <-arrived:
					t.Error("answered before the first message")
				default:
				}
				close(speak)
				<-arrived
				readAnswer(t, r)
				for _, m := range tt.messages {
					f, err := wstest.ReadFrame(r)
					if err != nil || string(f.Payload) != m || f.Opcode != wstest.OpText || f.Masked || f.More || f.RSV != 0 {
						t.Fatalf("got %v, %v, want %d bytes", f, err, len(m))
					}
				}
				<-said
				if s := <-stats; s.Writes > tt.writes {
					t.Errorf("%d writes", s.Writes)
				}
			})
		})
	}
}

// With compression, where the library writes, the answer is in front as well.
func TestLateAnswerCompressed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		opts := wsconn.Options{Compression: wsconn.CompressionNoContextTakeover, CompressionThreshold: 1}
		_, r := late(t, n, opts, func(c *wsconn.Conn) {
			if err := c.Write(wsconn.Text, bytes.Repeat([]byte("x"), 1000)); err != nil || !c.Compressed() {
				t.Error(err, c.Compressed())
			}
			<-c.Done()
		})
		readAnswer(t, r)
		if f, err := wstest.ReadFrame(r); err != nil || f.RSV != 4 || len(f.Payload) > 100 {
			t.Errorf("got %v, %v", f, err)
		}
	})
}

// A connection that is closed before anything was written is answered, and closed in good order.
func TestLateAnswerClose(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		conn, r := late(t, n, wsconn.Options{}, func(c *wsconn.Conn) {
			if err := c.Close(1001, "busy"); err != nil {
				t.Error(err)
			}
		})
		readAnswer(t, r)
		f, err := wstest.ReadFrame(r)
		if code, reason := f.Close(); err != nil || code != 1001 || reason != "busy" {
			t.Errorf("got %v, %v", f, err)
		}
		if _, err := conn.Write(wstest.Frame{Opcode: wstest.OpClose, Masked: true, Payload: []byte{3, 233}}.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

// A connection that is given up before anything was written has not been answered.
func TestLateAnswerCloseNow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		_, r := late(t, n, wsconn.Options{}, func(c *wsconn.Conn) { c.CloseNow() })
		if b, err := r.Peek(1); err == nil {
			t.Errorf("got %q", b)
		}
	})
}

// If the client has gone, the first write fails, and what it was to send counts as unsent.
func TestLateAnswerFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		cut, done := make(chan struct{}), make(chan struct{})
		late(t, n, wsconn.Options{}, func(c *wsconn.Conn) {
			defer close(done)
			<-cut
			sent, err := c.WriteBatch([]wsconn.Message{{Type: wsconn.Text, Data: []byte("hello")}})
			e := want[*wsconn.ClosedError](t, err)
			if sent != 0 || c.Err() != err || !errors.Is(err, errkit.Disconnected) {
				t.Errorf("%d sent, %+v", sent, e)
			}
		})
		synctest.Wait()
		n.ResetAll()
		close(cut)
		<-done
	})
}
