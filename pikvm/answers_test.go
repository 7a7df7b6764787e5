package pikvm_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

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
			name: "long words in an envelope", status: 500,
			body:    `{"ok": false, "result": {"error": "E", "error_msg": "x` + strings.Repeat("é", 1000) + `"}}`,
			want:    failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Internal, Status: 500},
			message: "x" + strings.Repeat("é", 511),
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
