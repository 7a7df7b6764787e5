package wstest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func FuzzFrame(f *testing.F) {
	f.Add(byte(1), byte(0), false, false, []byte("hello"))
	f.Add(byte(0), byte(7), true, true, make([]byte, 126))
	f.Add(byte(2), byte(4), false, true, make([]byte, 70_000))
	f.Fuzz(func(t *testing.T, opcode, rsv byte, more, masked bool, payload []byte) {
		in := wstest.Frame{Opcode: opcode & 0xF, RSV: rsv & 7, More: more, Masked: masked, Payload: payload}
		if masked {
			in.Key = [4]byte{1, 2, 3, 4}
		}
		b := in.Bytes()
		out, err := wstest.ReadFrame(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Error("-in +out", diff)
		}
		_, err = wstest.ReadFrame(bytes.NewReader(b[:len(b)-1]))
		if want := io.ErrUnexpectedEOF; !errors.Is(err, want) {
			t.Errorf("cut: %v", err)
		}
	})
}

func TestCloseFrame(t *testing.T) {
	t.Parallel()
	if code, reason := wstest.CloseFrame(4000, "why").Close(); code != 4000 || reason != "why" {
		t.Errorf("got %d %q", code, reason)
	}
	if code, reason := wstest.CloseFrame(0, "").Close(); code != 0 || reason != "" {
		t.Errorf("got %d %q", code, reason)
	}
}

// The server echoes, counts, closes and can be closed at any time.
func TestServer(t *testing.T) {
	t.Parallel()
	cert, err := certs.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": {Certificates: []tls.Certificate{cert}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // where the limit of a close handshake does not matter
				mem := wstest.NewMemory()
				srv, err := wstest.Start(&wstest.Options{Listener: mem, TLS: config})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { srv.Close() })
				connect := func() *wsconn.Conn {
					t.Helper()
					c, err := wsconn.Dial(t.Context(), srv.URL(), &wsconn.DialOptions{
						TLSConfig: &tls.Config{InsecureSkipVerify: true}, DialContext: mem.DialContext,
					})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { c.CloseNow() })
					if err := c.Write(wsconn.Text, []byte("hello")); err != nil {
						t.Fatal(err)
					}
					if _, msg, err := c.Read(nil); err != nil || string(msg) != "hello" {
						t.Fatalf("%q, %v", msg, err)
					}
					return c
				}
				c := connect()
				closed := make(chan error, 1)
				go func() {
					_, _, err := c.Read(nil)
					closed <- err
				}()
				if err := srv.CloseConns(1012, "restart"); err != nil {
					t.Error(err)
				}
				if e, ok := errors.AsType[*wsconn.ClosedError](<-closed); !ok || e.Code != 1012 {
					t.Errorf("got %v", e)
				}
				c = connect()
				srv.DropConns()
				if _, _, err := c.Read(nil); !errors.Is(err, wsconn.ErrClosed) {
					t.Errorf("got %v", err)
				}
				c = connect()
				if n := srv.Accepted(); n != 3 {
					t.Errorf("accepted %d", n)
				}
				if err := errors.Join(srv.Close(), srv.Close()); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Read(nil); !errors.Is(err, wsconn.ErrClosed) {
					t.Errorf("got %v", err)
				}
				if n := len(srv.Conns()); n != 0 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}

// Clients that do not answer a close frame are told of, and all are closed.
func TestCloseConns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mem := wstest.NewMemory()
		srv, err := wstest.Start(&wstest.Options{Listener: mem})
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		var conns []*wsconn.Conn
		for range 2 { // nobody reads
			c, err := wsconn.Dial(t.Context(), srv.URL(), &wsconn.DialOptions{DialContext: mem.DialContext})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			conns = append(conns, c)
		}
		synctest.Wait()
		if err := srv.CloseConns(1001, "bye"); !errors.Is(err, wsconn.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		for _, c := range conns {
			_, _, err := c.Read(nil)
			if e, ok := errors.AsType[*wsconn.ClosedError](err); !ok || e.Code != 1001 {
				t.Errorf("got %v", err)
			}
		}
	})
}

// A peer plays its scripts in turn and keeps their errors.
func TestPeer(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	peer, err := wstest.Play(nil,
		func(s *wstest.Session) error { return s.Answer(http.StatusTeapot, http.Header{"X-A": {"b"}}, "body") },
		func(s *wstest.Session) error { return errors.Join(s.Upgrade(nil), s.Echo(), boom) },
		func(s *wstest.Session) error { return errors.Join(s.Upgrade(nil), s.Hold()) },
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	connect := func() (*wstest.Session, *http.Response, error) {
		t.Helper()
		conn, err := net.Dial("tcp", peer.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return wstest.Connect(conn, peer.URL(), nil)
	}
	_, resp, err := connect()
	if err == nil || resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-A") != "b" {
		t.Errorf("got %v, %v", resp, err)
	}
	s, _, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	s.Send(wstest.Ping("p"), wstest.Text("t"), wstest.CloseFrame(1000, ""))
	for _, want := range []byte{wstest.OpPong, wstest.OpText, wstest.OpClose} {
		if f, err := s.Next(); err != nil || f.Opcode != want || f.Masked {
			t.Errorf("got %v, %v", f, err)
		}
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("then %v", err)
	}
	for range 2 { // the last script is for all that follow
		if _, _, err := connect(); err != nil {
			t.Fatal(err)
		}
	}
	peer.Close()
	if peer.Accepted() != 4 {
		t.Errorf("accepted %d", peer.Accepted())
	}
	if errs := peer.Errors(); len(errs) != 1 || !errors.Is(errs[0], boom) {
		t.Errorf("errors are %v", errs)
	}
	if _, err := wstest.Play(nil); err == nil {
		t.Error("played nothing")
	}
}

// The network in memory behaves like TCP.
func TestMemory(t *testing.T) {
	t.Parallel()
	connect := func(t *testing.T, mem *wstest.Memory) (client, server net.Conn) {
		t.Helper()
		accepted := make(chan net.Conn, 1)
		go func() {
			c, err := mem.Accept()
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		client, err := mem.DialContext(t.Context(), "tcp", "anywhere")
		if err != nil {
			t.Fatal(err)
		}
		return client, <-accepted
	}
	for name, fn := range map[string]func(t *testing.T, client, server net.Conn){
		"FIN": func(t *testing.T, client, server net.Conn) {
			client.Write([]byte("last"))
			client.Close()
			if p, err := io.ReadAll(server); string(p) != "last" || err != nil {
				t.Errorf("%q, %v", p, err)
			}
			if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("write: %v", err)
			}
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("own read: %v", err)
			}
			if err := client.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second close: %v", err)
			}
		},
		"half close": func(t *testing.T, client, server net.Conn) {
			client.(interface{ CloseWrite() error }).CloseWrite()
			if _, err := server.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("read: %v", err)
			}
			server.Write([]byte("answer"))
			server.Close()
			if p, err := io.ReadAll(client); string(p) != "answer" || err != nil {
				t.Errorf("%q, %v", p, err)
			}
		},
		"RST": func(t *testing.T, client, server net.Conn) {
			client.(interface{ SetLinger(int) error }).SetLinger(0)
			client.Close()
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: %v", err)
			}
		},
		"RST because of unread bytes": func(t *testing.T, client, server net.Conn) {
			server.Write([]byte("unread"))
			client.Close()
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: %v", err)
			}
		},
		"deadlines": func(t *testing.T, client, _ net.Conn) {
			start := time.Now()
			client.SetReadDeadline(start.Add(time.Second))
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
			client.SetWriteDeadline(start.Add(3 * time.Second))
			n, err := client.Write(make([]byte, 1<<20))
			if n != 64<<10 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
				t.Errorf("write: %d, %v after %v", n, err, time.Since(start))
			}
			client.SetDeadline(time.Time{})
			if client.RemoteAddr().String() != "localhost:80" || client.LocalAddr().Network() != "tcp" {
				t.Error("wrong addresses")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mem := wstest.NewMemory()
				client, server := connect(t, mem)
				fn(t, client, server)
				client.Close()
				server.Close()
				mem.Close()
			})
		})
	}
	t.Run("dial", func(t *testing.T) {
		t.Parallel()
		mem := wstest.NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := mem.DialContext(ctx, "", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		mem.Close()
		if _, err := mem.DialContext(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		if _, err := mem.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}
