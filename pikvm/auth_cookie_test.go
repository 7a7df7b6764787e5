package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

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

// TestLogoutNotReached checks that a session outlives a logout that did not reach the device.
func TestLogoutNotReached(t *testing.T) {
	t.Parallel()
	c, device := cookieClient(t, pikvm.Options{})
	if err := c.Auth.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Auth.Logout(canceled(t), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if err := c.Auth.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := device.count(); got != 1 {
		t.Errorf("%d logins, want 1", got)
	}
	if err := c.Auth.Logout(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if len(device.good) != 0 {
		t.Error("the device still knows the session")
	}
}
