package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/config"
)

func TestMain(m *testing.M) { leak.Main(m) }

const devices = `
default = "rack1"

[defaults]
user = "ops"
timeout = "20s"

[devices.rack1]
url = "https://10.0.0.11"
pin = "aa"
password_file = "rack1.password"

[devices.rack2]
url = "https://10.0.0.12"
user = "admin"
insecure = true
`

// write puts a configuration file into a folder of its own, beside a password.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.toml": text, "rack1.password": "of the file\r\nsecond line\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.toml")
}

func load(t *testing.T, text string) *config.File {
	t.Helper()
	file, err := config.Load(write(t, text), true, "/home/me")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func ptr[T any](v T) *T { return &v }

// picked is what a choice comes down to.
type picked struct {
	Name, URL, User, Pin, Password string
	Insecure                       bool
	Timeout                        time.Duration
}

// TestSelect checks which source wins: the command line, the environment, the device, the defaults, in this order, and
// that a password never goes to a device it is not for.
func TestSelect(t *testing.T) {
	t.Parallel()
	rack1 := picked{Name: "rack1", URL: "https://10.0.0.11", User: "ops", Pin: "aa", Password: "of the file", Timeout: 20 * time.Second}
	rack2 := picked{Name: "rack2", URL: "https://10.0.0.12", User: "admin", Insecure: true, Timeout: 20 * time.Second}
	change := func(p picked, f func(*picked)) []picked { f(&p); return []picked{p} }
	bare := picked{Name: "https://kvm", URL: "https://kvm", User: "ops", Timeout: 20 * time.Second}
	for _, tc := range []struct {
		name   string
		choice config.Choice
		want   []picked
		err    string
	}{
		{name: "default device", want: []picked{rack1}},
		{name: "named by flag", choice: config.Choice{Device: "rack2"}, want: []picked{rack2}},
		{name: "named by environment", choice: config.Choice{Named: "rack2"}, want: []picked{rack2}},
		{name: "flag over environment", choice: config.Choice{Device: "rack1", Named: "rack2"}, want: []picked{rack1}},
		{name: "all", choice: config.Choice{All: true}, want: []picked{rack1, rack2}},
		{
			name:   "flags over all",
			choice: config.Choice{Flags: config.Layer{User: "flag", Timeout: "1s"}, Env: config.Layer{User: "env", Timeout: "2s"}},
			want:   change(rack1, func(p *picked) { p.User, p.Timeout = "flag", time.Second }),
		},
		{
			name:   "environment over file",
			choice: config.Choice{Env: config.Layer{User: "env", Timeout: "2s", Password: ptr(redact.Secret("of env"))}},
			want:   change(rack1, func(p *picked) { p.User, p.Timeout, p.Password = "env", 2*time.Second, "of env" }),
		},
		{
			name:   "address by flag takes nothing but the defaults",
			choice: config.Choice{Flags: config.Layer{URL: "https://kvm"}},
			want:   []picked{bare},
		},
		{
			name:   "address by environment takes nothing but the defaults",
			choice: config.Choice{Env: config.Layer{URL: "https://kvm"}},
			want:   []picked{bare},
		},
		{
			name:   "address by flag over device by environment",
			choice: config.Choice{Flags: config.Layer{URL: "https://kvm"}, Named: "rack1"},
			want:   []picked{bare},
		},
		{
			name:   "device by flag over address and trust by environment",
			choice: config.Choice{Device: "rack1", Env: config.Layer{URL: "https://kvm", Pin: "bb", Insecure: ptr(true)}},
			want:   []picked{rack1},
		},
		{
			name:   "trust comes from one source",
			choice: config.Choice{Flags: config.Layer{Insecure: ptr(true)}},
			want:   change(rack1, func(p *picked) { p.Pin, p.Insecure = "", true }),
		},
		{
			name:   "trust of the environment for the default device",
			choice: config.Choice{Env: config.Layer{Pin: "bb"}},
			want:   change(rack1, func(p *picked) { p.Pin = "bb" }),
		},
		{name: "unknown", choice: config.Choice{Device: "rack3"}, err: `no device "rack3", only rack1, rack2`},
		{
			name:   "two in the environment",
			choice: config.Choice{Env: config.Layer{URL: "https://kvm"}, Named: "rack1"},
			err:    "PIKVM_URL and PIKVM_DEVICE are both set",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			selected, err := load(t, devices).Select(tc.choice)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []picked
			for _, device := range selected {
				opts, _, err := device.Options()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, picked{
					device.Name, device.URL, opts.User, opts.PinnedSHA256, opts.Password, opts.InsecureSkipTLSVerify, opts.Timeout,
				})
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("devices (-want +got):\n%s", d)
			}
		})
	}
}

// TestSelectWithoutFile: there is one device, or none, or nothing says which.
func TestSelectWithoutFile(t *testing.T) {
	t.Parallel()
	two := "[devices.a]\nurl = 'https://a'\n[devices.b]\nurl = 'https://b'\n"
	for _, tc := range []struct{ name, file, want string }{
		{"one needs no default", "[devices.a]\nurl = 'https://a'\n", "https://a"},
		{"two need one", two, ""},
		{"default of two", "default = 'b'\n" + two, "https://b"},
		{"empty", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			selected, err := load(t, tc.file).Select(config.Choice{})
			if tc.want == "" {
				if err == nil || !strings.Contains(err.Error(), "PIKVM_URL") {
					t.Fatalf("error %v, want one that names PIKVM_URL", err)
				}
				return
			}
			if err != nil || selected[0].URL != tc.want {
				t.Errorf("%+v, %v, want %s", selected, err, tc.want)
			}
		})
	}
	if _, err := load(t, "").Select(config.Choice{All: true}); err == nil {
		t.Error("all devices of an empty file")
	}
	if file, err := config.Load(filepath.Join(t.TempDir(), "none"), false, ""); err != nil || len(file.Devices) != 0 {
		t.Errorf("a file that need not be there: %v, %v", file, err)
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none"), true, ""); err == nil {
		t.Error("a file that must be there and is not was accepted")
	}
}

// TestLoadRefuses: what could be a misspelt word about security is no default.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, file, want string }{
		{"unknown key", "[devices.a]\nurl = 'https://a'\npinn = 'aa'\n", "unknown key devices.a.pinn"},
		{"a password", "[devices.a]\nurl = 'https://a'\npassword = 'secret'\n", "unknown key devices.a.password"},
		{"unknown table", "[device.a]\nurl = 'https://a'\n", "unknown key device"},
		{"no address", "[devices.a]\nuser = 'x'\n", `device "a" has no url`},
		{"default that is not there", "default = 'b'\n", `the default device "b" is not`},
		{"another type", "[devices.a]\nurl = 1\n", "line 2"},
		{"no TOML", "devices = [\n", "line"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(write(t, tc.file), true, "")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

// TestFiles: names of files are relative to the configuration file, or to the home folder.
func TestFiles(t *testing.T) {
	t.Parallel()
	path := write(t, `
[devices.a]
url = "https://a"
password_file = "rack1.password"
totp_secret_file = "~/totp"
ca = "/etc/ca.pem"
`)
	file, err := config.Load(path, true, "/home/me")
	if err != nil {
		t.Fatal(err)
	}
	got := file.Devices["a"]
	want := config.Layer{
		URL: "https://a", CA: "/etc/ca.pem",
		PasswordFile:   filepath.Join(filepath.Dir(path), "rack1.password"),
		TOTPSecretFile: filepath.Join("/home/me", "totp"),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("device (-want +got):\n%s", d)
	}
}

// TestOptions: what cannot be used is refused, and a missing password is told from an empty one.
func TestOptions(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name       string
		layer      config.Layer
		noPassword bool
		mode       pikvm.AuthMode
		err        string
	}{
		{name: "nothing", noPassword: true},
		{name: "cookie", layer: config.Layer{Auth: "cookie"}, noPassword: true, mode: pikvm.AuthCookie},
		{name: "empty password", layer: config.Layer{PasswordFile: secret}},
		{name: "password of the environment", layer: config.Layer{Password: ptr(redact.Secret("x"))}},
		{name: "unknown mode", layer: config.Layer{Auth: "digest"}, err: `auth is "digest"`},
		{name: "no duration", layer: config.Layer{Timeout: "20"}, err: `timeout "20"`},
		{name: "negative duration", layer: config.Layer{Timeout: "-1s"}, err: `timeout "-1s"`},
		{name: "no password file", layer: config.Layer{PasswordFile: secret + "x"}, err: "no such file"},
		{name: "no secret file", layer: config.Layer{TOTPSecretFile: secret + "x"}, err: "no such file"},
		{name: "no certificates", layer: config.Layer{CA: secret + "x"}, err: "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device := config.Device{Layer: tc.layer}
			opts, noPassword, err := device.Options()
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if noPassword != tc.noPassword || opts.Auth != tc.mode {
				t.Errorf("no password: %v, mode %v, want %v and %v", noPassword, opts.Auth, tc.noPassword, tc.mode)
			}
		})
	}
}

// TestFromEnv reads every variable.
func TestFromEnv(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"PIKVM_URL": "https://kvm", "PIKVM_USER": "me", "PIKVM_AUTH": "basic", "PIKVM_PASSWORD": "pw",
		"PIKVM_PASSWORD_FILE": "pf", "PIKVM_TOTP_SECRET": "ts", "PIKVM_TOTP_SECRET_FILE": "tf",
		"PIKVM_CA": "ca", "PIKVM_PIN": "pin", "PIKVM_INSECURE": "1", "PIKVM_TIMEOUT": "3s",
	}
	got, err := config.FromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := config.Layer{
		URL: "https://kvm", User: "me", Auth: "basic", Password: ptr(redact.Secret("pw")), PasswordFile: "pf",
		TOTPSecret: ptr(redact.Secret("ts")), TOTPSecretFile: "tf", CA: "ca", Pin: "pin", Insecure: ptr(true), Timeout: "3s",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("environment (-want +got):\n%s", d)
	}
	if _, err := config.FromEnv(func(string) string { return "perhaps" }); err == nil {
		t.Error("PIKVM_INSECURE=perhaps was accepted")
	}
}
