package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestTOTP checks the vectors of RFC 6238 appendix B, cut to six digits.
func TestTOTP(t *testing.T) {
	t.Parallel()
	key, err := pikvm.ParseTOTPSecret("gezd gnbv GY3T-QOJQ\tGEZDGNBVGY3TQOJQ====")
	if err != nil {
		t.Fatal(err)
	}
	if string(key) != "12345678901234567890" {
		t.Fatalf("key is %q", key)
	}
	for at, want := range map[int64]string{
		59:          "287082",
		1111111109:  "081804",
		1111111111:  "050471",
		1234567890:  "005924",
		2000000000:  "279037",
		20000000000: "353130",
	} {
		if got := pikvm.TOTP(key, time.Unix(at, 0)); got != want {
			t.Errorf("code at %d is %s, want %s", at, got, want)
		}
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
