package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestSimulated runs the demo as a newcomer does.
func TestSimulated(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), config{}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rest := out.String()
	for _, want := range []string{
		"simulated PiKVM on https://127.0.0.1:",
		"class pikvm.connect, kinds connection|auth|notsent",
		"class pikvm.api.auth, kinds auth",
		"logged in",
		"subscribed to the events of version 4.197",
		"power   press off",
		"resets the connections",
		"class pikvm.websocket",
		"power LED is off",
		"somebody holds the power button",
		"class pikvm.api.busy, kinds busy",
		"power LED is on",
		"the host was power-cycled",
		"logged out",
		"agrees: the host went off once and came on once",
		"errors met:",
		"done",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("no %q, or not in its place:\n%s", want, out.String())
		}
		rest = after
	}
}

// TestReal runs the demo against a device that it did not start, as with PIKVM_URL set.
func TestReal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		change     func(*config)
		want       error
		says       string
		powerLines int // presses and releases
	}{
		{name: "only looks", says: "PIKVM_ALLOW_POWER is not 1"},
		{name: "may power-cycle", change: func(c *config) { c.allowPower = true }, says: "was power-cycled", powerLines: 4},
		{
			name: "certificate not pinned", change: func(c *config) { c.fingerprint = "" },
			want: pikvm.ErrConnect, says: "set PIKVM_FINGERPRINT=",
		},
		{name: "wrong password", change: func(c *config) { c.password = "no" }, want: pikvm.ErrAuth},
		{name: "no URL", change: func(c *config) { c.url = "pikvm" }, want: pikvm.ErrConfiguration},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device := pikvmtest.New(&pikvmtest.Options{TLS: true, Host: pikvmtest.HostOptions{PoweredOn: true}})
			if err := device.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = device.Close() })
			fingerprint := device.Fingerprint()
			cfg := config{url: device.URL(), user: "admin", password: "admin", fingerprint: hex.EncodeToString(fingerprint[:])}
			cfg.look = time.Millisecond
			if tc.change != nil {
				tc.change(&cfg)
			}
			var out bytes.Buffer
			if err := run(t.Context(), cfg, &out); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v\n%s", err, tc.want, out.String())
			}
			if !strings.Contains(out.String(), tc.says) {
				t.Errorf("output lacks %q:\n%s", tc.says, out.String())
			}
			presses := 0
			for _, event := range device.PowerLog() {
				if regexp.MustCompile("pressed|released").MatchString(string(event.Kind)) {
					presses++
				}
			}
			if presses != tc.powerLines {
				t.Errorf("the device's buttons moved %d times, want %d", presses, tc.powerLines)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, config{}, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestConfigFromEnv(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"PIKVM_URL": "https://kvm", "PIKVM_USER": "u", "PIKVM_PASSWORD": "p", "PIKVM_TOTP_SECRET": "t",
		"PIKVM_FINGERPRINT": "f", "PIKVM_ALLOW_POWER": "1",
	}
	want := config{
		url: "https://kvm", user: "u", password: "p", totpSecret: "t", fingerprint: "f", allowPower: true,
		look: 10 * time.Second,
	}
	got := configFromEnv(func(name string) string { return env[name] })
	if d := cmp.Diff(want, got, cmp.AllowUnexported(config{})); d != "" {
		t.Errorf("config (-want +got):\n%s", d)
	}
}
