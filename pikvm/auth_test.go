package pikvm_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// TestTOTPPerRequest checks that each request has the code of its time.
func TestTOTPPerRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, err := pikvm.ParseTOTPSecret("JBSWY3DPEHPK3PXP")
		if err != nil {
			t.Fatal(err)
		}
		network := netem.New(nil)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			want := "pw" + pikvm.TOTP(key, time.Now())
			if got := r.Header.Get("X-Kvmd-Passwd"); got != want {
				t.Errorf("password at %v is %s, want %s", time.Now(), got, want)
			}
			reply(w, http.StatusOK, okEmpty)
		})
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{Password: "pw", TOTPSecret: "JBSWY3DPEHPK3PXP"}))
		for range 5 {
			if err := c.Auth.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}
	})
}

// TestTOTPRetry checks that a refused code is replaced once, and only by another one.
func TestTOTPRetry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		codes   []string // in the order of the calls; the last one is repeated
		good    string   // the code that the device takes
		status  int      // of a refusal
		disable bool
		auth    pikvm.AuthMode
		sent    []string
		fails   bool
	}{
		{name: "good at once", codes: []string{"111111"}, good: "111111", status: 403, sent: []string{"111111"}},
		{
			name: "step passed", codes: []string{"111111", "222222"}, good: "222222", status: 403,
			sent: []string{"111111", "222222"},
		},
		{
			name: "step passed at login", codes: []string{"111111", "222222"}, good: "222222", status: 403,
			auth: pikvm.AuthCookie, sent: []string{"111111", "222222"},
		},
		{
			name: "same code", codes: []string{"111111"}, good: "222222", status: 403,
			sent: []string{"111111"}, fails: true,
		},
		{
			name: "once only", codes: []string{"111111", "222222", "333333"}, good: "333333", status: 403,
			sent: []string{"111111", "222222"}, fails: true,
		},
		{
			name: "switched off", codes: []string{"111111", "222222"}, good: "222222", status: 403, disable: true,
			sent: []string{"111111"}, fails: true,
		},
		{
			name: "not after 401", codes: []string{"111111", "222222"}, good: "222222", status: 401,
			sent: []string{"111111"}, fails: true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			var sent []string
			serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
				password := r.Header.Get("X-Kvmd-Passwd")
				if r.URL.Path == "/api/auth/login" {
					password = r.FormValue("passwd")
				} else if tc.auth == pikvm.AuthCookie {
					reply(w, http.StatusOK, okEmpty)
					return
				}
				sent = append(sent, strings.TrimPrefix(password, "pw"))
				if password != "pw"+tc.good {
					reply(w, tc.status, forbidden)
					return
				}
				reply(w, http.StatusOK, okEmpty)
			})
			calls := 0
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{
				Password: "pw", Auth: tc.auth, DisableTOTPRetry: tc.disable,
				TOTPCode: func(context.Context) (string, error) {
					calls++
					return tc.codes[min(calls, len(tc.codes))-1], nil
				},
			}))
			err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
			if (err != nil) != tc.fails {
				t.Errorf("error is %v, want one: %t", err, tc.fails)
			}
			if tc.fails && !errors.Is(err, pikvm.ErrAuth) {
				t.Errorf("error %v is not ErrAuth", err)
			}
			if d := cmp.Diff(tc.sent, sent); d != "" {
				t.Errorf("codes (-want +got):\n%s", d)
			}
		})
	}
}

// TestTOTPSourceFails checks a source of codes that has none: nothing is sent.
func TestTOTPSourceFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, source := range map[string]func(context.Context) (string, error){
		"error":     func(context.Context) (string, error) { return "", boom },
		"no digits": func(context.Context) (string, error) { return "12345x", nil },
		"too long":  func(context.Context) (string, error) { return "1234567", nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, kvmHTTP, &pikvm.Options{TOTPCode: source, DialContext: noDial(t)})
			err := c.ATX.Click(t.Context(), pikvm.ButtonReset, nil)
			checkConfiguration(t, err, "TOTPCode")
			if name == "error" && !errors.Is(err, boom) {
				t.Errorf("error %v lost its cause", err)
			}
		})
	}
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t), TOTPCode: func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(0, cancel)
		err := c.ATX.Click(ctx, pikvm.ButtonReset, nil)
		failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent}.check(t, err)
	})
}

// sessions is a device with cookie sessions.
type sessions struct {
	t *testing.T

	mu      sync.Mutex
	logins  int
	forms   []string
	good    map[string]bool
	refuse  bool // logins
	hold    chan struct{}
	clicked int
}

func (d *sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Kvmd-User") != "" || r.Header.Get("Authorization") != "" {
		d.t.Errorf("%s has credentials beside the cookie", r.URL.Path)
	}
	cookie, _ := r.Cookie("auth_token")
	d.mu.Lock()
	defer d.mu.Unlock()
	known := cookie != nil && d.good[cookie.Value]
	switch {
	case r.URL.Path == "/api/auth/login":
		if cookie != nil {
			d.t.Error("login has a cookie")
		}
		d.logins++
		d.forms = append(d.forms, r.FormValue("user")+"/"+r.FormValue("passwd")+"/"+r.FormValue("expire"))
		refuse := d.refuse
		if hold := d.hold; hold != nil {
			d.mu.Unlock()
			<-hold
			d.mu.Lock()
		}
		if refuse {
			reply(w, http.StatusForbidden, forbidden)
			return
		}
		token := fmt.Sprintf("%064x", d.logins)
		d.good = map[string]bool{token: true}
		w.Header().Set("Set-Cookie", "auth_token="+token+"; HttpOnly; Path=/; SameSite=Strict")
		reply(w, http.StatusOK, okEmpty)
	case !known:
		reply(w, http.StatusForbidden, forbidden)
	case r.URL.Path == "/api/auth/logout":
		d.good = nil
		reply(w, http.StatusOK, okEmpty)
	case r.URL.Path == "/api/atx/click":
		d.clicked++
		reply(w, http.StatusOK, okEmpty)
	default:
		reply(w, http.StatusOK, atxOn)
	}
}

// restart makes the device forget all sessions.
func (d *sessions) restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.good = nil
}

func (d *sessions) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins
}

func (d *sessions) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func cookieClient(t *testing.T, opts pikvm.Options) (*pikvm.Client, *sessions) {
	t.Helper()
	device := &sessions{t: t}
	network := netem.New(nil)
	serveHTTP(t, network, device.ServeHTTP)
	opts.Auth = pikvm.AuthCookie
	opts.Password = "password"
	return newClient(t, kvmHTTP, on(network, opts)), device
}

// TestCookieSession follows a session from the first request to its end.
func TestCookieSession(t *testing.T) {
	t.Parallel()
	c, device := cookieClient(t, pikvm.Options{SessionExpire: time.Hour})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	logins := func(want int) {
		t.Helper()
		if got := device.count(); got != want {
			t.Fatalf("%d logins, want %d", got, want)
		}
	}
	must(c.Auth.Logout(t.Context(), "")) // no session: nothing to do
	logins(0)
	for range 3 {
		_, err := c.ATX.State(t.Context())
		must(err)
	}
	logins(1)
	device.restart()
	must(c.ATX.Click(t.Context(), pikvm.ButtonReset, nil))
	logins(2)
	if device.clicked != 1 {
		t.Errorf("%d clicks, want 1", device.clicked)
	}
	must(c.Auth.Logout(t.Context(), ""))
	logins(2)
	must(c.Auth.Check(t.Context()))
	logins(3)
	token, err := c.Auth.Login(t.Context(), nil)
	must(err)
	logins(4)
	if want := fmt.Sprintf("%064x", 4); token.Reveal() != want {
		t.Errorf("token is %s, want %s", token.Reveal(), want)
	}
	must(c.Auth.Check(t.Context()))
	logins(4)
	if d := cmp.Diff([]string{"admin/password/3600", "admin/password/3600", "admin/password/3600", "admin/password/3600"},
		device.forms); d != "" {
		t.Errorf("forms (-want +got):\n%s", d)
	}

	other, err := c.Auth.Login(t.Context(), &pikvm.LoginOptions{User: "guest", Password: "g", Code: "123456", Expire: time.Minute})
	must(err)
	if got := device.forms[len(device.forms)-1]; got != "guest/g123456/60" {
		t.Errorf("form is %s", got)
	}
	must(c.Auth.Logout(t.Context(), other))
	err = c.Auth.Logout(t.Context(), other)
	failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, err)
	logins(5)
}

// TestCookieBurst checks that a burst of requests shares one login, at the beginning, after the device forgot the
// session, and when the device refuses the login.
func TestCookieBurst(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		open   bool // there is a session that the device has forgotten
		refuse bool
		logins int
	}{
		{name: "first", logins: 1},
		{name: "first refused", refuse: true, logins: 1},
		{name: "forgotten", open: true, logins: 2},
		{name: "forgotten and refused", open: true, refuse: true, logins: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, device := cookieClient(t, pikvm.Options{})
				if tc.open {
					if err := c.Auth.Check(t.Context()); err != nil {
						t.Fatal(err)
					}
					device.restart()
				}
				hold := make(chan struct{})
				device.set(func() { device.refuse, device.hold = tc.refuse, hold })
				var failed atomic.Int64
				var all sync.WaitGroup
				for range 50 {
					all.Go(func() {
						_, err := c.ATX.State(t.Context())
						if err != nil {
							failed.Add(1)
						}
						if tc.refuse {
							failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403}.check(t, err)
						} else if err != nil {
							t.Error(err)
						}
					})
				}
				synctest.Wait() // all wait for the one login
				close(hold)
				all.Wait()
				if got := device.count(); got != tc.logins {
					t.Errorf("%d logins, want %d", got, tc.logins)
				}
				if want := map[bool]int64{true: 50}[tc.refuse]; failed.Load() != want {
					t.Errorf("%d of 50 failed, want %d", failed.Load(), want)
				}
			})
		})
	}
}

// TestCookieLateRefusal checks that a request whose refusal arrives after others have opened a new session uses
// that session.
func TestCookieLateRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		device := &sessions{t: t}
		network := netem.New(nil)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("late") != "" && r.Header.Get("Cookie") == "auth_token="+fmt.Sprintf("%064x", 1) {
				<-late
			}
			device.ServeHTTP(w, r)
		})
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{Auth: pikvm.AuthCookie}))
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		device.restart()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.Fetch(t.Context(), http.MethodGet, "/api/atx?late=1"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(late)
		all.Wait()
		if got := device.count(); got != 2 {
			t.Errorf("%d logins, want 2", got)
		}
	})
}

// TestCookieRefusedAgain checks that a new session that is refused too is the end: one repetition, no loop.
func TestCookieRefusedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			var requests, logins int
			serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/auth/login" {
					logins++
					reply(w, http.StatusOK, okEmpty)
					return
				}
				requests++
				reply(w, status, forbidden)
			})
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{Auth: pikvm.AuthCookie}))
			_, err := c.ATX.State(t.Context())
			failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: status}.check(t, err)
			if requests != 2 || logins != 2 {
				t.Errorf("%d requests and %d logins, want 2 and 2", requests, logins)
			}
		})
	}
}

// TestCookieWaiters checks that those who wait for a login leave when they must, and that a login that nobody
// waits for any more ends.
func TestCookieWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, device := cookieClient(t, pikvm.Options{})
		hold := make(chan struct{})
		device.set(func() { device.hold = hold })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var patient error
		var all sync.WaitGroup
		all.Go(func() { _, patient = c.ATX.State(ctx) })
		synctest.Wait()
		begin := time.Now()
		_, err := c.ATX.State(t.Context())
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 10 * time.Second,
			Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
		}.check(t, err)
		all.Wait()
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("the patient one left after %v", took)
		}
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout,
			Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
		}.check(t, patient)
		close(hold)
		device.set(func() { device.hold = nil })
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if got := device.count(); got != 2 {
			t.Errorf("%d logins, want 2: the abandoned one and a new one", got)
		}
	})
}

// TestCookieClose checks that Close ends a login under way and those who wait for it.
func TestCookieClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, device := cookieClient(t, pikvm.Options{})
		hold := make(chan struct{})
		defer close(hold)
		device.set(func() { device.hold = hold })
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		_, err := c.ATX.State(t.Context())
		if !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("error is %v, want ErrClosed", err)
		}
	})
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
