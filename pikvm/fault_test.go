package pikvm_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// failure is what a test expects of an error.
type failure struct {
	Type   string
	Class  *errkit.Class
	Kinds  errkit.Kind // of the error itself
	Status int
	Limit  time.Duration
}

// check compares err with the expected failure.
func (want failure) check(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	e, ok := err.(errkit.Error) //nolint:errorlint // the outermost layer is what is checked
	if !ok {
		t.Fatalf("error is %T: %v, not a typed one", err, err)
	}
	got := failure{Type: typeName(err), Class: e.ErrorInfo().Class, Kinds: e.ErrorInfo().Kinds()}
	if api, ok := errors.AsType[*pikvm.APIError](err); ok {
		got.Status = api.StatusCode
	}
	if timeout, ok := errors.AsType[*pikvm.ConnectionTimeoutError](err); ok {
		got.Limit = timeout.Limit
	}
	name := cmp.Transformer("code", func(c *errkit.Class) string { return c.Code() })
	if d := cmp.Diff(want, got, name, cmp.Transformer("names", errkit.Kind.Names)); d != "" {
		t.Errorf("error %v (-want +got):\n%s", err, d)
	}
	if !errors.Is(err, pikvm.Err) || !errors.Is(err, errkit.Err) {
		t.Errorf("error %v is not of the module", err)
	}
	if len(err.Error()) > 1024 || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("text is not one short line: %q", err)
	}
}

func typeName(err error) string {
	switch err.(type) { //nolint:errorlint // the outermost layer is what is checked
	case *pikvm.APIError:
		return "APIError"
	case *pikvm.AuthError:
		return "AuthError"
	case *pikvm.RedirectError:
		return "RedirectError"
	case *pikvm.ResponseError:
		return "ResponseError"
	case *pikvm.ConnectError:
		return "ConnectError"
	case *pikvm.ConnectionTimeoutError:
		return "ConnectionTimeoutError"
	case *pikvm.WebSocketError:
		return "WebSocketError"
	case *pikvm.ConfigurationError:
		return "ConfigurationError"
	case *pikvm.ScreenError:
		return "ScreenError"
	case *errkit.Basic:
		return "Basic"
	}
	return "?"
}

// TestBrokenAnswers checks connections that break at every stage.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	connect := failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected}
	whole := string(answerRaw("200 OK", ""))
	long := strings.Replace(whole, "\r\n\r\n", "\r\nContent-Length: 1000\r\n\r\n", 1)
	for _, tc := range []struct {
		name   string
		script func(conn *netem.Conn, link *netem.Link)
		want   failure
		cause  error
	}{
		{
			name: "reset before the answer", want: connect, cause: syscall.ECONNRESET,
			script: func(conn *netem.Conn, _ *netem.Link) { _ = conn.Reset() },
		},
		{
			name: "end before the answer", want: connect, cause: io.EOF,
			script: func(conn *netem.Conn, _ *netem.Link) {},
		},
		{
			name: "end within the head", want: connect, cause: io.ErrUnexpectedEOF,
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text\r\n")
			},
		},
		{
			name: "reset within the body", want: connect, cause: syscall.ECONNRESET,
			script: func(conn *netem.Conn, link *netem.Link) {
				_, _ = io.WriteString(conn, long+atxOn[:30])
				_ = link.Wait(t.Context(), func(s netem.State) bool { return s.Down.Read == s.Down.Written })
				_ = conn.Reset()
			},
		},
		{
			name: "end within the body", cause: io.ErrUnexpectedEOF,
			want: failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, long+atxOn[:30])
			},
		},
		{
			name: "end within a chunk", cause: io.ErrUnexpectedEOF,
			want: failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"+atxOn[:30])
			},
		},
		{
			name: "malformed chunk",
			want: failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"+atxOn)
			},
		},
		{
			name: "malformed compression",
			want: failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+atxOn)
			},
		},
		{
			name: "refusal with a broken body",
			want: failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, strings.Replace(long, "200 OK", "409 Conflict", 1)+atxBusy[:30])
			},
		},
		{
			name: "not HTTP",
			want: failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n\r\n")
			},
		},
		{
			name: "endless head",
			want: failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection},
			script: func(conn *netem.Conn, _ *netem.Link) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20))
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveRaw(t, network, tc.script)
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
			err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
			tc.want.check(t, err)
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("error %v has not the cause %v", err, tc.cause)
			}
		})
	}
}

// TestTooLarge checks the limit of answers at its border.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for size, fits := range map[int]bool{1000: true, 1001: false, 1 << 20: false} {
		network := netem.New(nil)
		body := atxOn + strings.Repeat(" ", size-len(atxOn))
		serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, body) })
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{MaxBody: 1000}))
		_, err := c.ATX.State(t.Context())
		if fits {
			if err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
			continue
		}
		failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200}.check(t, err)
		if !errors.Is(err, errkit.TooLarge) {
			t.Errorf("%d bytes: error %v is not too large", size, err)
		}
	}
}

// TestNoBodyLimit checks the largest limit that can be set.
func TestNoBodyLimit(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, atxOn) })
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{MaxBody: math.MaxInt64}))
	if _, err := c.ATX.State(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCompressed checks that answers may be compressed, and that the limit counts what comes out.
func TestCompressed(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	size := 0
	serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, atxOn+strings.Repeat(" ", size))
		_ = z.Close()
	})
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{MaxBody: 1 << 16}))
	if _, err := c.ATX.State(t.Context()); err != nil {
		t.Error(err)
	}
	size = 1 << 20
	if _, err := c.ATX.State(t.Context()); !errors.Is(err, pikvm.ErrResponse) || !errors.Is(err, errkit.TooLarge) {
		t.Errorf("error is %v, want ErrResponse and too large", err)
	}
}

// TestConnectionIsKept checks that requests one after the other use one connection, whatever the answers, and that
// Close closes it.
func TestConnectionIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where package net/http waits for its own writer as long as that takes
		network := netem.New(nil)
		device := &sequence{answers: []func(http.ResponseWriter){
			status(200, atxOn), status(409, atxBusy), status(200, "<html>"), status(404, strings.Repeat("x", 5000)), status(204, ""),
		}}
		serveHTTP(t, network, device.ServeHTTP)
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
		for range 10 {
			_, _ = c.ATX.State(t.Context()) // the answers are checked elsewhere
		}
		if got := network.Count(); got != 1 {
			t.Errorf("%d connections, want 1", got)
		}
		_ = c.Close()
		link, err := network.WaitLink(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := link.Wait(t.Context(), func(s netem.State) bool { return s.DialerClosed }); err != nil {
			t.Error(err)
		}
	})
}

// TestNotReached checks failures before there is a connection: they are certain not to have been sent.
func TestNotReached(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	network.Refuse("kvm.example:80")
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
	err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
	failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.NotSent}.check(t, err)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v has not the cause ECONNREFUSED", err)
	}
	if !errkit.Transient(err) {
		t.Errorf("error %v is not transient", err)
	}
}

// TestSystemTimeout checks a limit of the operating system: a timeout that is neither ours nor the caller's.
func TestSystemTimeout(t *testing.T) {
	t.Parallel()
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}
	}})
	_, stateErr := c.ATX.State(t.Context())
	_, socketErr := c.DialSocket(t.Context(), "/api/ws")
	for _, err := range []error{stateErr, socketErr} {
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout,
			Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
		}.check(t, err)
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v is the caller's deadline", err)
		}
	}
}

// TestClosed checks that a closed client sends nothing, and that Close may be called again.
func TestClosed(t *testing.T) {
	t.Parallel()
	c := newClient(t, kvmHTTP, &pikvm.Options{Auth: pikvm.AuthCookie, DialContext: noDial(t)})
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	_, stateErr := c.ATX.State(t.Context())
	_, infoErr := c.Info.Get(t.Context(), nil)
	_, loginErr := c.Auth.Login(t.Context(), nil)
	_, socketErr := c.DialSocket(t.Context(), "/api/ws")
	for name, err := range map[string]error{
		"state": stateErr, "info": infoErr, "login": loginErr, "socket": socketErr,
		"power":  c.ATX.Power(t.Context(), pikvm.PowerOn, nil),
		"click":  c.ATX.Click(t.Context(), pikvm.ButtonPower, &pikvm.ATXOptions{BusyWait: time.Second}),
		"check":  c.Auth.Check(t.Context()),
		"logout": c.Auth.Logout(t.Context(), "00000000000000000000000000000000000000000000000000000000000000aa"),
	} {
		t.Run(name, func(t *testing.T) {
			failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed | errkit.NotSent}.check(t, err)
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("error %v is not net.ErrClosed", err)
			}
		})
	}
}
