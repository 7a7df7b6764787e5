package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestCompletion: commands, fixed words, and what only the device knows.
func TestCompletion(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{SwitchUnits: 1})
	for _, name := range []string{"a.iso", "b.iso"} {
		if err := device.PutImage(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	u := at(t, device)
	writeConfig(t, u, "[devices.rack1]\nurl = 'https://10.0.0.1'\n[devices.rack2]\nurl = 'https://10.0.0.2'\n")
	for _, tc := range []struct {
		args string
		want []string
	}{
		{"atx wait ", []string{"on", "off"}},
		{"atx wait on ", nil},
		{"atx click ", []string{"power", "power_long", "reset"}},
		{"check --device ", []string{"rack1", "rack2"}},
		{"check -o ", []string{"text", "json"}},
		{"check --auth ", []string{"headers", "basic", "cookie"}},
		{"msd mount ", []string{"a.iso", "b.iso"}},
		{"msd download a.iso ", nil},
		{"gpio switch ", []string{"__v3_usb_breaker__", "button1", "cmd1", "relay1"}},
		{"gpio switch relay1 ", []string{"on", "off"}},
		{"switch select ", []string{"1", "2", "3", "4"}},
		{"switch power 1 ", []string{"on", "off", "off-hard", "reset"}},
		{"mouse click ", []string{"left", "right", "middle", "up", "down"}},
		{"sim --power-led ", []string{"wired", "stuck-on", "stuck-off"}},
	} {
		if d := cmp.Diff(tc.want, completions(u, strings.Split(tc.args, " ")...)); d != "" {
			t.Errorf("%q (-want +got):\n%s", tc.args, d)
		}
	}
	if keymaps := completions(u, "type", "--keymap", ""); !slices.Contains(keymaps, "en-us") {
		t.Errorf("keymaps %v", keymaps)
	}
	if layouts := completions(u, "type", "--layout", ""); !slices.Contains(layouts, "de") {
		t.Errorf("layouts %v", layouts)
	}
	if types := completions(u, "watch", "--type", ""); !slices.Contains(types, "atx") {
		t.Errorf("event types %v", types)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := u.does("completion", shell); !strings.Contains(script, "pikvmctl") {
			t.Errorf("%s: %q", shell, script)
		}
	}
}

// TestCompletionNeverAsks: somebody who presses Tab is not asked for a password, and a device that is away is no names.
func TestCompletionNeverAsks(t *testing.T) {
	t.Parallel()
	u := at(t, start(t, pikvmtest.Options{}))
	delete(u.env, "PIKVM_PASSWORD")
	u.terminal, u.password = true, "admin"
	for _, url := range []string{u.env["PIKVM_URL"], "http://127.0.0.1:1", ""} {
		r := u.with("PIKVM_URL", url).runs("__complete", "msd", "rm", "")
		if strings.Contains(r.err, "Password") || strings.Contains(r.out, ".iso") {
			t.Errorf("%s: %+v", url, r)
		}
	}
}

// writeConfig gives the user a configuration file.
func writeConfig(t *testing.T, u *user, text string) {
	t.Helper()
	dir := filepath.Join(u.dir, "pikvmctl")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
