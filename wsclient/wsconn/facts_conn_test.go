package wsconn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// These are the other facts of the library, those that take more than one goroutine: see facts_test.go.

// A context that ends makes Ping return and leaves the connection alone, even when the ping cannot be written.
func TestF05PingContext(t *testing.T) {
	t.Parallel()
	t.Run("waiting for the pong", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			read(p.client)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			start := time.Now()
			_, err := p.client.Ping(ctx) // nobody reads on the other side
			e := want[*wsconn.TimeoutError](t, err)
			if e.Op != "ping" || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
			_, err = p.client.Ping(canceled())
			if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.Canceled) || !errors.Is(err, wsconn.Err) {
				t.Errorf("got %v", err)
			}
			read(p.server)
			if _, err := p.client.Ping(t.Context()); err != nil {
				t.Errorf("the connection is gone: %v", err)
			}
		})
	})
	t.Run("behind a blocked write", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{Options: wsconn.Options{WriteTimeout: -1}}, wsconn.AcceptOptions{})
			read(p.client)
			wrote := make(chan error, 1)
			go func() { wrote <- p.client.Write(wsconn.Binary, make([]byte, 1<<20)) }()
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
			defer cancel()
			if _, err := p.client.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			read(p.server) // takes the message
			if err := <-wrote; err != nil {
				t.Error(err)
			}
			if _, err := p.client.Ping(t.Context()); err != nil {
				t.Errorf("the connection is gone: %v", err)
			}
		})
	})
}

// Text is checked to be UTF-8, and frames to be masked by clients only; the library does neither.
func TestF06WhatTheLibraryLetsPass(t *testing.T) {
	t.Parallel()
	badText := wstest.Text("bad \xff")
	masked := wstest.Frame{Opcode: wstest.OpText, Payload: []byte("masked"), Masked: true, Key: [4]byte{1, 2, 3, 4}}
	for _, tt := range []struct {
		name  string
		opts  wsconn.Options
		frame wstest.Frame
		code  int // 0 if the message passes
	}{
		{"bad text", wsconn.Options{}, badText, 1007},
		{"bad text, unchecked", wsconn.Options{SkipUTF8: true}, badText, 0},
		{"same bytes as binary", wsconn.Options{}, wstest.Binary(badText.Payload), 0},
		{"masked by the server", wsconn.Options{}, masked, 1002},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer := make(chan wstest.Frame, 1)
			c := dialScript(t, &wsconn.DialOptions{Options: tt.opts}, upgraded(func(s *wstest.Session) error {
				err := s.Send(wstest.Text("good"), tt.frame, wstest.Text("after"))
				f, _ := s.Next()
				answer <- f
				return err
			}))
			if _, msg, err := c.Read(nil); err != nil || string(msg) != "good" {
				t.Fatalf("%q, %v", msg, err)
			}
			_, msg, err := c.Read(nil)
			if tt.code == 0 {
				if err != nil || !bytes.Equal(msg, tt.frame.Payload) {
					t.Errorf("got %q, %v", msg, err)
				}
				return
			}
			if e := want[*wsconn.ProtocolError](t, err); e.CloseCode != tt.code {
				t.Errorf("close code is %d", e.CloseCode)
			}
			if code, _ := (<-answer).Close(); code != tt.code {
				t.Errorf("the peer was told %d", code)
			}
		})
	}
	t.Run("text split inside a rune", func(t *testing.T) {
		t.Parallel()
		c := dialScript(t, nil, sends(
			wstest.Frame{Opcode: wstest.OpText, Payload: []byte("gr\xc3"), More: true},
			wstest.Frame{Opcode: wstest.OpContinuation, Payload: []byte("\xbcn")}))
		if _, msg, err := c.Read(nil); err != nil || string(msg) != "grün" {
			t.Errorf("got %q, %v", msg, err)
		}
	})
}

// Close takes CloseTimeout at most, not the five seconds of the library, and CloseNow cuts it short.
func TestF07CloseIsBounded(t *testing.T) {
	t.Parallel()
	for _, reading := range []bool{false, true} {
		t.Run(fmt.Sprint("silent peer, reading ", reading), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, n *netem.Network) {
				c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded((*wstest.Session).Hold))
				var done <-chan error
				if reading {
					done = read(c)
				}
				start := time.Now()
				e := want[*wsconn.TimeoutError](t, c.Close(1000, "bye"))
				if e.Op != "close" || e.Limit != time.Second || time.Since(start) != time.Second {
					t.Errorf("%v after %v", e, time.Since(start))
				}
				if reading {
					closed := want[*wsconn.ClosedError](t, <-done)
					if closed.Remote || closed.Code != 1000 || !errors.Is(closed, net.ErrClosed) {
						t.Errorf("reader got %v", closed)
					}
				}
			})
		})
	}
	t.Run("CloseNow during Close", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{Options: wsconn.Options{CloseTimeout: time.Hour}},
				upgraded((*wstest.Session).Hold))
			start := time.Now()
			var closing sync.WaitGroup
			closing.Go(func() { c.Close(1000, "") })
			time.Sleep(time.Second)
			if err := c.CloseNow(); err != nil {
				t.Error(err)
			}
			closing.Wait()
			if time.Since(start) != time.Second {
				t.Errorf("took %v", time.Since(start))
			}
		})
	})
	t.Run("writes stuck", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded((*wstest.Session).Hold))
			wrote := make(chan error, 1)
			go func() { wrote <- c.Write(wsconn.Binary, make([]byte, 1<<20)) }()
			time.Sleep(time.Second)
			start := time.Now()
			want[*wsconn.TimeoutError](t, c.Close(1000, ""))
			if time.Since(start) > 2*time.Second {
				t.Errorf("took %v", time.Since(start))
			}
			want[*wsconn.ClosedError](t, <-wrote)
		})
	})
	t.Run("bad arguments", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded((*wstest.Session).Echo))
			for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1} {
				if e := want[*wsconn.ConfigError](t, c.Close(code, "")); e.Field != "code" {
					t.Errorf("code %d: field %q", code, e.Field)
				}
			}
			for _, reason := range []string{strings.Repeat("x", 124), "\xff"} {
				if e := want[*wsconn.ConfigError](t, c.Close(1000, reason)); e.Field != "reason" {
					t.Errorf("field %q", e.Field)
				}
			}
			if err := c.Write(wsconn.Text, []byte("still here")); err != nil {
				t.Error(err)
			}
			if _, msg, err := c.Read(nil); err != nil || string(msg) != "still here" {
				t.Errorf("%q, %v", msg, err)
			}
			if err := c.Close(4999, strings.Repeat("x", 123)); err != nil {
				t.Error(err)
			}
		})
	})
}

// The context of Dial has no effect on the connection; reads and writes have none.
func TestF08ContextOfDial(t *testing.T) {
	t.Parallel()
	peer := play(t, upgraded((*wstest.Session).Echo))
	ctx, cancel := context.WithCancel(t.Context())
	c, err := wsconn.Dial(ctx, peer.URL(), nil)
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for range 3 {
		if err := c.Write(wsconn.Text, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, msg, err := c.Read(nil); err != nil || string(msg) != "hello" {
			t.Fatalf("%q, %v", msg, err)
		}
	}
}

// F-9 and F-10 are in dial_test.go and redirect_test.go.

// Writes of many goroutines do not mix, and control frames are answered while a long message is on its way; the
// library gives up on a pong after five seconds.
func TestF11ConcurrentWrites(t *testing.T) {
	t.Parallel()
	t.Run("messages stay whole", func(t *testing.T) {
		t.Parallel()
		c := dialScript(t, nil, upgraded((*wstest.Session).Echo))
		const writers, each = 8, 50
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				msg := bytes.Repeat([]byte{byte('a' + w)}, 1+w*1500)
				for i := range each {
					var err error
					if i%2 == 0 {
						err = c.Write(wsconn.Text, msg)
					} else {
						_, err = c.WriteBatch([]wsconn.Message{{wsconn.Text, msg}, {wsconn.Binary, msg}})
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		writing.Go(func() {
			for range 20 {
				if _, err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		var buf []byte
		for range writers * each * 3 / 2 {
			_, msg, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if n := 1 + int(msg[0]-'a')*1500; len(msg) != n || bytes.Count(msg, msg[:1]) != n {
				t.Fatalf("message of %q has %d bytes", msg[0], len(msg))
			}
			buf = msg
		}
		go func() { // the last pongs
			for {
				if _, _, err := c.Read(nil); err != nil {
					return
				}
			}
		}()
		writing.Wait()
	})
	t.Run("pong behind a slow message", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
			p.link.Bandwidth(netem.Up, 10_000) // a message of 300 KB takes half a minute
			client, server := read(p.client), read(p.server)
			wrote := make(chan error, 1)
			go func() { wrote <- p.client.Write(wsconn.Binary, make([]byte, 300_000)) }()
			time.Sleep(time.Second)
			start := time.Now()
			if _, err := p.server.Ping(t.Context()); err != nil {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
			if time.Since(start) < 20*time.Second {
				t.Errorf("pong overtook the message after %v", time.Since(start))
			}
			if err := <-wrote; err != nil {
				t.Error(err)
			}
			p.client.Close(1000, "")
			want[*wsconn.ClosedError](t, <-client)
			want[*wsconn.ClosedError](t, <-server)
		})
	})
	t.Run("flood of pings", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, n *netem.Network) {
			const pings = 10_000
			c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
				// Nothing of the client is read until all is sent.
				for i := range pings {
					if err := s.Send(wstest.Ping(fmt.Sprint(i))); err != nil {
						return err
					}
				}
				if err := s.Send(wstest.Text("data")); err != nil {
					return err
				}
				for {
					f, err := s.Next()
					if err != nil {
						return err
					}
					if string(f.Payload) == fmt.Sprint(pings-1) {
						return s.Send(wstest.CloseFrame(1000, "seen the last"))
					}
				}
			}))
			if _, msg, err := c.Read(nil); err != nil || string(msg) != "data" {
				t.Fatalf("%q, %v", msg, err)
			}
			_, _, err := c.Read(nil)
			if e := want[*wsconn.ClosedError](t, err); e.Reason != "seen the last" {
				t.Errorf("got %v", err)
			}
		})
	})
}

// A refused upgrade leaves nothing behind, and the request is one that can be upgraded.
func TestF12TransportOfItsOwn(t *testing.T) {
	leak.Check(t)
	requests := make(chan *http.Request, 1)
	srv, err := wstest.Start(&wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
		requests <- r
		w.WriteHeader(http.StatusTeapot)
		return false
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	for range 10 {
		_, err := wsconn.Dial(t.Context(), srv.URL()+"/path?q=1", &wsconn.DialOptions{
			Header: http.Header{"X-Test": {"yes"}}, Host: "other.example",
		})
		want[*wsconn.HandshakeError](t, err)
		r := <-requests
		got := map[string]string{
			"proto": r.Proto, "host": r.Host, "uri": r.RequestURI, "test": r.Header.Get("X-Test"),
			"connection": r.Header.Get("Connection"), "upgrade": r.Header.Get("Upgrade"),
			"version": r.Header.Get("Sec-Websocket-Version"), "encoding": r.Header.Get("Accept-Encoding"),
			"extensions": r.Header.Get("Sec-Websocket-Extensions"),
		}
		expected := map[string]string{
			"proto": "HTTP/1.1", "host": "other.example", "uri": "/path?q=1", "test": "yes",
			"connection": "Upgrade", "upgrade": "websocket", "version": "13", "encoding": "", "extensions": "",
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Error("-want +got", diff)
		}
	}
}

// Compression works in each mode and is not insisted upon; its output is bounded by the read limit.
func TestF13Compression(t *testing.T) {
	t.Parallel()
	modes := []wsconn.Compression{
		wsconn.CompressionOff, wsconn.CompressionContextTakeover, wsconn.CompressionNoContextTakeover,
	}
	for _, client := range modes {
		for _, server := range modes {
			t.Run(fmt.Sprintf("%d with %d", client, server), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, n *netem.Network) {
					l, err := n.Listen("server:80")
					if err != nil {
						t.Fatal(err)
					}
					srv, err := wstest.Start(&wstest.Options{
						Listener: l, Accept: &wsconn.AcceptOptions{Options: wsconn.Options{Compression: server}},
					})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { srv.Close() })
					c := dial(t, srv.URL(), &wsconn.DialOptions{
						Options: wsconn.Options{Compression: client}, DialContext: n.DialContext, Proxy: noProxy,
					})
					if both := client != 0 && server != 0; c.Compressed() != both {
						t.Errorf("compressed is %t", c.Compressed())
					}
					msgs := []string{"short", strings.Repeat("long ", 5000), "", strings.Repeat("long ", 5000)}
					for _, msg := range msgs {
						if n, err := c.WriteBatch([]wsconn.Message{{wsconn.Text, []byte(msg)}}); n != 1 || err != nil {
							t.Fatal(n, err)
						}
						if _, got, err := c.Read(nil); err != nil || string(got) != msg {
							t.Fatalf("%d bytes, %v", len(got), err)
						}
					}
					if out := c.Stats().BytesOut; c.Compressed() && out > 5000 {
						t.Errorf("%d bytes went out", out)
					}
					if err := c.Close(1000, ""); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
	t.Run("bomb", func(t *testing.T) {
		t.Parallel()
		srv, err := wstest.Start(&wstest.Options{
			Accept: &wsconn.AcceptOptions{Options: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover}},
			Handler: func(c *wsconn.Conn) {
				c.Write(wsconn.Binary, make([]byte, 64<<20))
				<-read(c)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Close() })
		c := dial(t, srv.URL(), &wsconn.DialOptions{Options: wsconn.Options{
			Compression: wsconn.CompressionNoContextTakeover, ReadLimit: 1 << 16,
		}})
		_, _, err = c.Read(nil)
		if e := want[*wsconn.MessageTooBigError](t, err); e.Limit != 1<<16 || e.Size != 0 {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("corrupt", func(t *testing.T) {
		t.Parallel()
		c := dialScript(t, &wsconn.DialOptions{Options: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover}},
			func(s *wstest.Session) error {
				err := s.Upgrade(http.Header{"Sec-WebSocket-Extensions": {
					"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
				}})
				return errors.Join(err, s.Send(wstest.Frame{
					Opcode: wstest.OpText, RSV: 4, Payload: []byte("\xff\xff\xff\xff\xff\xff"),
				}), s.Discard())
			})
		_, _, err := c.Read(nil)
		want[*wsconn.ProtocolError](t, err)
	})
}

// A dialled connection has no goroutines, and after Close nothing of it is left.
func TestF14NoGoroutines(t *testing.T) {
	leak.Check(t)
	inBubble(t, func(t *testing.T, n *netem.Network) {
		l, err := n.Listen("peer:80")
		if err != nil {
			t.Fatal(err)
		}
		peer, err := wstest.Play(&wstest.PeerOptions{Listener: l}, upgraded((*wstest.Session).Echo))
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		for i := range 10 {
			c := dial(t, peer.URL(), &wsconn.DialOptions{DialContext: n.DialContext, Proxy: noProxy})
			if i%2 == 0 {
				err = c.Close(1000, "")
			} else {
				err = c.CloseNow()
			}
			if err != nil {
				t.Error(err)
			}
			if err := c.Close(1000, ""); err != nil {
				t.Error("second close:", err)
			}
		}
	})
}

// A deadline that passes ends the connection.
func TestReadDeadline(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded((*wstest.Session).Hold))
		start := time.Now()
		if err := c.SetReadDeadline(start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Read(nil)
		e := want[*wsconn.TimeoutError](t, err)
		if e.Op != "receive" || time.Since(start) != time.Minute || !errors.Is(err, os.ErrDeadlineExceeded) ||
			errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if err := c.SetReadDeadline(time.Time{}); err != error(e) {
			t.Errorf("got %v", err)
		}
	})
}
