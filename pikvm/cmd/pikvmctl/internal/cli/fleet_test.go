package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// threeDevices gives a user a configuration of two devices and, if it is wanted, one that is not there.
func threeDevices(t *testing.T, third bool) (*user, [2]*pikvmtest.Server) {
	t.Helper()
	u := at(t, nil)
	u.env["PIKVM_PASSWORD"] = "admin"
	devices := [2]*pikvmtest.Server{start(t, pikvmtest.Options{}), start(t, pikvmtest.Options{})}
	text := fmt.Sprintf("[devices.a]\nurl = %q\n[devices.c]\nurl = %q\n", devices[0].URL(), devices[1].URL())
	if third {
		text += "[devices.b]\nurl = 'http://127.0.0.1:1'\n"
	}
	writeConfig(t, u, text)
	return u, devices
}

// TestAll works with all devices at once and prints in their order.
func TestAll(t *testing.T) {
	t.Parallel()
	u, devices := threeDevices(t, false)
	if d := cmp.Diff("a: power  on\nc: power  on\n", u.does("atx", "on", "--all")); d != "" {
		t.Errorf("text (-want +got):\n%s", d)
	}
	for _, device := range devices {
		if !device.HostPower() {
			t.Errorf("%s is off", device.URL())
		}
	}
	want := `{"device":"a","result":{"power":true}}` + "\n" + `{"device":"c","result":{"power":true}}` + "\n"
	if d := cmp.Diff(want, u.does("atx", "wait", "on", "--all", "-o", "json")); d != "" {
		t.Errorf("JSON (-want +got):\n%s", d)
	}
	watched := u.does("watch", "--all", "--type", "atx", "--count", "1")
	for _, name := range []string{"a", "c"} {
		if strings.Count(watched, `{"device":"`+name+`","result":{"time":`) != 1 {
			t.Errorf("watch of %s:\n%s", name, watched)
		}
	}
	dir := t.TempDir()
	u.does("snapshot", "--all", filepath.Join(dir, "{device}.jpg"))
	for _, name := range []string{"a.jpg", "c.jpg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if r := u.runs("snapshot", "--all", "one.jpg"); r.code != 2 || !strings.Contains(r.err, "{device}") {
		t.Errorf("one file for all: %+v", r)
	}
}

// TestAllFailing: one device that is not there stops no other, is told in a line of its own, and decides the code only if
// all failed alike.
func TestAllFailing(t *testing.T) {
	t.Parallel()
	u, devices := threeDevices(t, true)
	r := u.runs("atx", "on", "--all", "-o", "json")
	if r.code != 4 || strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "pikvmctl: b: ") {
		t.Errorf("exit code %d, want 4 and a line of b\n%s", r.code, r.err)
	}
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], `{"device":"b","error":"`) {
		t.Errorf("printed:\n%s", r.out)
	}
	r = u.runs("fingerprint", "--all", "-o", "json")
	if r.code != 2 || strings.Count(r.err, "\n") != 3 || strings.Count(r.out, `","error":"`) != 3 || !strings.HasPrefix(r.out, `{"device":"a","`) {
		t.Errorf("fingerprint of devices without TLS and of none: %+v", r)
	}
	devices[0].HoldATX(pikvmtest.LineReset, 100*time.Hour) // an hour for this fast device; the other line may still be busy
	if r := u.runs("atx", "click", "reset", "--all", "--busy-wait", "0s"); r.code != 1 || strings.Count(r.err, "\n") < 2 {
		t.Errorf("exit code %d, want 1 for failures that differ\n%s", r.code, r.err)
	}
}

// TestMacro runs what the web interface has recorded, and tells all that is wrong with what it has not.
func TestMacro(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json")
	for name, text := range map[string]string{
		good: `[{"event_type":"key","event":{"key":"KeyH","state":true}},{"event_type":"key","event":{"key":"KeyH","state":false}}]`,
		bad:  `[{"event_type":"key","event":{"key":"Nope","state":true}},{"event_type":"dance","event":{}}]`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := u.does("macro", "check", good, "-o", "json"); got != `{"steps":2}`+"\n" {
		t.Errorf("check printed %q", got)
	}
	u.does("macro", "run", good, "--dry-run")
	if got := device.Typed(); got != "" {
		t.Errorf("a dry run typed %q", got)
	}
	u.does("macro", "run", good, "--loops", "2", "--speed", "10")
	if got := device.Typed(); got != "hh" {
		t.Errorf("typed %q", got)
	}
	for _, args := range [][]string{{"macro", "check", bad}, {"macro", "run", bad}} {
		if line := u.fails(2, args...); !strings.Contains(line, "; ") {
			t.Errorf("%v does not tell both problems: %s", args, line)
		}
	}
	u.fails(2, "macro", "run", good, "--speed", "-1")
}

// TestStream records the video into a file that can be played.
func TestStream(t *testing.T) {
	t.Parallel()
	u := at(t, start(t, pikvmtest.Options{}))
	file := filepath.Join(t.TempDir(), "boot.h264")
	got := u.does("stream", "--h264", file, "--duration", "100ms")
	if !strings.HasPrefix(got, file+": ") {
		t.Errorf("printed %q", got)
	}
	if data, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(data), "\x00\x00\x00\x01") {
		t.Errorf("no H.264: %d bytes, %v", len(data), err)
	}
	u.fails(2, "stream")
}
