package pikvmtest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
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
	Disposition string `json:"content_disposition"`
	Binary      bool   `json:"binary_body"`
	Headers     map[string]string
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
	edid  string // id of the last EDID
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
	"redfish_root_unauth":            fixed(anonymous),
	"redfish_systems_unauth":         fixed(anonymous),
	"redfish_reset_bad":              fixed(body("application/json", `{"ResetType": "Nope"}`)),
	"redfish_reset_lower":            fixed(body("application/json", `{"ResetType": "on"}`)),
	"redfish_reset_ctype":            {3 * time.Second, resetBody("text/plain")},
	"redfish_reset_ctype_json":       {options: resetBody("application/json")},
	"redfish_reset_busy":             {options: resetBody("application/json")},
	"redfish_reset_switch":           {options: resetBody("application/json")},
	"redfish_system0_on":             {after: 3 * time.Second},
	"redfish_reset_disabled": {options: func(k *replayed) []func(*http.Request) {
		return append(totpHeaders(k), resetBody("application/json")(k)...)
	}},
	"redfish_insert_disabled": {options: func(k *replayed) []func(*http.Request) {
		return append(totpHeaders(k), body("application/json", `{"Image": "a.iso", "Inserted": true}`))
	}},
	"hid_print":        fixed(body("text/plain", "Hello\n")),
	"hid_print_slow":   fixed(body("text/plain", "Hello")),
	"gpio_busy_state":  {after: 50 * time.Millisecond},
	"gpio_pulse_wait":  {after: 2 * time.Second},
	"switch_with_edid": {after: time.Second},
	"totp_missing":     fixed(),
	"totp_ok":          {options: totpHeaders},
	"totp_wrong":       fixed(as("admin", "admin000000")),
	"totp_login": {options: func(k *replayed) []func(*http.Request) {
		return []func(*http.Request){anonymous, form("user", "admin", "passwd", "admin"+codeNow())}
	}},
}

// resetBody asks for the host to be switched on.
func resetBody(contentType string) func(*replayed) []func(*http.Request) {
	return func(*replayed) []func(*http.Request) {
		return []func(*http.Request){body(contentType, `{"ResetType": "On"}`)}
	}
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
	if strings.HasPrefix(e.Path, "/api/hid") {
		return true
	}
	if e.Name == "" {
		return false // see TestRecordedStorage and TestRecordedStreamer
	}
	if strings.HasPrefix(e.Path, "/api/streamer") {
		return true
	}
	return ofResource(e.Path)
}

// ofResource says which paths are those of the parts that TestRecordedStorage goes through.
func ofResource(path string) bool {
	return slices.ContainsFunc([]string{"gpio", "msd", "switch", "redfish", "export", "log"}, func(part string) bool {
		return strings.HasPrefix(path, "/api/"+part)
	})
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
		{name: "default", config: "default", want: 181},
		{
			name:   "atx off, second factor",
			config: "atx+msd disabled, resolution-capable streamer, TOTP secret JBSWY3DPEHPK3PXP, session limit 100 s",
			opts: pikvmtest.Options{
				ATXDisabled: true, LogDisabled: true, Streamer: noVideoSettings, MSD: pikvmtest.MSDOptions{Disabled: true}, TOTPSecret: "JBSWY3DPEHPK3PXP", SessionLimit: 100 * time.Second,
			},
			want: 24,
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
	got := k.do(e.Method, k.path(e.Path), options...)
	k.compare(e, got)
}

// path is a recorded path with what is different here.
func (k *replayed) path(recorded string) string {
	if strings.Contains(recorded, "<512 hex chars>") {
		edids := k.result(k.do("GET", "/api/switch"))["edids"].(map[string]any)["all"].(map[string]any)
		return strings.Replace(recorded, "<512 hex chars>", edids["default"].(map[string]any)["data"].(string), 1)
	}
	if strings.HasPrefix(recorded, "/api/switch") && k.edid != "" {
		return recordedEDID.ReplaceAllString(recorded, k.edid)
	}
	return recorded
}

// recordedEDID are the ids of the recorded EDIDs; zeros stand for one that there is not.
var recordedEDID = regexp.MustCompile(`28547134-38f3-443d-ae9d-97253c43ebcc|90d57318-9e67-4d96-8465-0a1e51318164`)

var anyEDID = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f-]{27}"`)

// compare compares an answer with the recorded one, but for what is different from device to device.
func (k *replayed) compare(e exchange, got answer) {
	k.t.Helper()
	if strings.HasSuffix(e.Path, "edids/create") || strings.Contains(e.Path, "edids/create?") && got.Status == 200 {
		k.edid, _ = k.result(got)["id"].(string)
	}
	if m := tokenPattern.FindStringSubmatch(got.Header.Get("Set-Cookie")); m != nil {
		k.token = m[1]
	}
	type view struct {
		Status                                 int
		ContentType, Location, SetCookie, Body string
	}
	want := view{e.Status, e.ContentType, e.Location, mask(e.SetCookie), wireBody(k.t, e)}
	have := view{
		got.Status, got.ContentType, got.Header.Get("Location"), mask(got.Header.Get("Set-Cookie")), maskBody(got.Body),
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
		return maskBody(b.String())
	}
	if e.Binary {
		return "" // an answer without a body
	}
	var text string
	if err := json.Unmarshal(e.Body, &text); err != nil {
		t.Fatal(err)
	}
	return maskBody(text)
}

func mask(cookie string) string {
	return tokenPattern.ReplaceAllString(cookie, "auth_token=*")
}

// varying are the parts of bodies that are different from device to device and from run to run.
var varying = regexp.MustCompile(`"(mod_ts|free|inactivity)": [0-9.]+|pikvm_hw_(cpu|mem)_[a-z]+ [0-9.]+`)

func maskBody(body string) string {
	body = sortMembers(anyEDID.ReplaceAllString(maskUptime(body), `"an EDID"`))
	return varying.ReplaceAllStringFunc(body, func(part string) string { return strings.Fields(part)[0] + " *" })
}

// sortMembers sorts the members of objects anew where an id that varies was one of their names.
func sortMembers(body string) string {
	var v any
	if !strings.Contains(body, `"an EDID": {`) || json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	sorted, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		return body
	}
	return string(sorted)
}

var uptimePattern = regexp.MustCompile(`"uptime": \{[^}]*\{[^}]*\}[^}]*\}`)

func maskUptime(body string) string { return uptimePattern.ReplaceAllString(body, `"uptime": *`) }
