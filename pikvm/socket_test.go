package pikvm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// echo accepts a socket and sends every message back until it ends.
func echo(t *testing.T, w http.ResponseWriter, r *http.Request) {
	conn, err := wsconn.Accept(w, r, nil)
	if err != nil {
		t.Errorf("accept: %v", err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		kind, message, err := conn.Read(nil)
		if err != nil {
			return
		}
		if err := conn.Write(kind, message); err != nil {
			return
		}
	}
}

// TestSocketRecorded replays the recorded refusals of handshakes.
func TestSocketRecorded(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, e := range loadExchanges(t) {
		if !strings.HasPrefix(e.Path, "/api/ws") && e.Name != "double_slash" && e.Name != "trailing_slash" {
			continue
		}
		seen++
		t.Run(e.Path+" "+http.StatusText(e.Status)+" "+e.ContentType, func(t *testing.T) {
			t.Parallel()
			_, err := replay(t, e, nil).DialSocket(t.Context(), e.Path)
			checkRefusal(t, e, err)
			if errors.Is(err, pikvm.ErrWebSocket) {
				t.Errorf("error %v is a WebSocketError", err)
			}
		})
	}
	if seen != 5 {
		t.Errorf("%d refusals, want 5", seen)
	}
}

// TestSocketAnswers checks handshakes that end without a socket.
func TestSocketAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script func(conn *netem.Conn)
		want   failure
		cause  error
	}{
		{
			name: "page of nginx",
			script: func(conn *netem.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<title>502 Bad Gateway</title>")
			},
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502},
		},
		{
			name: "long page",
			script: func(conn *netem.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("x", 1<<20))
			},
			want: failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
		},
		{
			name:   "success without upgrade",
			script: func(conn *netem.Conn) { _, _ = conn.Write(answerRaw("200 OK", okEmpty)) },
			want:   failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
		},
		{
			name: "upgrade without key",
			script: func(conn *netem.Conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
			},
			want: failure{Type: "WebSocketError", Class: pikvm.ErrWebSocket, Kinds: errkit.Connection | errkit.Protocol},
		},
		{
			name:   "reset",
			script: func(conn *netem.Conn) { _ = conn.Reset() },
			want:   failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected},
			cause:  syscall.ECONNRESET,
		},
		{
			name:   "end",
			script: func(*netem.Conn) {},
			want:   failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected},
			cause:  io.EOF,
		},
		{
			name:   "not HTTP",
			script: func(conn *netem.Conn) { _, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n\r\n") },
			want:   failure{Type: "WebSocketError", Class: pikvm.ErrWebSocket, Kinds: errkit.Connection | errkit.Protocol},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveRaw(t, network, func(conn *netem.Conn, _ *netem.Link) { tc.script(conn) })
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
			conn, err := c.DialSocket(t.Context(), "/api/ws")
			if conn != nil {
				t.Error("there is a socket")
			}
			tc.want.check(t, err)
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("error %v has not the cause %v", err, tc.cause)
			}
		})
	}
}

// TestSocketNotReached checks that a refused dial is what it is for requests.
func TestSocketNotReached(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	network.Refuse("kvm.example:80")
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
	_, err := c.DialSocket(t.Context(), "/api/ws")
	failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.NotSent}.check(t, err)
}

// TestSocketLimits checks who ends a handshake that takes too long, and that an open socket outlives its handshake's
// limits.
func TestSocketLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		var hang atomic.Bool
		hang.Store(true)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			if hang.Load() {
				<-r.Context().Done()
				return
			}
			echo(t, w, r)
		})
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
		begin := time.Now()
		_, err := c.DialSocket(t.Context(), "/api/ws")
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: 10 * time.Second,
		}.check(t, err)
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin = time.Now()
		_, err = c.DialSocket(ctx, "/api/ws")
		failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout}.check(t, err)
		if took := time.Since(begin); took != time.Minute || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("took %v: %v", took, err)
		}
		_, err = c.DialSocket(canceled(t), "/api/ws")
		failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent}.check(t, err)

		hang.Store(false)
		conn, err := c.DialSocket(t.Context(), "/api/ws")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.CloseNow() }()
		time.Sleep(time.Hour)
		if err := conn.Write(wsconn.Text, []byte("alive")); err != nil {
			t.Fatal(err)
		}
		if _, message, err := conn.Read(nil); err != nil || string(message) != "alive" {
			t.Errorf("message is %q, %v", message, err)
		}
	})
}

// TestSocketCredentials checks what a handshake shows, and that it is renewed once.
func TestSocketCredentials(t *testing.T) {
	t.Parallel()
	t.Run("cookie", func(t *testing.T) {
		t.Parallel()
		device := &sessions{t: t}
		network := netem.New(nil)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			cookie, _ := r.Cookie("auth_token")
			device.mu.Lock()
			good := cookie != nil && device.good[cookie.Value]
			device.mu.Unlock()
			if r.URL.Path == "/api/ws" && good {
				echo(t, w, r)
				return
			}
			device.ServeHTTP(w, r)
		})
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{Auth: pikvm.AuthCookie, Password: "pw"}))
		for range 2 {
			conn, err := c.DialSocket(t.Context(), "/api/ws?stream=0")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.CloseNow()
			device.restart()
		}
		if got := device.count(); got != 2 {
			t.Errorf("%d logins, want 2", got)
		}
		device.set(func() { device.refuse = true })
		_, err := c.DialSocket(t.Context(), "/api/ws")
		failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, err)
		if got := device.count(); got != 3 {
			t.Errorf("%d logins, want 3", got)
		}
	})
	t.Run("codes", func(t *testing.T) {
		t.Parallel()
		network := netem.New(nil)
		var sent []string
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			sent = append(sent, r.Header.Get("X-Kvmd-User")+"/"+r.Header.Get("X-Kvmd-Passwd")+"/"+r.URL.RawQuery)
			if len(sent) == 1 {
				reply(w, http.StatusForbidden, forbidden)
				return
			}
			echo(t, w, r)
		})
		code := '0'
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{
			Password: "pw",
			TOTPCode: func(context.Context) (string, error) {
				code++
				return "12345" + string(code), nil
			},
		}))
		for range 2 {
			conn, err := c.DialSocket(t.Context(), "/api/ws?stream=0")
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.CloseNow()
		}
		want := "admin/pw123451/stream=0 admin/pw123452/stream=0 admin/pw123453/stream=0"
		if got := strings.Join(sent, " "); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
}
