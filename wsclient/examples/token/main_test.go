//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// issuer gives out token-1, token-2 …
type issuer struct{ given atomic.Int32 }

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer hush" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, `{"token":"token-%d"}`, i.given.Add(1))
}

func startIssuer(t *testing.T) (*issuer, string) {
	t.Helper()
	i := new(issuer)
	srv := httptest.NewServer(i)
	t.Cleanup(func() {
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return i, srv.URL
}

// output cancels the program at its last line.
type output struct {
	strings.Builder
	last   string
	cancel context.CancelFunc
}

func (o *output) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.last) {
		o.cancel()
	}
	return o.Builder.Write(p)
}

// TestRefresh has a token that has expired when it is first shown, and one that expires while it is in use.
func TestRefresh(t *testing.T) {
	for name, first := range map[string]string{"status 401": "Bearer token-2", "close code 4401": "Bearer token-1"} {
		t.Run(name, func(t *testing.T) {
			i, address := startIssuer(t)
			var valid atomic.Value
			valid.Store(first)
			srv, err := wstest.Start(&wstest.Options{
				Request: func(w http.ResponseWriter, r *http.Request) bool {
					if r.Header.Get("Authorization") == valid.Load() {
						return true
					}
					w.WriteHeader(http.StatusUnauthorized)
					return false
				},
				Handler: func(conn *wsconn.Conn) {
					if valid.CompareAndSwap("Bearer token-1", "Bearer token-2") {
						conn.Close(4401, "token has expired")
						return
					}
					conn.Write(wsconn.Text, []byte("hello, "+valid.Load().(string)))
					conn.Read(nil)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := &output{last: "token-2", cancel: cancel}
			if err := run(ctx, settings{url: srv.URL(), issuer: address, secret: "hush"}, out); err != nil {
				t.Fatal(err)
			}
			if want := "hello, Bearer token-2\n"; out.String() != want || i.given.Load() != 2 {
				t.Errorf("printed %q after %d tokens, want %q after 2", out.String(), i.given.Load(), want)
			}
		})
	}
}

// TestRefused has a server that refuses every token, and an issuer that refuses the secret.
func TestRefused(t *testing.T) {
	i, address := startIssuer(t)
	srv, err := wstest.Start(&wstest.Options{Request: func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	err = run(t.Context(), settings{url: srv.URL(), issuer: address, secret: "hush"}, new(output))
	if !errors.Is(err, wsclient.ErrUnauthorized) || i.given.Load() != 2 {
		t.Errorf("error is %v after %d tokens, want %v after 2", err, i.given.Load(), wsclient.ErrUnauthorized)
	}
	err = run(t.Context(), settings{url: srv.URL(), issuer: address, secret: "wrong"}, new(output))
	if !errors.Is(err, wsclient.ErrGiveUp) {
		t.Errorf("error is %v, want %v", err, wsclient.ErrGiveUp)
	}
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the secret is in %q", err)
	}
}
