//go:build interop

package siointerop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

var full = flag.Bool("full", false, "cut the connections of TestRecovery 10,000 times")

// tally is what became of the cuts. The silent ones are those of clients that had been sent nothing before the first.
type tally struct {
	Cuts, Recovered, Lost, Twice                         int
	SilentCuts, SilentRecovered, SilentLost, SilentTwice int
}

// TestRecovery cuts the connections of official clients, which must find everything again.
func TestRecovery(t *testing.T) {
	t.Parallel()
	cuts := 300
	if *full {
		cuts = 10_000
	}
	// The heart beats slowly: the machine may be busy with the other tests.
	ours := cutAll(t, cuts, testServer(t, "-recovery", "1m", "-ping-timeout", "1m"))
	theirs := cutAll(t, cuts, "")

	t.Logf("\n%-16s %7s %10s %6s %6s | before the first event: %5s %10s %6s %6s", "", "cuts", "recovered", "lost", "twice", "cuts", "recovered", "lost", "twice")
	for _, row := range []struct {
		name string
		tally
	}{{"this server", ours}, {"socket.io 4.8", theirs}} {
		t.Logf("\n%-16s %7d %10d %6d %6d | %29d %10d %6d %6d", row.name, row.Cuts, row.Recovered, row.Lost, row.Twice,
			row.SilentCuts, row.SilentRecovered, row.SilentLost, row.SilentTwice)
	}
	if total := ours.Cuts + ours.SilentCuts; total < cuts {
		t.Errorf("%d cuts, want %d", total, cuts)
	}
	if ours.Recovered != ours.Cuts || ours.SilentRecovered != ours.SilentCuts {
		t.Errorf("not recovered every time: %+v", ours)
	}
	if ours.Lost+ours.Twice+ours.SilentLost+ours.SilentTwice > 0 {
		t.Errorf("lost or came twice: %+v", ours)
	}
}

// cutAll runs the cuts at a server; without a URL at one of the official implementation.
func cutAll(t *testing.T, cuts int, url string) (sum tally) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	settings := fmt.Sprintf(`{"url":%q,"cuts":%d,"clients":10}`, url, cuts)
	cmd := exec.CommandContext(ctx, "node", "node/recovery.js", settings)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(out), &sum)
	}
	if err != nil {
		t.Fatalf("recovery.js: %v: %s", err, out)
	}
	return sum
}
