package wsconn_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Redirects are followed only when wanted, and then on the same host only. The handshake's limits hold for all of them
// together, and none of it bounds the connection.
func TestF10Redirects(t *testing.T) {
	t.Parallel()
	other := play(t, upgraded((*wstest.Session).Echo))
	srv, err := wstest.Start(&wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/end":
			return true
		case r.URL.Path == "/away":
			http.Redirect(w, r, other.URL(), http.StatusFound)
		case r.URL.Path == "/ws":
			http.Redirect(w, r, "ws://"+r.Host+"/end", http.StatusTemporaryRedirect)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/garbage":
			w.Header().Set("Location", "http://%zz?token=S3CRET")
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/x"):
			next := r.URL.Path[2:]
			if next == "" {
				next = "/end"
			} else {
				next = "/" + next
			}
			http.Redirect(w, r, next, http.StatusMovedPermanently)
		}
		return false
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	for _, tt := range []struct {
		path     string
		max      int
		location string // of the refusal; "-" if there is none
		ok       bool
	}{
		{path: "/end", ok: true},
		{path: "/x", location: "/end"},
		{path: "/x", max: 1, ok: true},
		{path: "/ws", max: 1, ok: true},
		{path: "/xxx", max: 2, location: "/end"},
		{path: "/xxx", max: 3, ok: true},
		{path: "/loop", max: 10, location: "/loop"},
		{path: "/away", max: 10, location: other.URL()},
		{path: "/nowhere", max: 10, location: "-"},
		{path: "/garbage", max: 10, location: "http://%zz?token=S3CRET"},
	} {
		t.Run(strings.TrimPrefix(tt.path, "/"), func(t *testing.T) {
			t.Parallel()
			opts := &wsconn.DialOptions{MaxRedirects: tt.max, Header: http.Header{"Authorization": {"Bearer S3CRET"}}}
			c, err := wsconn.Dial(t.Context(), srv.URL()+tt.path, opts)
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				c.CloseNow()
				return
			}
			e := want[*wsconn.HandshakeError](t, err)
			if e.StatusCode/100 != 3 {
				t.Errorf("status %d", e.StatusCode)
			}
			location := "-"
			if l := e.Header.Get("Location"); l != "" {
				location = l
			}
			if location != tt.location {
				t.Errorf("location %q", location)
			}
			if strings.Contains(err.Error(), "S3CRET") {
				t.Errorf("secret in %v", err)
			}
		})
	}
	if n := other.Accepted(); n != 0 {
		t.Errorf("%d connections to the other host", n)
	}
}
