package pikvm_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestRedirect checks that no redirect is followed, wherever it leads, so that credentials stay with the device,
// and that its address shows no secrets.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, location, want string }{
		{"to https", "https://kvm.example/api/atx", "https://kvm.example/api/atx"},
		{"to another host", "http://evil.example/", "http://evil.example/"},
		{"to itself", "/api/atx", "/api/atx"},
		{"with secrets", "https://u:hunter2@evil.example/?token=hunter2#hunter2", "https://u:***@evil.example/?token=***"},
		{"with our password", "https://evil.example/x-hunter2-y", "https://evil.example/x-***-y"},
		{"nowhere", "", ""},
		{"not a URL", "https://[evil/hunter2", "<invalid url>"},
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthBasic, pikvm.AuthCookie} {
				t.Run(tc.name+" "+http.StatusText(code)+" "+mode.String(), func(t *testing.T) {
					t.Parallel()
					network := netem.New(nil)
					requests := 0
					serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/api/auth/login" {
							reply(w, http.StatusOK, okEmpty)
							return
						}
						requests++
						if tc.location != "" {
							w.Header().Set("Location", tc.location)
						}
						w.WriteHeader(code)
					})
					c := newClient(t, kvmHTTP, on(network, pikvm.Options{Password: "hunter2", Auth: mode}))
					_, stateErr := c.ATX.State(t.Context())
					_, socketErr := c.DialSocket(t.Context(), "/api/ws")
					for name, err := range map[string]error{
						"get": stateErr, "post": c.ATX.Power(t.Context(), pikvm.PowerOff, nil), "socket": socketErr,
					} {
						failure{
							Type: "RedirectError", Class: pikvm.ErrRedirect, Kinds: errkit.Unsupported, Status: code,
						}.check(t, err)
						redirect, ok := errors.AsType[*pikvm.RedirectError](err)
						if !ok {
							continue
						}
						if d := cmp.Diff(tc.want, redirect.Location); d != "" {
							t.Errorf("location of %s (-want +got):\n%s", name, d)
						}
						if strings.Contains(err.Error(), "hunter2") {
							t.Errorf("text of %s has a secret: %v", name, err)
						}
					}
					if requests != 3 {
						t.Errorf("%d requests, want 3", requests)
					}
					if links := network.Count(); links > 3 {
						t.Errorf("%d connections", links)
					}
				})
			}
		}
	}
}
