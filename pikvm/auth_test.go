package pikvm_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestCredentials checks what each mode sends.
func TestCredentials(t *testing.T) {
	t.Parallel()
	code := func(context.Context) (string, error) { return "654321", nil }
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tc := range []struct {
		name string
		opts pikvm.Options
		want map[string]string
	}{
		{
			name: "headers by default",
			opts: pikvm.Options{Password: "pass word:"},
			want: map[string]string{"X-Kvmd-User": "admin", "X-Kvmd-Passwd": "pass word:"},
		},
		{
			name: "headers with code",
			opts: pikvm.Options{User: "_x", Password: "pw ", TOTPCode: code},
			want: map[string]string{"X-Kvmd-User": "_x", "X-Kvmd-Passwd": "pw 654321"},
		},
		{
			name: "basic",
			opts: pikvm.Options{Password: " pw ", Auth: pikvm.AuthBasic},
			want: map[string]string{"Authorization": basic("admin: pw ")},
		},
		{
			name: "basic with code",
			opts: pikvm.Options{Password: "pw", Auth: pikvm.AuthBasic, TOTPCode: code},
			want: map[string]string{"Authorization": basic("admin:pw654321")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			got := map[string]string{}
			serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
				for _, name := range []string{"X-Kvmd-User", "X-Kvmd-Passwd", "Authorization", "Cookie"} {
					if value, ok := r.Header[name]; ok {
						got[name] = strings.Join(value, "|")
					}
				}
				reply(w, http.StatusOK, okEmpty)
			})
			c := newClient(t, kvmHTTP, on(network, tc.opts))
			if err := c.Auth.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("headers (-want +got):\n%s", d)
			}
		})
	}
}

// TestLoginAnswers checks the answers to a login, from the client and by the recorded ones. A login never opens
// another session on its way.
func TestLoginAnswers(t *testing.T) {
	t.Parallel()
	auth := func(status int) failure {
		return failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: status}
	}
	response := failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200}
	for _, tc := range []struct {
		name   string
		status int
		cookie string
		body   string
		want   failure
		token  string
	}{
		{name: "refused", status: 403, body: forbidden, want: auth(403)},
		{
			name: "characters refused", status: 400, want: auth(400),
			body: `{"ok": false, "result": {"error": "ValidatorError", "error_msg": "The argument is not a valid passwd characters"}}`,
		},
		{name: "refused in a success", status: 200, body: forbidden, want: auth(0)},
		{name: "no envelope", status: 200, body: "<html>", want: response},
		{name: "malformed token", status: 200, body: okEmpty, cookie: "auth_token=evil", want: response},
		{
			name: "redirect", status: 302, body: "302: Found",
			want: failure{Type: "RedirectError", Class: pikvm.ErrRedirect, Kinds: errkit.Unsupported, Status: 302},
		},
		{
			name: "unavailable", status: 502,
			want: failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Unavailable, Status: 502},
		},
		{name: "no authentication", status: 200, body: okEmpty},
		{
			name: "good", status: 200, body: okEmpty, token: strings.Repeat("0a", 32),
			cookie: "other=1; Path=/\x00auth_token=" + strings.Repeat("0a", 32) + "; HttpOnly; Path=/; SameSite=Strict",
		},
	} {
		for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthBasic, pikvm.AuthCookie} {
			t.Run(tc.name+" "+mode.String(), func(t *testing.T) {
				t.Parallel()
				network := netem.New(nil)
				requests := 0
				serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
					requests++
					if r.Method+" "+r.URL.Path != "POST /api/auth/login" {
						t.Errorf("request is %s %s", r.Method, r.URL.Path)
					}
					for _, cookie := range strings.Split(tc.cookie, "\x00") {
						w.Header().Add("Set-Cookie", cookie)
					}
					reply(w, tc.status, tc.body)
				})
				c := newClient(t, kvmHTTP, on(network, pikvm.Options{Auth: mode, Password: "secret"}))
				token, err := c.Auth.Login(t.Context(), nil)
				if requests != 1 {
					t.Errorf("%d requests, want 1", requests)
				}
				if tc.want.Type != "" {
					tc.want.check(t, err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if token != redact.Secret(tc.token) {
					t.Errorf("token is %s, want %s", token.Reveal(), tc.token)
				}
			})
		}
	}
}

// TestCheck400 checks that characters that the device refuses are refused credentials, for check alone.
func TestCheck400(t *testing.T) {
	t.Parallel()
	network := netem.New(nil)
	serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusBadRequest, `{"ok": false, "result": {"error": "ValidatorError", "error_msg": "no"}}`)
	})
	c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
	failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 400}.check(t, c.Auth.Check(t.Context()))
	_, err := c.ATX.State(t.Context())
	failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400}.check(t, err)
}
