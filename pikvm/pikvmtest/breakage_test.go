package pikvmtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

func TestDropSockets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		drop, want int
	}{
		{"going away", 1001, 1001},
		{"any code", 4000, 4000},
		{"reset", 0, 1006},
		{"code that cannot be sent", 1005, 1006},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, nil)
				a, b := k.listen(quiet), k.listen(quiet)
				if err := k.WaitSockets(t.Context(), 2); err != nil {
					t.Fatal(err)
				}
				k.DropSockets(tc.drop)
				if got := k.Sockets(); got != 0 {
					t.Errorf("%d sockets left", got)
				}
				if got := []int{a.closed(), b.closed()}; !cmp.Equal(got, []int{tc.want, tc.want}) {
					t.Errorf("close codes %v, want %d", got, tc.want)
				}
				if tc.drop == 0 && !errors.Is(a.err, syscall.ECONNRESET) {
					t.Errorf("error %v, want a reset", a.err)
				}
				k.listen(quiet) // the next one works
			})
		})
	}
}

// TestDropYoungSocket: a socket that the client has just opened is dropped like any other, however slow the device is.
func TestDropYoungSocket(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int{0: 1006, 1001: 1001} {
		synctest.Test(t, func(t *testing.T) {
			network := netem.New(nil)
			ln, err := network.Listen("kvm.test:80")
			if err != nil {
				t.Fatal(err)
			}
			k := run(t, &pikvmtest.Options{Listener: lateListener{ln}}, network.DialContext)
			l := k.listen(quiet)
			k.DropSockets(code)
			if got := l.closed(); got != want {
				t.Errorf("closed with %d, want %d", got, want)
			}
		})
	}
}

// lateListener delays a device after what it has written: the client is ahead of it.
type lateListener struct{ net.Listener }

func (l lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lateConn{c}, nil
}

type lateConn struct{ net.Conn }

func (c lateConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	time.Sleep(time.Millisecond)
	return n, err
}

// TestDropDeafSocket shows that a client which never answers the close frame cannot hold the server up.
func TestDropDeafSocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		conn, err := k.dialSocket(quiet, nil) // nobody reads it
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.CloseNow() }()
		if err := k.WaitSockets(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		k.DropSockets(1001)
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestSilenceSockets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		resume := k.SilenceSockets()
		l.send(wsconn.Binary, "\x00")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.conn.Ping(ctx); err == nil {
			t.Error("a ping of the protocol was answered")
		}
		time.Sleep(10 * time.Minute)
		if got := l.take(); len(got) != 0 {
			t.Errorf("the silent socket sent %v", got)
		}
		if got := k.Sockets(); got != 1 {
			t.Errorf("%d sockets, want the silent one", got)
		}
		other := k.listen(quiet)
		synctest.Wait()
		if got := other.types(); len(got) == 0 || got[0] != "loop" {
			t.Errorf("a new socket gets %v", got)
		}
		resume()
		synctest.Wait()
		binary := 0
		for _, m := range l.take() {
			if m.Type == "binary" {
				binary++
			}
		}
		if binary != 1 {
			t.Errorf("%d late pongs, want 1", binary)
		}
	})
}

// TestCloseWhileSilent shows that Close does not wait for a socket that was made to hang.
func TestCloseWhileSilent(t *testing.T) {
	t.Parallel()
	for _, tls := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, &pikvmtest.Options{TLS: tls})
			l := k.listen(quiet)
			synctest.Wait()
			k.SilenceSockets()
			time.Sleep(time.Minute)
			begin := time.Now()
			if err := k.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > 0 {
				t.Errorf("Close took %v", took)
			}
			l.closed()
		})
	}
}

// TestServerPings shows that the server pings every 15 s and drops a client that has not answered 7.5 s later.
func TestServerPings(t *testing.T) {
	t.Parallel()
	t.Run("answered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, nil)
			k.listen(quiet)
			time.Sleep(5 * time.Minute)
			if got := k.Sockets(); got != 1 {
				t.Errorf("%d sockets after five minutes, want 1", got)
			}
		})
	})
	t.Run("unanswered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, nil)
			conn, err := k.dialSocket(quiet, nil) // nobody reads it, so nobody answers
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			time.Sleep(22400 * time.Millisecond)
			if got := k.Sockets(); got != 1 {
				t.Errorf("%d sockets before the time is up", got)
			}
			time.Sleep(200 * time.Millisecond)
			if got := k.Sockets(); got != 0 {
				t.Errorf("%d sockets after it", got)
			}
		})
	})
	t.Run("stalled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, nil)
			k.StallPings(true)
			l := k.listen(quiet)
			time.Sleep(time.Minute)
			if got := k.Sockets(); got != 1 || len(l.take()) == 0 {
				t.Errorf("%d sockets; events go on while pings stall", got)
			}
		})
	})
}

// TestSlowSocket shows that a client which does not read is dropped before it costs the server its memory.
func TestSlowSocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		good := k.listen(quiet)
		conn, err := k.dialSocket(quiet, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.CloseNow() }()
		if err := k.WaitSockets(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		big := []byte(`"` + strings.Repeat("x", 1000) + `"`)
		for range 2000 {
			k.EmitRaw(false, []byte(`{"event_type":"x","event":`+string(big)+`}`))
			synctest.Wait()
		}
		if err := k.WaitSockets(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		select {
		case <-good.done:
			t.Error("the client that reads was dropped as well")
		default:
		}
	})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}})
		token := k.login()
		l := k.listen(quiet)
		synctest.Wait()
		cut := make(chan error, 1)
		go func() {
			_, err := k.try("POST", "/api/atx/power?action=off_hard&wait=1")
			cut <- err
		}()
		time.Sleep(time.Second)
		begin := time.Now()
		k.Restart(5 * time.Second)
		if err := <-cut; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("the request under way: %v, want it cut off", err)
		}
		if got := l.closed(); got != 1001 {
			t.Errorf("the socket was closed with %d, want 1001", got)
		}
		if _, err := k.dialSocket(quiet, nil); err == nil {
			t.Error("a socket opened while the daemon is down")
		}
		if got := k.do("GET", "/api/atx").Status; got != 502 {
			t.Errorf("while down: %d, want 502", got)
		}
		time.Sleep(5*time.Second - time.Since(begin))
		if got := k.do("GET", "/api/auth/check", anonymous, cookie(token)).Status; got != 403 {
			t.Errorf("the session of before: %d, want 403", got)
		}
		if busy := k.result(k.do("GET", "/api/atx"))["busy"]; busy != false {
			t.Error("an ATX line is still busy")
		}
		time.Sleep(10 * time.Second)
		log := k.PowerLog()
		last := log[len(log)-1]
		if last.Kind != pikvmtest.HostOff || log[1].Kind != pikvmtest.PowerReleased {
			t.Errorf("power log %v: the button let go after a second asks the host to shut down", log)
		}
	})
}

// TestSocketsExtendSessions shows the option of the device that keeps a session alive with its socket.
func TestSocketsExtendSessions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		opts    pikvmtest.Options
		open    int
		closing int
	}{
		{"on", pikvmtest.Options{SocketsExtendSessions: true}, 200, 403},
		{"off", pikvmtest.Options{}, 403, 403},
		{"before 4.113", pikvmtest.Options{SocketsExtendSessions: true, Version: "4.112"}, 403, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &tc.opts)
				token := k.login("expire", "60")
				conn, err := k.dialSocket(quiet, map[string][]string{"Cookie": {"auth_token=" + token}})
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for {
						if _, _, err := conn.Read(nil); err != nil {
							return
						}
					}
				}()
				check := func() int { return k.do("GET", "/api/auth/check", anonymous, cookie(token)).Status }
				time.Sleep(time.Hour)
				if got := check(); got != tc.open {
					t.Errorf("while the socket is open: %d, want %d", got, tc.open)
				}
				_ = conn.Close(1000, "")
				if err := k.WaitSockets(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := check(); got != tc.closing {
					t.Errorf("after it: %d, want %d", got, tc.closing)
				}
			})
		})
	}
}

func TestEmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Version: "4.20"})
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		if err := k.Emit("novelty", map[string]any{"x": []int{1}, "y": "\u00fc<\U0001f600"}); err != nil {
			t.Error(err)
		}
		k.EmitRaw(true, []byte{0x2a, 0x00})
		if err := k.Emit("broken", func() {}); err == nil {
			t.Error("an event without JSON was taken")
		}
		synctest.Wait()
		want := []message{
			{Type: "novelty", Event: map[string]any{"x": []any{1.0}, "y": "\u00fc<\U0001f600"}},
			{Type: "binary", Binary: "\x2a\x00"},
		}
		if d := cmp.Diff(want, l.take()); d != "" {
			t.Errorf("messages (-want +got):\n%s", d)
		}
	})
}
