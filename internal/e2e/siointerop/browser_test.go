//go:build interop

package siointerop_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestBrowser runs the checks with the official client in a page of Chromium. The page is of another origin than the
// server.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		version int
		script  string
	}{
		"4.8": {4, "node/node_modules/socket.io-client/dist/socket.io.js"},
		"2.5": {2, "node/node_modules/socket.io-client2/dist/socket.io.js"},
	} {
		for _, transports := range ways {
			t.Run(name+" by "+strings.Join(transports, " and "), func(t *testing.T) {
				reports := make(checks, 1)
				mux := http.NewServeMux()
				for path, file := range map[string]string{"/": "page.html", "/client.js": tt.script, "/checks.js": "node/checks.js"} {
					mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
				}
				mux.Handle("POST /results", reports)
				front := httptest.NewServer(mux)
				defer front.Close()
				settings, err := json.Marshal(map[string]any{
					"url": testServer(t, "-eio3", "-cors", front.URL), "version": tt.version, "transports": transports,
				})
				if err != nil {
					t.Fatal(err)
				}
				browse(t, front.URL+"/#"+url.PathEscape(string(settings)), reports)
			})
		}
	}
}
