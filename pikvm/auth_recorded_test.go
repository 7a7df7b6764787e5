package pikvm_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// sentProof is what a request showed of the user.
type sentProof struct{ User, Password, Basic, Cookie, Form string }

// TestAuthRecorded replays the recorded exchanges about credentials through the methods of the client, and checks
// what these sent.
func TestAuthRecorded(t *testing.T) {
	t.Parallel()
	const token = "0000000000000000000000000000000000000000000000000000000a11ce0001"
	check := func(ctx context.Context, c *pikvm.Client) error { return c.Auth.Check(ctx) }
	login := func(want string) func(context.Context, *pikvm.Client) error {
		return func(ctx context.Context, c *pikvm.Client) error {
			got, err := c.Auth.Login(ctx, nil)
			if got.Reveal() != want {
				t.Errorf("token is %s, want %s", got.Reveal(), want)
			}
			return err
		}
	}
	logout := func(ctx context.Context, c *pikvm.Client) error { return c.Auth.Logout(ctx, redact.Secret(token)) }
	code := func(s string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return s, nil }
	}
	for _, tc := range []struct {
		exchange string
		opts     pikvm.Options
		call     func(context.Context, *pikvm.Client) error
		want     sentProof
	}{
		{"auth_ok", pikvm.Options{Password: "admin"}, check, sentProof{User: "admin", Password: "admin"}},
		{"auth_bad_passwd", pikvm.Options{Password: "wrong"}, check, sentProof{User: "admin", Password: "wrong"}},
		{
			"auth_basic_ok",
			pikvm.Options{Password: "admin", Auth: pikvm.AuthBasic},
			check,
			sentProof{Basic: "admin:admin"},
		},
		{
			"auth_basic_bad",
			pikvm.Options{Password: "wrong", Auth: pikvm.AuthBasic},
			check,
			sentProof{Basic: "admin:wrong"},
		},
		{
			"login_ok",
			pikvm.Options{Password: "admin"},
			login(token),
			sentProof{Form: "passwd=admin&user=admin"},
		},
		{"login_bad", pikvm.Options{Password: "wrong"}, login(""), sentProof{Form: "passwd=wrong&user=admin"}},
		{
			"login_ok",
			pikvm.Options{Password: "admin", Auth: pikvm.AuthCookie},
			login(token),
			sentProof{Form: "passwd=admin&user=admin"},
		},
		{"logout_ok", pikvm.Options{}, logout, sentProof{Cookie: "auth_token=" + token}},
		{"totp_ok", pikvm.Options{Password: "admin", TOTPCode: code("123456")}, check, sentProof{User: "admin", Password: "admin123456"}},
		{"totp_missing", pikvm.Options{Password: "admin"}, check, sentProof{User: "admin", Password: "admin"}},
		{
			"totp_wrong",
			pikvm.Options{Password: "admin", TOTPCode: code("000000")},
			check,
			sentProof{User: "admin", Password: "admin000000"},
		},
		{
			"totp_login",
			pikvm.Options{Password: "admin", TOTPCode: code("123456")},
			login("0000000000000000000000000000000000000000000000000000000a11ce0003"),
			sentProof{Form: "passwd=admin123456&user=admin"},
		},
	} {
		t.Run(tc.exchange+" "+tc.opts.Auth.String(), func(t *testing.T) {
			t.Parallel()
			e := exchangeNamed(t, tc.exchange)
			var got sentProof
			recorded := e.handler(t)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = proofOf(t, r)
				recorded.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			err := tc.call(t.Context(), newClient(t, server.URL, &tc.opts))
			if e.Status != http.StatusOK {
				checkRefusal(t, e, err)
			} else if err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("sent (-want +got):\n%s", d)
			}
		})
	}
}

func proofOf(t *testing.T, r *http.Request) sentProof {
	t.Helper()
	p := sentProof{
		User: r.Header.Get("X-KVMD-User"), Password: r.Header.Get("X-KVMD-Passwd"), Cookie: r.Header.Get("Cookie"),
	}
	if user, password, ok := r.BasicAuth(); ok {
		p.Basic = user + ":" + password
	}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		p.Form = r.PostForm.Encode()
		if p.Form != "" && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			t.Errorf("form is sent as %q", r.Header.Get("Content-Type"))
		}
		if len(r.TransferEncoding) > 0 {
			t.Error("the body is sent in chunks")
		}
	}
	return p
}
