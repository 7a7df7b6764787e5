package pikvmtest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestFirstSourceDecides shows that a source of credentials that is present hides all later ones.
func TestFirstSourceDecides(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{Users: map[string]string{"admin": "admin", "op": "p w"}})
	token := k.login()
	for _, tc := range []struct {
		name      string
		options   []func(*http.Request)
		status    int
		err, text string
	}{
		{"headers", []func(*http.Request){as("op", "p w")}, 200, "", ""},
		{"headers before cookie", []func(*http.Request){as("op", "x"), cookie(token)}, 403, "ForbiddenError", "Forbidden"},
		{"headers before basic", []func(*http.Request){as("op", "x"), basic("admin:admin")}, 403, "ForbiddenError", "Forbidden"},
		{"user header without password", []func(*http.Request){anonymous, with("X-KVMD-User", "admin")}, 403, "ForbiddenError", "Forbidden"},
		{"password header without user", []func(*http.Request){anonymous, with("X-KVMD-Passwd", "admin"), basic("admin:admin")}, 200, "", ""},
		{"user is stripped", []func(*http.Request){as(" admin ", "admin")}, 200, "", ""},
		{"password is not", []func(*http.Request){anonymous, basic("admin: admin")}, 403, "ForbiddenError", "Forbidden"},
		{"unknown user", []func(*http.Request){as("nobody", "admin")}, 403, "ForbiddenError", "Forbidden"},
		{"upper case user", []func(*http.Request){as("ADMIN", "admin")}, 400, "ValidatorError", "The argument 'ADMIN' is not a valid username characters"},
		{"user too long", []func(*http.Request){as(strings.Repeat("a", 129), "admin")}, 400, "ValidatorError", "RAW limit exceed"},
		{"password beyond ASCII", []func(*http.Request){as("admin", "p\u00e4ss")}, 400, "ValidatorError", "The argument is not a valid passwd characters"},
		{"password too long", []func(*http.Request){as("admin", strings.Repeat("a", 513))}, 400, "ValidatorError", "RAW limit exceed"},
		{"bad cookie before basic", []func(*http.Request){anonymous, cookie("ABC"), basic("admin:admin")}, 400, "ValidatorError", "The argument is not a valid auth token"},
		{"unknown cookie before basic", []func(*http.Request){anonymous, cookie(strings.Repeat("f", 64)), basic("admin:admin")}, 403, "ForbiddenError", "Forbidden"},
		{"empty cookie is none", []func(*http.Request){anonymous, cookie(""), basic("admin:admin")}, 200, "", ""},
		{"basic in any case", []func(*http.Request){anonymous, with("Authorization", "bAsIc YWRtaW46YWRtaW4=")}, 200, "", ""},
		{"basic with rubbish between", []func(*http.Request){anonymous, with("Authorization", "Basic YWRt*aW46-YWRtaW4=")}, 200, "", ""},
		{"basic without padding", []func(*http.Request){anonymous, with("Authorization", "Basic YWRtaW46YWRtaW4")}, 401, "UnauthorizedError", "Unauthorized"},
		{"basic without colon", []func(*http.Request){anonymous, basic("admin")}, 401, "UnauthorizedError", "Unauthorized"},
		{"basic with bad user", []func(*http.Request){anonymous, basic("Admin:x")}, 400, "ValidatorError", "The argument 'Admin' is not a valid username characters"},
		{"basic alone in the header", []func(*http.Request){anonymous, with("Authorization", "Basic")}, 401, "UnauthorizedError", "Unauthorized"},
		{"nothing", []func(*http.Request){anonymous}, 401, "UnauthorizedError", "Unauthorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			k.want(k.do("GET", "/api/auth/check", tc.options...), tc.status, tc.err, tc.text)
		})
	}
}

func TestLoginForm(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{LoginRedirects: []string{"", "/here"}})
	multipart := "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nadmin\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"passwd\"\r\n\r\nadmin\r\n--b--\r\n"
	for _, tc := range []struct {
		name      string
		body      func(*http.Request)
		status    int
		err, text string
	}{
		{"multipart", body("multipart/form-data; boundary=b", multipart), 200, "", ""},
		{"no content type", body("", "user=admin&passwd=admin"), 400, "ValidatorError", "The argument '' is not a valid username characters"},
		{"no user", form("passwd", "admin"), 400, "ValidatorError", "The argument '' is not a valid username characters"},
		{"no password", form("user", "admin"), 403, "ForbiddenError", "Forbidden"},
		{"first of two", form("user", "admin", "passwd", "admin", "user", "Bad"), 200, "", ""},
		{"quoted user", form("user", "it's", "passwd", "x"), 400, "ValidatorError", `The argument "it's" is not a valid username characters`},
		{"hex expire", form("user", "admin", "passwd", "admin", "expire", "0x10"), 200, "", ""},
		{"expire is no number", form("user", "admin", "passwd", "admin", "expire", "soon"), 400, "ValidatorError", "The argument 'soon' is not a valid expiration time"},
		{"expire too long", form("user", "admin", "passwd", "admin", "expire", strings.Repeat("1", 17)), 400, "ValidatorError", "RAW limit exceed"},
		{"expire beyond all sense", form("user", "admin", "passwd", "admin", "expire", "9999999999999999"), 200, "", ""},
		{"own redirect", form("user", "admin", "passwd", "admin", "redirect", "/here"), 302, "", ""},
		{"default redirect that is not allowed", form("user", "admin", "passwd", "admin", "redirect", "/"), 400, "ValidatorError", "The argument '/' is not a valid login redirect"},
		{"redirect is checked before the password", form("user", "admin", "passwd", "x", "redirect", "/"), 400, "ValidatorError", "The argument '/' is not a valid login redirect"},
		{"redirect of a stranger", form("user", "admin", "passwd", "x", "redirect", "/here"), 403, "ForbiddenError", "Forbidden"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			k.want(k.do("POST", "/api/auth/login", anonymous, tc.body), tc.status, tc.err, tc.text)
		})
	}
}

func TestLoginOfOldVersions(t *testing.T) {
	t.Parallel()
	t.Run("no redirect before 4.108", func(t *testing.T) {
		k := start(t, &pikvmtest.Options{Version: "4.107"})
		k.login("redirect", "/evil")
	})
	t.Run("no expire before 4.53", func(t *testing.T) {
		k := start(t, &pikvmtest.Options{Version: "4.52"})
		k.login("expire", "-1")
	})
}

func TestSessions(t *testing.T) {
	t.Parallel()
	status := func(k *kvm, token string) int {
		return k.do("GET", "/api/auth/check", anonymous, cookie(token)).Status
	}
	t.Run("logout ends all sessions of the user", func(t *testing.T) {
		k := start(t, nil)
		a, b := k.login(), k.login()
		if got := k.do("POST", "/api/auth/logout", anonymous, cookie(a)).Status; got != 200 {
			t.Fatalf("logout: %d", got)
		}
		if a, b := status(k, a), status(k, b); a != 403 || b != 403 {
			t.Errorf("after the logout: %d, %d, want 403", a, b)
		}
	})
	t.Run("logout leaves other users alone", func(t *testing.T) {
		k := start(t, &pikvmtest.Options{Users: map[string]string{"admin": "admin", "op": "op"}})
		mine := k.login()
		r := k.do("POST", "/api/auth/login", anonymous, form("user", "op", "passwd", "op"))
		theirs := r.Header.Get("Set-Cookie")[len("auth_token="):][:64]
		k.do("POST", "/api/auth/logout", anonymous, cookie(mine))
		if got := status(k, theirs); got != 200 {
			t.Errorf("the other user's session: %d, want 200", got)
		}
	})
	t.Run("logout without any credentials", func(t *testing.T) {
		k := start(t, nil)
		k.want(k.do("POST", "/api/auth/logout", anonymous), 401, "UnauthorizedError", "Unauthorized")
	})
	t.Run("forgotten", func(t *testing.T) {
		k := start(t, nil)
		token := k.login()
		k.EndSessions()
		if got := status(k, token); got != 403 {
			t.Errorf("after EndSessions: %d, want 403", got)
		}
	})
	for _, tc := range []struct {
		name   string
		limit  time.Duration
		expire string
		want   time.Duration
	}{
		{"asked for", 0, "60", time.Minute},
		{"capped", 100 * time.Second, "3600", 100 * time.Second},
		{"cap is the default", 100 * time.Second, "0", 100 * time.Second},
		{"shorter than the cap", 100 * time.Second, "10", 10 * time.Second},
	} {
		t.Run("expiry "+tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := startInMemory(t, &pikvmtest.Options{SessionLimit: tc.limit})
				token := k.login("expire", tc.expire)
				time.Sleep(tc.want - time.Millisecond)
				if got := status(k, token); got != 200 {
					t.Errorf("just before the end: %d", got)
				}
				time.Sleep(time.Millisecond)
				if got := status(k, token); got != 403 {
					t.Errorf("at the end: %d", got)
				}
			})
		})
	}
	t.Run("without end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, nil)
			token := k.login()
			time.Sleep(10 * 365 * 24 * time.Hour)
			if got := status(k, token); got != 200 {
				t.Errorf("ten years later: %d", got)
			}
		})
	})
}

func TestTOTPWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{TOTPSecret: "jbsw y3dp ehpk 3pxp"})
		check := func(code string) int {
			return k.do("GET", "/api/auth/check", as("admin", "admin"+code)).Status
		}
		time.Sleep(7 * time.Second)
		for step, want := range map[int]int{-2: 403, -1: 200, 0: 200, 1: 200, 2: 403} {
			if got := check(codeAt(time.Now().Add(time.Duration(step) * 30 * time.Second))); got != want {
				t.Errorf("code of step %+d: %d, want %d", step, got, want)
			}
		}
		for range 2 {
			if got := check(codeNow()); got != 200 {
				t.Errorf("using a code again inside the window: %d", got)
			}
		}
		k.SetClockSkew(2 * time.Minute)
		if got := check(codeNow()); got != 403 {
			t.Errorf("with a wrong clock: %d, want 403", got)
		}
		if got := check(codeAt(time.Now().Add(2 * time.Minute))); got != 200 {
			t.Errorf("code of the device's time: %d, want 200", got)
		}
		for _, short := range []string{"", "1", "12345"} {
			if got := k.do("GET", "/api/auth/check", as("admin", short)).Status; got != 403 {
				t.Errorf("password %q: %d, want 403", short, got)
			}
		}
	})
}

func TestAuthDisabled(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{AuthDisabled: true})
	for _, option := range []func(*http.Request){anonymous, as("Not A User", "x"), cookie("rubbish")} {
		if got := k.do("GET", "/api/auth/check", option).Status; got != 200 {
			t.Errorf("check: %d, want 200", got)
		}
	}
	login := k.do("POST", "/api/auth/login", anonymous)
	if login.Status != 200 || login.Header.Get("Set-Cookie") != "" {
		t.Errorf("login: %d with cookie %q, want 200 without", login.Status, login.Header.Get("Set-Cookie"))
	}
	if got := k.do("POST", "/api/auth/logout", anonymous).Status; got != 200 {
		t.Errorf("logout: %d, want 200", got)
	}
	enabled := k.result(k.do("GET", "/api/info?fields=auth"))["auth"].(map[string]any)["enabled"]
	if enabled != false {
		t.Errorf("info.auth.enabled = %v", enabled)
	}
}
