package pikvmtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// exchange is one recorded request and its answer. The recording does not hold the headers and bodies of requests:
// recipes says what they were.
type exchange struct {
	Name        string
	Config      string
	Method      string
	Path        string
	Status      int
	ContentType string `json:"content_type"`
	Body        json.RawMessage
	Location    string
	SetCookie   string `json:"set_cookie"`
}

// recipe is how a recorded request is sent again.
type recipe struct {
	after   time.Duration // what passed before it
	options func(k *replayed) []func(*http.Request)
}

// replayed is a fake with the tokens that it gave out.
type replayed struct {
	*kvm
	token string // of the last login
}

func fixed(options ...func(*http.Request)) recipe {
	return recipe{options: func(*replayed) []func(*http.Request) { return options }}
}

func basic(payload string) func(*http.Request) {
	return with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(payload)))
}

func withToken(after time.Duration, more ...func(*http.Request)) recipe {
	return recipe{after, func(k *replayed) []func(*http.Request) {
		return append([]func(*http.Request){anonymous, cookie(k.token)}, more...)
	}}
}

// recipes holds the recorded requests, in the part of the device that exists here, that need more than the credentials
// of admin in headers.
var recipes = map[string]recipe{
	"auth_none":                      fixed(anonymous),
	"auth_bad_passwd":                fixed(as("admin", "wrong")),
	"auth_bad_user_chars":            fixed(as("Admin!", "admin")),
	"auth_empty_user_header":         fixed(as("", "admin")),
	"auth_basic_ok":                  fixed(anonymous, basic("admin:admin")),
	"auth_basic_bad":                 fixed(anonymous, basic("admin:wrong")),
	"auth_basic_colon_in_passwd":     fixed(anonymous, basic("admin:ad:min")),
	"auth_basic_garbage":             fixed(anonymous, with("Authorization", "Basic !!!")),
	"auth_bearer":                    fixed(anonymous, with("Authorization", "Bearer abc")),
	"auth_cookie_malformed":          fixed(anonymous, cookie("zzz")),
	"auth_cookie_unknown":            fixed(anonymous, cookie(strings.Repeat("0", 64))),
	"login_json_body":                fixed(anonymous, body("application/json", `{"user":"admin","passwd":"admin"}`)),
	"login_bad":                      fixed(anonymous, form("user", "admin", "passwd", "wrong")),
	"login_bad_user":                 fixed(anonymous, form("user", "Ad min", "passwd", "admin")),
	"login_bad_passwd_chars":         fixed(anonymous, form("user", "admin", "passwd", "p\u00e4ss")),
	"login_neg_expire":               fixed(anonymous, form("user", "admin", "passwd", "admin", "expire", "-1")),
	"login_redirect":                 fixed(anonymous, form("user", "admin", "passwd", "admin", "redirect", "/kvm/")),
	"login_redirect_bad":             fixed(anonymous, form("user", "admin", "passwd", "admin", "redirect", "/evil")),
	"login_ok":                       fixed(anonymous, form("user", "admin", "passwd", "admin")),
	"cookie_ok":                      withToken(0),
	"xhdr_wrong_plus_good_cookie":    withToken(0, as("admin", "wrong")),
	"logout_ok":                      withToken(0),
	"cookie_after_logout":            withToken(0),
	"logout_unknown_token_with_xhdr": fixed(cookie(strings.Repeat("0", 64))),
	"login_expire1":                  fixed(anonymous, form("user", "admin", "passwd", "admin", "expire", "1")),
	"cookie_expired":                 withToken(1100 * time.Millisecond),
	"atx_busy_state":                 {after: 50 * time.Millisecond},
	"atx_on":                         {after: 3 * time.Second},
	"totp_missing":                   fixed(),
	"totp_ok":                        {options: totpHeaders},
	"totp_wrong":                     fixed(as("admin", "admin000000")),
	"totp_login": {options: func(k *replayed) []func(*http.Request) {
		return []func(*http.Request){anonymous, form("user", "admin", "passwd", "admin"+codeNow())}
	}},
}

func totpHeaders(*replayed) []func(*http.Request) {
	return []func(*http.Request){as("admin", "admin"+codeNow())}
}

// covered says which recorded exchanges concern the parts that the fake has.
func covered(e exchange) bool {
	switch {
	case strings.HasPrefix(e.Path, "/api/auth/"), strings.HasPrefix(e.Path, "/api/info"),
		strings.HasPrefix(e.Path, "/api/atx"), e.Path == "/api/nope", e.Path == "/api//atx", strings.HasPrefix(e.Path, "/api/ws"):
		return true
	}
	switch e.Name {
	case "hid", "hid_keymaps", "gpio", "streamer_stopped", "streamer_ocr", "switch_none":
		return true
	}
	return false
}

// TestRecordedExchanges sends recorded requests again, in their order, and compares the answers byte for byte. Two
// things vary and are left out of the comparison: tokens and the uptime.
func TestRecordedExchanges(t *testing.T) {
	raw, err := os.ReadFile("../testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, set := range []struct {
		name   string
		config string
		opts   pikvmtest.Options
		want   int
	}{
		{name: "default", config: "default", want: 68},
		{
			name:   "atx off, second factor",
			config: "atx+msd disabled, resolution-capable streamer, TOTP secret JBSWY3DPEHPK3PXP, session limit 100 s",
			opts: pikvmtest.Options{
				ATXDisabled: true, TOTPSecret: "JBSWY3DPEHPK3PXP", SessionLimit: 100 * time.Second,
			},
			want: 7,
		},
	} {
		t.Run(set.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &replayed{kvm: startInMemory(t, &set.opts)}
				done := 0
				for _, e := range all {
					if e.Config == set.config && covered(e) {
						k.replay(e, set.opts.TOTPSecret != "")
						done++
					}
				}
				if done != set.want {
					t.Errorf("replayed %d exchanges, want %d", done, set.want)
				}
			})
		})
	}
}

var tokenPattern = regexp.MustCompile(`auth_token=([0-9a-f]{64})`)

func (k *replayed) replay(e exchange, totp bool) {
	k.t.Helper()
	how := recipes[e.Name]
	if e.Name == "" && e.Status == 401 {
		how = fixed(anonymous)
	}
	time.Sleep(how.after)
	var options []func(*http.Request)
	if totp {
		options = totpHeaders(k)
	}
	if how.options != nil {
		options = how.options(k)
	}
	got := k.do(e.Method, e.Path, options...)
	if m := tokenPattern.FindStringSubmatch(got.Header.Get("Set-Cookie")); m != nil {
		k.token = m[1]
	}
	type view struct {
		Status                                 int
		ContentType, Location, SetCookie, Body string
	}
	want := view{e.Status, e.ContentType, e.Location, mask(e.SetCookie), wireBody(k.t, e)}
	have := view{
		got.Status, got.ContentType, got.Header.Get("Location"), mask(got.Header.Get("Set-Cookie")), maskUptime(got.Body),
	}
	if d := cmp.Diff(want, have); d != "" {
		k.t.Errorf("%s %s %s (-want +got):\n%s", e.Name, e.Method, e.Path, d)
	}
}

// wireBody returns the body of a recorded answer as the device sends it: JSON with four spaces of indentation, texts
// as they are.
func wireBody(t *testing.T, e exchange) string {
	t.Helper()
	if e.ContentType == "application/json; charset=utf-8" {
		var b bytes.Buffer
		if err := json.Indent(&b, e.Body, "", "    "); err != nil {
			t.Fatal(err)
		}
		return maskUptime(b.String())
	}
	var text string
	if err := json.Unmarshal(e.Body, &text); err != nil {
		t.Fatal(err)
	}
	return text
}

func mask(cookie string) string {
	return tokenPattern.ReplaceAllString(cookie, "auth_token=*")
}

var uptimePattern = regexp.MustCompile(`"uptime": \{[^}]*\{[^}]*\}[^}]*\}`)

func maskUptime(body string) string { return uptimePattern.ReplaceAllString(body, `"uptime": *`) }
