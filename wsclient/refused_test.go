//go:build !js

package wsclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestRC11RC12RetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat)
		past := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
		for _, c := range []struct {
			name    string
			answers []func(http.ResponseWriter)
			pauses  []time.Duration
		}{
			{"RC-11 seconds", []func(http.ResponseWriter){status(429, "Retry-After", "7")}, seconds(7)},
			{"RC-11 date", []func(http.ResponseWriter){status(503, "Retry-After", date)}, seconds(7)},
			{"RC-11 words", []func(http.ResponseWriter){status(429, "Retry-After", "abc")}, seconds(1)},
			{"RC-11 negative", []func(http.ResponseWriter){status(429, "Retry-After", "-5")}, seconds(1)},
			{"RC-11 past", []func(http.ResponseWriter){status(429, "Retry-After", past)}, seconds(1)},
			{"RC-11 for ever", []func(http.ResponseWriter){status(429, "Retry-After", "1000000000")}, seconds(300)},
			{"RC-12", []func(http.ResponseWriter){status(503), status(503), status(503)}, seconds(1, 2, 4)},
		} {
			network := netem.New(nil)
			began := time.Now()
			if c.name == "RC-11 date" { // the clock has moved on
				c.answers[0] = status(503, "Retry-After", began.Add(7*time.Second).UTC().Format(http.TimeFormat))
			}
			serve(t, network, "peer.test:80", wstest.Options{Request: answers(c.answers...)})
			m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{Backoff: steady}))
			if err := m.Connect(t.Context()); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			synctest.Wait()
			got := d.pauses()
			if strings.HasSuffix(c.name, "date") && len(got) == 1 && got[0] <= 7*time.Second && got[0] > 6*time.Second {
				got = c.pauses // dates have whole seconds
			}
			if diff := cmp.Diff(c.pauses, got); diff != "" {
				t.Errorf("%s: pauses (-want +got):\n%s", c.name, diff)
			}
			if want := len(c.answers) + 1; len(d.told().connects) != 1 || d.told().connects[0].Attempts != want {
				t.Errorf("%s: %+v, want %d attempts", c.name, d.told().connects, want)
			}
		}
	})
}

func TestRC13Refresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		var good string // what the server takes
		srv := serve(t, network, "peer.test:80", wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == good {
				return true
			}
			w.WriteHeader(http.StatusUnauthorized)
			return false
		}})
		unauthorized := func(what string, err error, attempts int) {
			t.Helper()
			e, ok := errors.AsType[*wsclient.HandshakeError](err)
			if !ok || !errors.Is(err, wsclient.ErrUnauthorized) || e.StatusCode != 401 || e.Attempts != attempts {
				t.Errorf("%s: %v", what, err)
			}
		}

		good = "fresh"
		m, _ := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
		unauthorized("without a refresh", m.Connect(t.Context()), 1)

		token, refreshes := "stale", 0
		o := at(network, wsclient.ReconnectOptions{})
		o.Dial.HeaderFunc = func(context.Context, wsclient.Attempt) (http.Header, error) {
			return http.Header{"Authorization": {token}}, nil
		}
		o.Dial.AuthRefresh = func(_ context.Context, a wsclient.Attempt) error {
			if a.LastStatus != 401 || a.Number != 2 {
				t.Errorf("refreshed in %+v", a)
			}
			refreshes++
			token = "fresh"
			return nil
		}
		m, d := manage(t, peerURL, o)
		connected(t, m)
		if refreshes != 1 || d.pauses()[0] != 0 {
			t.Errorf("%d refreshes, pauses %v", refreshes, d.pauses())
		}

		good = "neither"
		d.forget()
		srv.DropConns()
		err := rest(t, m, d)
		if e, ok := errors.AsType[*wsclient.ReconnectError](err); !ok || !e.Terminal || e.Attempts != 2 || refreshes != 2 {
			t.Errorf("%d refreshes, %v", refreshes, err)
		}
		unauthorized("the first connection", m.Connect(t.Context()), 2)
	})
}

func TestRC14TerminalStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []int{400, 403, 404, 426} {
			network := netem.New(nil)
			srv := serve(t, network, "peer.test:80", wstest.Options{Request: func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(code)
				return false
			}})
			m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
			err := m.Connect(t.Context())
			e, ok := errors.AsType[*wsclient.HandshakeError](err)
			if !ok || e.StatusCode != code || e.Attempts != 1 || network.Count() != 1 {
				t.Errorf("%d: %v after %d dials", code, err, network.Count())
			}
			if errors.Is(err, wsclient.ErrForbidden) != (code == 403) {
				t.Errorf("%d: %v", code, err)
			}
			if got := rest(t, m, d); got != err {
				t.Errorf("%d: Connect fails with %v, Err is %v", code, err, got)
			}
			srv.Close()
		}
	})
}

func TestRC15CaptivePortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		page := "<html>" + strings.Repeat("Please log in. ", 1000)
		serve(t, network, "peer.test:80", wstest.Options{Request: answers(func(w http.ResponseWriter) {
			w.Write([]byte(page)) // the connection is there, or the test fails
		})})
		m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e, ok := errors.AsType[*wsclient.HandshakeError](d.told().failures[0].Err)
		if !ok || e.StatusCode != 200 || len(e.Body) != 1024 || !strings.HasPrefix(page, string(e.Body)) {
			t.Errorf("%v with a body of %d bytes", d.told().failures[0].Err, len(e.Body))
		}
		if strings.Contains(e.Error(), "html") {
			t.Errorf("the page is in the text: %v", e)
		}
	})
}

func TestRC16Redirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		var stolen []string
		serve(t, network, "other.test:80", wstest.Options{Request: func(_ http.ResponseWriter, r *http.Request) bool {
			stolen = append(stolen, r.Header.Get("X-Token"))
			return true
		}})
		serve(t, network, "peer.test:80", wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
			to := map[string]string{"/old": "/new", "/loop": "/loop", "/away": "http://other.test/"}[r.URL.Path]
			if to == "" {
				return true
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return false
		}})
		open := func(path string, cross bool) (string, error) {
			o := at(network, wsclient.ReconnectOptions{})
			o.Dial.Header = http.Header{"X-Token": {"S3CRET"}}
			o.Dial.CrossHostRedirects = cross
			m, d := manage(t, peerURL+path, o)
			err := m.Connect(t.Context())
			synctest.Wait() // until the hooks have run
			if len(d.told().attempts) > 1 {
				t.Errorf("%s: %d attempts", path, len(d.told().attempts))
			}
			if r := m.Response(); r != nil {
				return r.Request.URL.Path, err
			}
			return "", err
		}
		if path, err := open("/old", false); err != nil || path != "/new" {
			t.Errorf("another path: %v, at %s", err, path)
		}
		for _, path := range []string{"/loop", "/away"} {
			_, err := open(path, false)
			e, ok := errors.AsType[*wsclient.HandshakeError](err)
			if !ok || e.StatusCode != http.StatusFound || e.Header.Get("Location") == "" || e.Attempts != 1 {
				t.Errorf("%s: %v", path, err)
			}
		}
		if len(stolen) > 0 {
			t.Errorf("the other host got %q", stolen)
		}
		if _, err := open("/away", true); err != nil || len(stolen) != 1 {
			t.Errorf("to another host, as the options allow: %v", err)
		}
	})
}
