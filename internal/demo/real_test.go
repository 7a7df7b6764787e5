package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// startReal starts a device that the demo did not start, as with PIKVM_URL set: it only looks.
func startReal(t *testing.T) (*pikvmtest.Server, config) {
	t.Helper()
	device := pikvmtest.New(&pikvmtest.Options{
		TLS:       true,
		Host:      pikvmtest.HostOptions{PoweredOn: true},
		Streamer:  pikvmtest.StreamerOptions{Text: "Please choose boot device"},
		TimeScale: 10,
	})
	if err := device.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	fingerprint := device.Fingerprint()
	return device, config{
		url: device.URL(), user: "admin", password: "admin", fingerprint: hex.EncodeToString(fingerprint[:]),
		boot:  bootConfig{menu: "boot device", typed: "2<enter>", result: "welcome"},
		image: 1 << 20, look: time.Millisecond,
	}
}

// TestReal checks that nothing is done that is not allowed.
func TestReal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		change  func(*config)
		want    error
		says    string
		presses int
		uploads int
	}{
		{name: "only looks", says: "only looks"},
		{name: "power", change: func(c *config) { c.allowPower = true }, says: "was power-cycled", presses: 2},
		{name: "key without power", change: func(c *config) { c.boot.key = pikvm.KeyF11 }, says: "only looks"},
		{name: "drive", change: func(c *config) { c.allowDrive = true }, says: "ejected", uploads: 1},
		{
			name: "certificate not pinned", change: func(c *config) { c.fingerprint = "" },
			want: pikvm.ErrConnect, says: "set PIKVM_FINGERPRINT=",
		},
		{name: "wrong password", change: func(c *config) { c.password = "no" }, want: pikvm.ErrAuth},
		{name: "no URL", change: func(c *config) { c.url = "pikvm" }, want: pikvm.ErrConfiguration},
		{
			name: "no such key", change: func(c *config) { c.allowPower, c.boot.key = true, "F99" },
			want: pikvm.ErrConfiguration, presses: 3,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device, cfg := startReal(t)
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
			presses, uploads := 0, 0
			for _, event := range device.PowerLog() {
				if event.Kind == pikvmtest.PowerPressed || event.Kind == pikvmtest.ResetPressed {
					presses++
				}
			}
			for _, r := range device.Requests() {
				if r.Path == "/api/msd/write" {
					uploads++
				}
			}
			if presses != tc.presses || uploads != tc.uploads || device.Typed() != "" {
				t.Errorf("%d presses, %d uploads, typed %q; want %d, %d", presses, uploads, device.Typed(), tc.presses, tc.uploads)
			}
		})
	}
}

// TestRealBoot lets the demo do everything. What it left for the computer is looked at when it has typed.
func TestRealBoot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		then func(device *pikvmtest.Server, cancel func()) // after the typing
		want error
	}{
		{"the text comes", func(d *pikvmtest.Server, _ func()) { d.SetScreenText("Welcome") }, nil},
		{"interrupted", func(_ *pikvmtest.Server, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device, cfg := startReal(t)
			cfg.allowPower, cfg.allowDrive, cfg.boot.key = true, true, pikvm.KeyF11
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var out bytes.Buffer
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, cfg, &out) }()
			if err := device.WaitTyped(t.Context(), "2\n"); err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(newImage(cfg.image))
			if err != nil {
				t.Fatal(err)
			}
			got, err := device.ImageContent(imageName)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("the device has %d bytes, want %d: %v", len(got), len(want), err)
			}
			if drive := device.Drive(); drive != (pikvmtest.Drive{Connected: true, Image: imageName, CDROM: true}) {
				t.Errorf("the computer sees %+v", drive)
			}
			tc.then(device, cancel)
			if err := <-ended; !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v\n%s", err, tc.want, out.String())
			}
			if device.Drive().Connected || len(device.Images()) > 0 || len(device.Pressed()) > 0 {
				t.Errorf("left behind: %+v, %v, %v", device.Drive(), device.Images(), device.Pressed())
			}
		})
	}
}

// TestRealUploadFails checks that a drive that went wrong is not shown to the computer, and not left on the device.
func TestRealUploadFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		want  error
	}{
		{"refused", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/write", Status: 409}, pikvm.ErrBusy},
		{
			"read back differs",
			pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/read", Body: make([]byte, 1<<20)},
			pikvm.ErrMSD,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device, cfg := startReal(t)
			cfg.allowDrive = true
			device.Inject(tc.fault)
			var out bytes.Buffer
			if err := run(t.Context(), cfg, &out); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v\n%s", err, tc.want, out.String())
			}
			if strings.Contains(out.String(), "CD-ROM") || device.Drive().Connected || len(device.Images()) > 0 {
				t.Errorf("%+v, %v:\n%s", device.Drive(), device.Images(), out.String())
			}
		})
	}
}
