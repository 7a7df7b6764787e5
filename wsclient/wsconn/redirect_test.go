package wsconn_test

import (
	"context"
	"net"
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

// Redirects to other hosts are followed when wanted, and then other headers than the credentials of HTTP go there.
func TestCrossHostRedirects(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	other := play(t, func(s *wstest.Session) error {
		r, err := s.Request()
		if err != nil {
			return err
		}
		got <- r.Header
		return upgraded((*wstest.Session).Echo)(s)
	})
	srv, err := wstest.Start(&wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, strings.Replace(other.URL(), "127.0.0.1", "localhost", 1), http.StatusFound)
		return false
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	c := dial(t, srv.URL(), &wsconn.DialOptions{
		MaxRedirects: 1, CrossHostRedirects: true, Proxy: noProxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.Replace(addr, "localhost", "127.0.0.1", 1))
		},
		Header: http.Header{"Authorization": {"Bearer S3CRET"}, "X-Device": {"7"}},
	})
	c.CloseNow()
	if h := <-got; h.Get("Authorization") != "" || h.Get("X-Device") != "7" {
		t.Errorf("the other host got %v", h)
	}
}

// Check finds what Dial would turn down.
func TestCheck(t *testing.T) {
	t.Parallel()
	if err := wsconn.Check("ws://peer", nil); err != nil {
		t.Error(err)
	}
	for field, err := range map[string]error{
		"url":          wsconn.Check("ftp://peer", nil),
		"MaxRedirects": wsconn.Check("ws://peer", &wsconn.DialOptions{MaxRedirects: 11}),
	} {
		if e := want[*wsconn.ConfigError](t, err); e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
