package pikvm_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestAddress checks what is dialled for a base URL, by requests and by sockets.
func TestAddress(t *testing.T) {
	t.Parallel()
	for baseURL, want := range map[string]string{
		"http://kvm.example":          "kvm.example:80",
		"https://kvm.example":         "kvm.example:443",
		"https://kvm.example:":        "kvm.example:443",
		"https://kvm.example:8443/":   "kvm.example:8443",
		"https://192.0.2.1":           "192.0.2.1:443",
		"https://[2001:db8::1]":       "[2001:db8::1]:443",
		"https://[fe80::1%25eth0]:1":  "[fe80::1%eth0]:1",
		"http://[fe80::1%25eth0]":     "[fe80::1%eth0]:80",
		"https://b\u00fccher.example": "xn--bcher-kva.example:443",
	} {
		t.Run(baseURL, func(t *testing.T) {
			t.Parallel()
			var dialled []string
			c := newClient(t, baseURL, &pikvm.Options{
				DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
					dialled = append(dialled, addr)
					return nil, errors.New("no network")
				},
			})
			for _, dial := range dials {
				if err := dial(t.Context(), c); !errors.Is(err, pikvm.ErrConnect) {
					t.Errorf("error is %v, want ErrConnect", err)
				}
			}
			if d := cmp.Diff([]string{want, want}, dialled); d != "" {
				t.Errorf("dialled (-want +got):\n%s", d)
			}
		})
	}
}
