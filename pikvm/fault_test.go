package pikvm_test

import (
	"context"
	"errors"
	"io"
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
	case *errkit.Basic:
		return "Basic"
	}
	return "?"
}

// TestAnswers checks what becomes of every sort of answer that a device, a proxy or somebody else may give.
func TestAnswers(t *testing.T) {
	t.Parallel()
	page := func(status string) string {
		return "<html>\r\n<head><title>" + status + "</title></head>\r\n<body>\r\n<center><h1>" + status +
			"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	}
	response := func(status int) failure {
		return failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: status}
	}
	for _, tc := range []struct {
		name    string
		status  int
		kind    string // content type, JSON if empty
		body    string
		want    failure
		message string
	}{
		{name: "HTML instead of JSON", status: 200, kind: "text/html", body: page("Login"), want: response(200)},
		{name: "text instead of JSON", status: 200, kind: "text/plain", body: "hello", want: response(200)},
		{name: "empty", status: 200, want: response(200)},
		{name: "no content for a state", status: 204, want: response(204)},
		{name: "null", status: 200, body: "null", want: response(200)},
		{name: "array", status: 200, body: "[]", want: response(200)},
		{name: "number", status: 200, body: "1", want: response(200)},
		{name: "object without envelope", status: 200, body: `{"enabled": true}`, want: response(200)},
		{name: "ok is no bool", status: 200, body: `{"ok": "true", "result": {}}`, want: response(200)},
		{name: "two documents", status: 200, body: okEmpty + okEmpty, want: response(200)},
		{name: "cut JSON", status: 200, body: atxOn[:40], want: response(200)},
		{name: "not UTF-8", status: 200, body: "\xff\xfe{}", want: response(200)},
		{name: "no result", status: 200, body: `{"ok": true}`, want: response(200)},
		{name: "result is null", status: 200, body: `{"ok": true, "result": null}`, want: response(200)},
		{name: "result is a list", status: 200, body: `{"ok": true, "result": []}`, want: response(200)},
		{name: "result lacks LEDs", status: 200, body: `{"ok": true, "result": {"enabled": true}}`, want: response(200)},
		{
			name: "LED is a string", status: 200, want: response(200),
			body: `{"ok": true, "result": {"enabled": true, "leds": {"power": "on"}}}`,
		},
		{
			name: "not ok in a success", status: 200, body: atxBusy,
			want:    failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy},
			message: "Performing another ATX operation, please try again later",
		},
		{
			name: "not ok without a name", status: 200, body: `{"ok": false, "result": [1]}`,
			want: failure{Type: "APIError", Class: pikvm.ErrAPI},
		},
		{
			name: "offline in a success", status: 200,
			body: `{"ok": false, "result": {"error": "MsdOfflineError", "error_msg": "MSD is not found"}}`,
			want: failure{Type: "APIError", Class: pikvm.ErrOffline, Kinds: errkit.Unavailable}, message: "MSD is not found",
		},
		{
			name: "credentials in a success", status: 200, body: forbidden,
			want: failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth}, message: "Forbidden",
		},
		{
			name: "offline", status: 400,
			body:    `{"ok": false, "result": {"error": "MsdOfflineError", "error_msg": "MSD is not found"}}`,
			want:    failure{Type: "APIError", Class: pikvm.ErrOffline, Kinds: errkit.Unavailable | errkit.Invalid, Status: 400},
			message: "MSD is not found",
		},
		{
			name: "unknown name", status: 400, body: `{"ok": false, "result": {"error": "NewError", "error_msg": "new"}}`,
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Invalid, Status: 400}, message: "new",
		},
		{
			name: "401 of nginx", status: 401, kind: "text/html", body: page("401 Authorization Required"),
			want:    failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401},
			message: "401 Authorization Required",
		},
		{
			name: "403 is about credentials", status: 403, body: forbidden,
			want: failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}, message: "Forbidden",
		},
		{
			name: "404 text", status: 404, kind: "text/plain; charset=utf-8", body: "404: Not Found",
			want:    failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound, Status: 404},
			message: "404: Not Found",
		},
		{
			name: "409 is busy and no conflict", status: 409, body: atxBusy,
			want:    failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409},
			message: "Performing another ATX operation, please try again later",
		},
		{
			name: "409 without a body", status: 409,
			want: failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409},
		},
		{
			name: "413 of nginx", status: 413, kind: "text/html", body: page("413 Request Entity Too Large"),
			want:    failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.TooLarge, Status: 413},
			message: "413 Request Entity Too Large",
		},
		{
			name: "429", status: 429, body: "{}",
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.RateLimited, Status: 429},
		},
		{
			name: "500 text", status: 500, kind: "text/plain; charset=utf-8",
			body:    "500 Internal Server Error\n\nServer got itself in trouble",
			want:    failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Internal, Status: 500},
			message: "500 Internal Server Error Server got itself in trouble",
		},
		{
			name: "502 of nginx", status: 502, kind: "text/html", body: page("502 Bad Gateway"),
			want:    failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502},
			message: "502 Bad Gateway",
		},
		{
			name: "503", status: 503,
			body:    `{"ok": false, "result": {"error": "UnavailableError", "error_msg": "Service Unavailable"}}`,
			want:    failure{Type: "APIError", Class: pikvm.ErrUnavailable, Kinds: errkit.Unavailable, Status: 503},
			message: "Service Unavailable",
		},
		{
			name: "504 of nginx", status: 504, kind: "text/html", body: "<title>",
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Timeout, Status: 504},
		},
		{
			name: "status that nobody knows", status: 799, body: "{}",
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Protocol, Status: 799},
		},
		{
			name: "long words", status: 500, kind: "text/plain", body: strings.Repeat("x\n\x01é", 100_000),
			want:    failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Internal, Status: 500},
			message: "x" + strings.Repeat(" éx", 49) + "…",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
				kind := "application/json; charset=utf-8"
				if tc.kind != "" {
					kind = tc.kind
				}
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
			_, err := c.ATX.State(t.Context())
			tc.want.check(t, err)
			if api, ok := errors.AsType[*pikvm.APIError](err); ok {
				if d := cmp.Diff(tc.message, api.Message); d != "" {
					t.Errorf("message (-want +got):\n%s", d)
				}
			}
		})
	}
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

// TestLimits checks who ends a request that takes too long, and what is known of it then.
func TestLimits(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slowBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, atxOn[:20])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for _, tc := range []struct {
		name      string
		handler   http.HandlerFunc // nil: nobody answers the dial
		opts      pikvm.Options
		ctx       func(context.Context) (context.Context, context.CancelFunc)
		close     time.Duration // the client is closed after this time
		want      failure
		took      time.Duration
		deadline  bool // matches context.DeadlineExceeded
		isTimeout bool // matches os.ErrDeadlineExceeded
	}{
		{
			name: "default limit", handler: hang, took: timeout, isTimeout: true,
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: timeout,
			},
		},
		{
			name: "limit within the body", handler: slowBody, took: timeout, isTimeout: true,
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: timeout,
			},
		},
		{
			name: "limit within the dial", took: 2 * time.Second, isTimeout: true,
			opts: pikvm.Options{Timeout: 2 * time.Second},
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 2 * time.Second,
				Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
			},
		},
		{
			name: "shorter deadline of the caller", handler: hang, took: time.Second, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			},
			want: failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout},
		},
		{
			name: "longer deadline of the caller", handler: hang, took: time.Minute, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Minute)
			},
			want: failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout},
		},
		{
			name: "deadline of the caller within the dial", took: time.Second, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			},
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout,
				Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
			},
		},
		{
			name: "no limit but the caller's cancel", handler: hang, took: time.Hour,
			opts: pikvm.Options{Timeout: -1},
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Hour, cancel)
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled},
		},
		{
			name: "canceled within the dial", took: time.Second,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Second, cancel)
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent},
		},
		{
			name: "canceled before",
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent},
		},
		{
			name: "closed meanwhile", handler: hang, took: time.Second, close: time.Second,
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed},
		},
		{
			name: "closed within the dial", took: time.Second, close: time.Second,
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed | errkit.NotSent},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				if tc.handler == nil {
					network.Blackhole("kvm.example:80")
				} else {
					serveHTTP(t, network, tc.handler)
				}
				c := newClient(t, kvmHTTP, on(network, tc.opts))
				ctx := t.Context()
				if tc.ctx != nil {
					var cancel context.CancelFunc
					ctx, cancel = tc.ctx(ctx)
					defer cancel()
				}
				if tc.close > 0 {
					time.AfterFunc(tc.close, func() { _ = c.Close() })
				}
				begin := time.Now()
				err := c.ATX.Click(ctx, pikvm.ButtonReset, nil)
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				tc.want.check(t, err)
				if got := errors.Is(err, context.DeadlineExceeded); got != tc.deadline {
					t.Errorf("is context.DeadlineExceeded: %t, want %t (%v)", got, tc.deadline, err)
				}
				if got := errors.Is(err, os.ErrDeadlineExceeded); got != tc.isTimeout {
					t.Errorf("is os.ErrDeadlineExceeded: %t, want %t (%v)", got, tc.isTimeout, err)
				}
				wantCanceled := tc.want.Kinds.Has(errkit.Canceled)
				if got := errors.Is(err, context.Canceled); got != wantCanceled {
					t.Errorf("is context.Canceled: %t, want %t (%v)", got, wantCanceled, err)
				}
			})
		})
	}
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
