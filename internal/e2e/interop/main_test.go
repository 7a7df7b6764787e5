//go:build interop

// Package interop_test runs the WebSocket connection against the "ws" package of Node.js, in both roles.
//
// It needs Node.js and the packages that setup.sh installs, and fails without them.
package interop_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// limit bounds each test; a peer that hangs must not hang the run. The machine may be slow.
const limit = 3 * time.Minute

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// nodeServer starts node/server.js and returns the addresses of its plain and its compressing server.
func nodeServer(t *testing.T) (plain, deflate string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	cmd := exec.CommandContext(ctx, "node", "node/server.js")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		_ = stdin.Close() // tells the server to end
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no address from node: %v", err)
	}
	var port struct{ Plain, Deflate json.Number }
	if err := json.Unmarshal(line, &port); err != nil {
		t.Fatal(err)
	}
	return "ws://127.0.0.1:" + port.Plain.String(), "ws://127.0.0.1:" + port.Deflate.String()
}
