package api_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestRedirects checks where requests follow, and that no other host ever gets one.
func TestRedirects(t *testing.T) {
	t.Parallel()
	refused := func(status int) *outcome {
		return &outcome{Class: smokerr.ErrResponse, Kinds: errkit.Unsupported, Status: status}
	}
	for _, tc := range []struct {
		name, method string
		status       int
		location     string
		want         *outcome // nil means that it is followed
	}{
		{"same host", "GET", 302, "/v1/elsewhere", nil},
		{"same host in full", "GET", 307, "http://hub.test/v1/elsewhere", nil},
		{"other host", "GET", 302, "http://evil.test/v1/elsewhere", refused(302)},
		{"other port", "GET", 308, "http://hub.test:81/v1/elsewhere", refused(308)},
		{"other scheme", "GET", 301, "https://hub.test/v1/elsewhere", refused(301)},
		{"with a user", "GET", 301, "http://x:y@hub.test/v1/elsewhere", refused(301)},
		{"in circles", "GET", 302, "/v1/device", refused(302)},
		{"unreadable", "GET", 302, "http://[", &outcome{
			Class: smokerr.ErrNoLink, Kinds: errkit.Connection, Status: smokerr.StatusNoReply,
		}},
		{"nowhere", "GET", 302, "", refused(302)},
		{"a POST", "POST", 302, "/v1/elsewhere", refused(302)},
		{"a POST that keeps its method", "POST", 307, "/v1/elsewhere", refused(307)},
		{"a PUT", "PUT", 308, "/v1/elsewhere", refused(308)},
		{"a PUT to another host", "PUT", 308, "http://evil.test/", refused(308)},
		{"a DELETE", "DELETE", 303, "/v1/elsewhere", refused(303)},
		{"a PATCH", "PATCH", 301, "/v1/elsewhere", refused(301)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			var requests atomic.Int64
			serve(t, network, "evil.test:80", nil, func(http.ResponseWriter, *http.Request) { t.Error("the other host got a request") })
			serve(t, network, "hub.test:80", nil, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if r.URL.Path == "/v1/elsewhere" {
					if r.Header.Get("X-SSL-Client-Certificate") == "" {
						t.Error("the certificate is missing")
					}
					answerJSON(w, http.StatusOK, `{"device_id":"1"}`)
					return
				}
				if tc.location != "" {
					w.Header().Set("Location", tc.location)
				}
				w.WriteHeader(tc.status)
			})
			client := connect(t, network, nil)
			for _, endpoint := range endpoints {
				if endpoint.want.Method != tc.method || tc.method == "GET" && endpoint.name != "DeviceInfo" {
					continue
				}
				requests.Store(0)
				_, err := endpoint.call(t.Context(), client)
				if tc.want == nil {
					if err != nil || requests.Load() != 2 {
						t.Errorf("%v after %d requests", err, requests.Load())
					}
					continue
				}
				checkOutcome(t, err, *tc.want)
				if requests.Load() > 6 {
					t.Errorf("%d requests", requests.Load())
				}
			}
		})
	}
}
