package main

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestSimulated runs the demo as a newcomer does, but for the size of the image. The demo itself compares what the device
// and the computer saw with what it asked for.
func TestSimulated(t *testing.T) {
	t.Parallel()
	picture := filepath.Join(t.TempDir(), "screen.png")
	var out bytes.Buffer
	if err := run(t.Context(), config{image: 8 << 20, png: picture, haste: 8}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	inOrder(t, out.String(),
		"simulated PiKVM on https://127.0.0.1:",
		"class pikvm.connect, kinds connection|auth|notsent",
		"class pikvm.api.auth, kinds auth",
		"logged in with a password and the code of the moment",
		"follows the events of kvmd 4.197",
		"power   press off",
		"resets the connections",
		"somebody holds the power button",
		"class pikvm.api.busy, kinds busy",
		"was power-cycled",
		" 25 % of 8 MiB",
		" 50 % of 8 MiB",
		" 75 % of 8 MiB",
		"100 % of 8 MiB",
		"all 8388608 bytes; read back, they have the same SHA-256",
		"a CD-ROM drive with fieldlink-demo.img",
		"press reset_hard",
		`shows "Boot Menu"`,
		"× F12",
		`typed "cdrom autoinstall<enter>"`,
		`shows "Installation complete"`,
		"1920 x 1080 pixels",
		"ejected",
		"agrees: off once, on once, reset once, fieldlink-demo.img installed once, nothing left behind",
		"hub     a process of its own, on https://127.0.0.1:",
		"registered 3 pathpoints",
		"its answer is lost",
		"the computer loses its power",
		"sees Bpower off",
		"orders Bpower on",
		"has the order to switch the computer on",
		"power   press on",
		"hub     restarts: gone for 1.5s",
		"hub     is back; the gateway has measured ",
		"has the confirmation of the order",
		"sees Bpower on",
		" values, each once",
		"the button was pressed once, and the order confirmed once",
		"logged out",
		"errors met:",
		"done",
	)
	inOrder(t, out.String(), "class pikvm.websocket", "power LED is off", "power LED is on") // events come when they come
	file, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := decoded.Bounds().Size(); size.X != 1920 || size.Y != 1080 {
		t.Errorf("the picture has %v pixels", size)
	}
}

// inOrder fails unless a text has all of these, each after the one before it.
func inOrder(t *testing.T, text string, wants ...string) {
	t.Helper()
	rest := text
	for _, want := range wants {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("no %q, or not in its place:\n%s", want, text)
		}
		rest = after
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
		"PIKVM_FINGERPRINT": "f", "PIKVM_ALLOW_POWER": "1", "PIKVM_ALLOW_DRIVE": "1", "PIKVM_BOOT_KEY": "F11",
		"PIKVM_BOOT_MENU": "choose", "PIKVM_BOOT_TYPE": "<f1>", "PIKVM_BOOT_RESULT": "ok",
	}
	want := config{
		url: "https://kvm", user: "u", password: "p", totpSecret: "t", fingerprint: "f", allowPower: true, allowDrive: true,
		boot:  bootConfig{key: "F11", menu: "choose", typed: "<f1>", result: "ok"},
		image: 256 << 20, look: 10 * time.Second,
	}
	got := configFromEnv(func(name string) string { return env[name] })
	if d := cmp.Diff(want, got, cmp.AllowUnexported(config{}, bootConfig{})); d != "" {
		t.Errorf("config (-want +got):\n%s", d)
	}
	want = config{boot: bootConfig{menu: "boot menu", typed: "<esc>"}, image: 256 << 20, look: 10 * time.Second}
	got = configFromEnv(func(string) string { return "" })
	if d := cmp.Diff(want, got, cmp.AllowUnexported(config{}, bootConfig{})); d != "" {
		t.Errorf("config of an empty environment (-want +got):\n%s", d)
	}
}
