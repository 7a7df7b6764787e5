//go:build interop

package siointerop_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// check is what a page found out.
type check struct {
	Name  string
	Error *string
}

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
				results := make(chan []check, 1)
				mux := http.NewServeMux()
				for path, file := range map[string]string{"/": "page.html", "/client.js": tt.script, "/checks.js": "node/checks.js"} {
					mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
				}
				mux.HandleFunc("POST /results", func(w http.ResponseWriter, r *http.Request) {
					var list []check
					if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
						t.Error(err)
					}
					results <- list
				})
				front := httptest.NewServer(mux)
				defer front.Close()
				settings, err := json.Marshal(map[string]any{
					"url": testServer(t, "-eio3", "-cors", front.URL), "version": tt.version, "transports": transports,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer browse(t, front.URL+"/#"+url.PathEscape(string(settings)))()
				select {
				case list := <-results:
					for _, one := range list {
						t.Run(one.Name, func(t *testing.T) {
							if one.Error != nil {
								t.Error(*one.Error)
							}
						})
					}
				case <-time.After(limit):
					t.Fatal("no results from the page")
				}
			})
		}
	}
}

// browse opens a page in a browser, until the function that it returns is called.
func browse(t *testing.T, url string) (closeIt func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--user-data-dir="+t.TempDir(), url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	return func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}
}
