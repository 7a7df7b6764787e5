//go:build interop

package siointerop_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// limit bounds a run of a foreign program; one that hangs must not hang the run of all. The machine may be slow.
const limit = 5 * time.Minute

// python is the interpreter whose packages setup.sh installs.
func python() string {
	if p := os.Getenv("SIO_PYTHON"); p != "" {
		return p
	}
	return "/usr/bin/python3"
}

// serve starts a program that prints a line "listening" with its URL, and ends it after the test.
func serve(t *testing.T, name string, args ...string) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was interrupted, which some report as a failure
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.Fatalf("%s said %q (%v) where its address should be", filepath.Base(name), line, err)
	}
	return url
}

// testServer starts siotestserver. It is patient with a machine that has other things to do as well.
func testServer(t *testing.T, args ...string) (url string) {
	t.Helper()
	args = append([]string{
		"-addr", "127.0.0.1:0", "-ping-interval", "500ms", "-ping-timeout", "20s", "-upgrade-timeout", "1m", "-connect-timeout", "1m",
	}, args...)
	return serve(t, filepath.Join(programs, "siotestserver"), args...)
}

// runChecks runs a program that prints a line {name, error} for each thing that it checks, and reports each as a test.
func runChecks(t *testing.T, settings map[string]any, name string, args ...string) {
	t.Helper()
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, append(args, string(text))...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	checks := 0
	for line := range strings.Lines(string(out)) {
		var check struct {
			Name  string
			Error *string
		}
		if err := json.Unmarshal([]byte(line), &check); err != nil {
			t.Fatalf("%s said %q: %v", name, line, err)
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			if check.Error != nil {
				t.Error(*check.Error)
			}
		})
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if checks == 0 {
		t.Error("nothing was checked")
	}
}
