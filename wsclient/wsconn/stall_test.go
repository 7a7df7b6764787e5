package wsconn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The tests of this file are about peers that take nothing any more while several goroutines use the connection.

var deflated = http.Header{"Sec-WebSocket-Extensions": {
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
}}

// stallCases runs fn in a bubble with a connection to the script, with and without TLS and compression.
func stallCases(t *testing.T, opts wsconn.Options, script wstest.Script, fn func(*testing.T, *wsconn.Conn)) {
	t.Helper()
	cert, err := certs.SelfSigned("peer")
	if err != nil {
		t.Fatal(err)
	}
	for _, secure := range []bool{false, true} {
		for _, compressed := range []bool{false, true} {
			t.Run(fmt.Sprintf("TLS %t, compressed %t", secure, compressed), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, n *netem.Network) {
					l, err := n.Listen("peer:80")
					if err != nil {
						t.Fatal(err)
					}
					p := &wstest.PeerOptions{Listener: l}
					d := &wsconn.DialOptions{Options: opts, DialContext: n.DialContext, Proxy: noProxy}
					if secure {
						p.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
						d.TLSConfig = &tls.Config{InsecureSkipVerify: true}
					}
					var header http.Header
					if compressed {
						d.Compression, header = wsconn.CompressionNoContextTakeover, deflated
					}
					peer, err := wstest.Play(p, func(s *wstest.Session) error {
						if err := s.Upgrade(header); err != nil {
							return err
						}
						return script(s)
					})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { peer.Close() })
					fn(t, dial(t, peer.URL(), d))
				})
			})
		}
	}
}

// random returns bytes that do not compress.
func random(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// A peer that has stopped reading says why it ends, or breaks the protocol: that is the cause, for the writer that is stuck
// too, and not that its write came to nothing. The write does not hold up the end for as long as its own limit.
func TestStalledPeerSaysWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		frame wstest.Frame
		code  int // 0 for a violation
	}{
		{"close frame", wstest.CloseFrame(1008, "policy"), 1008},
		{"unknown opcode", wstest.Frame{Opcode: 3}, 0},
		{"masked", wstest.Frame{Opcode: wstest.OpText, Masked: true}, 0},
		{"not UTF-8", wstest.Text("\xff"), 0},
		{"too big", wstest.Binary(make([]byte, 2000)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			opts := wsconn.Options{ReadLimit: 1000, WriteTimeout: time.Minute}
			script := func(s *wstest.Session) error {
				time.Sleep(time.Second)
				return errors.Join(s.Send(tt.frame), s.Hold())
			}
			stallCases(t, opts, script, func(t *testing.T, c *wsconn.Conn) {
				done := read(c)
				start := time.Now()
				err := c.Write(wsconn.Binary, random(1<<20))
				if took := time.Since(start); took > 8*time.Second {
					t.Errorf("took %v", took)
				}
				if got := <-done; got != err {
					t.Errorf("the reader got %v", got)
				}
				if tt.code == 0 {
					want[*wsconn.ProtocolError](t, err)
				} else if e := want[*wsconn.ClosedError](t, err); e.Code != tt.code {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// Writers, pings, a reader that must answer pings: nothing of it delays Close beyond its limit, or CloseNow at all.
func TestCloseStalledPeer(t *testing.T) {
	t.Parallel()
	for _, now := range []bool{false, true} {
		t.Run(map[bool]string{false: "Close", true: "CloseNow"}[now], func(t *testing.T) {
			t.Parallel()
			script := func(s *wstest.Session) error {
				time.Sleep(time.Second)
				return errors.Join(s.Send(wstest.Ping("1"), wstest.Ping("2")), s.Hold())
			}
			stallCases(t, wsconn.Options{WriteTimeout: -1}, script, func(t *testing.T, c *wsconn.Conn) {
				var busy sync.WaitGroup
				for range 3 {
					busy.Go(func() { want[*wsconn.ClosedError](t, c.Write(wsconn.Binary, random(1<<20))) })
					busy.Go(func() {
						_, err := c.Ping(context.Background())
						want[*wsconn.ClosedError](t, err)
					})
				}
				done := read(c)
				time.Sleep(2 * time.Second)
				start := time.Now()
				limit := time.Second
				if now {
					limit = 0
					c.CloseNow()
				} else {
					want[*wsconn.TimeoutError](t, c.Close(1000, ""))
				}
				if took := time.Since(start); took != limit {
					t.Errorf("took %v", took)
				}
				if e := want[*wsconn.ClosedError](t, <-done); e.Remote {
					t.Errorf("the reader got %v", e)
				}
				busy.Wait()
			})
		})
	}
}

// A peer that goes silent in the middle of a control frame has timed out; the owner has not closed anything.
func TestStallInsideControlFrame(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Raw(wstest.Ping("hello").Bytes()[:4]), s.Hold())
		}))
		_, _, err := c.Read(nil)
		e := want[*wsconn.TimeoutError](t, err)
		if e.Op != "receive" || !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
			!errkit.Transient(err) {
			t.Errorf("got %v with kinds %v", err, e.Kinds())
		}
	})
}

// The library waits five seconds for the peer's close frame, whatever it is told; Close says so.
func TestLongCloseTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		opts := wsconn.DialOptions{Options: wsconn.Options{CloseTimeout: time.Hour}}
		c, _ := connectScript(t, n, opts, upgraded((*wstest.Session).Hold))
		start := time.Now()
		e := want[*wsconn.TimeoutError](t, c.Close(1000, ""))
		if e.Limit != 5*time.Second || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", e, time.Since(start))
		}
	})
}

// A reader that comes while Close waits for the peer leaves with it and not before: if it closed the connection on its
// way out, as readers do, it would cut off the close frame.
func TestReadDuringClose(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, n *netem.Network) {
		proceed := make(chan struct{})
		c, _ := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
			<-proceed
			return errors.Join(s.Send(wstest.CloseFrame(1012, "")), s.Discard())
		}))
		closed := make(chan error, 1)
		go func() { closed <- c.Close(1012, "restart") }()
		synctest.Wait()
		reader := read(c)
		synctest.Wait()
		select {
		case err := <-reader:
			t.Errorf("the reader left before Close had ended: %v", err)
			return
		default:
		}
		close(proceed)
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if e := want[*wsconn.ClosedError](t, <-reader); e.Code != 1012 || e.Remote {
			t.Errorf("got %v", e)
		}
	})
}
