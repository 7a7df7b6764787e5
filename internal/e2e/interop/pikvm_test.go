//go:build interop

package interop_test

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestSimulatedDevice lets a client in plain Node.js use the simulated PiKVM.
func TestSimulatedDevice(t *testing.T) {
	device := pikvmtest.New(&pikvmtest.Options{TLS: true, Users: map[string]string{"admin": "pass word"}})
	if err := device.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: device.Certificate().Raw})
	cmd := exec.CommandContext(deadline(t), "node", "node/pikvm.js",
		device.URL(), "admin", "pass word", base64.StdEncoding.EncodeToString(ca))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	want := strings.Join([]string{
		`{"name":"refused","seen":{"status":401,"error":"UnauthorizedError"}}`,
		`{"name":"login","seen":{"status":200,"token":true}}`,
		`{"name":"before","seen":{"hdd":false,"power":false}}`,
		`{"name":"power on","seen":{"status":200,"ok":true}}`,
		`{"name":"events","seen":{"pong":"ff","first":"loop","atx":true,"info":true}}`,
		`{"name":"after","seen":{"hdd":false,"power":true}}`,
		`{"name":"logout","seen":{"status":200,"then":403}}`,
		``,
	}, "\n")
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Errorf("what the client saw (-want +got):\n%s", d)
	}
}
