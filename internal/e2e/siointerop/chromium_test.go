//go:build interop

package siointerop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// check is what a page found out.
type check struct {
	Name  string
	Error *string
}

// checks takes what a page reports. One that was opened again may report again, of which nobody wants to know.
type checks chan []check

func (c checks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var list []check
	if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case c <- list:
	default:
	}
}

// browse opens a page in a browser, waits for what it reports, and makes a test of each thing. A browser that ends by
// itself is opened again: it is not what is tested.
func browse(t *testing.T, address string, reports checks) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for range 5 {
		ended := make(chan error, 1)
		open, closePage := context.WithCancel(ctx)
		go func() { ended <- chromium(open, address) }()
		select {
		case list := <-reports:
			closePage()
			<-ended
			for _, one := range list {
				t.Run(one.Name, func(t *testing.T) {
					if one.Error != nil {
						t.Error(*one.Error)
					}
				})
			}
			return
		case err := <-ended:
			closePage()
			if ctx.Err() != nil {
				t.Fatalf("the page reported nothing: %v", err)
			}
			t.Logf("the browser ended by itself: %v", err)
		}
	}
	t.Fatal("the browser does not stay")
}

// chromium shows a page until the context ends. The error has what it said.
func chromium(ctx context.Context, address string) error {
	profile, err := os.MkdirTemp(programs, "chromium")
	if err != nil {
		return err
	}
	profile, err = filepath.Abs(profile)
	if err != nil {
		return err
	}
	defer remove(profile)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--disable-dev-shm-usage", "--disable-breakpad", "--no-first-run", "--no-default-browser-check", "--no-proxy-server",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // pages may ask for fonts elsewhere
		"--user-data-dir="+profile, address)
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second // for those who hold its standard error
	err = cmd.Run()
	return fmt.Errorf("%w: %s", err, said.Bytes())
}

// remove removes a folder in which processes that were killed may still write for a moment.
func remove(folder string) {
	for end := time.Now().Add(time.Minute); os.RemoveAll(folder) != nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
}
