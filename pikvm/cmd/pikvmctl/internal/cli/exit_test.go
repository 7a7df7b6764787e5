package cli_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestExitCodes drives every code of the program out of a device.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		device pikvmtest.Options
		spoil  func(*pikvmtest.Server)
		user   func(*user)
		args   []string
		code   int
		says   string
	}{
		{name: "refused by the device", args: []string{"gpio", "switch", "nope", "on"}, code: 1, says: "GPIO channel is not found"},
		{name: "disabled on the device", device: pikvmtest.Options{ATXDisabled: true}, args: []string{"atx", "on"}, code: 1, says: "disabled"},
		{
			name: "an answer that makes no sense", args: []string{"atx"}, code: 1, says: "unexpected response",
			spoil: func(s *pikvmtest.Server) { s.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultGarbage, Path: "/api/atx"}) },
		},
		{
			name: "the daemon restarts", args: []string{"atx"}, code: 1, says: "HTTP 502",
			spoil: func(s *pikvmtest.Server) { s.SetDown(-1) },
		},
		{name: "file that is not there", args: []string{"msd", "upload", "/none.iso"}, code: 1, says: "no such file"},
		{name: "unknown command", args: []string{"atx", "explode"}, code: 2, says: `unknown command "explode"`},
		{name: "unknown flag", args: []string{"atx", "--explode"}, code: 2, says: "unknown flag: --explode"},
		{name: "missing argument", args: []string{"key"}, code: 2, says: "pikvmctl key --help"},
		{name: "group without a command", args: []string{"mouse"}, code: 2, says: "which of its commands"},
		{name: "flags that exclude each other", args: []string{"atx", "--pin", "aa", "--insecure"}, code: 2, says: "[ca pin insecure]"},
		{name: "argument that the client refuses", args: []string{"key", "hyper+x"}, code: 2, says: `"hyper+x" is no chord`},
		{name: "option that the client refuses", args: []string{"atx", "--pin", "00"}, code: 2, says: "pikvmctl: pin: set for a URL without TLS"},
		{name: "address that the client refuses", args: []string{"atx", "--url", "pikvm.local"}, code: 2, says: "pikvmctl: url: scheme is"},
		{name: "help for what there is not", args: []string{"help", "atx", "explode"}, code: 2, says: `unknown command "explode"`},
		{name: "completion for an unknown shell", args: []string{"completion", "explode"}, code: 2, says: `unknown command "explode"`},
		{name: "a picture on a terminal", user: func(u *user) { u.screen = true }, args: []string{"msd", "download", "a.iso", "-"}, code: 2, says: "name a file"},
		{name: "text without a key", args: []string{"type", "ħ"}, code: 2, says: "not on the layout"},
		{name: "no device", user: func(u *user) { delete(u.env, "PIKVM_URL") }, args: []string{"atx"}, code: 2, says: "--url or PIKVM_URL"},
		{name: "configuration that is not there", args: []string{"atx", "--config", "/none"}, code: 2, says: "no such file"},
		{name: "output format", args: []string{"atx", "-o", "xml"}, code: 2, says: `not "xml"`},
		{name: "wrong password", user: func(u *user) { u.env["PIKVM_PASSWORD"] = "wrong" }, args: []string{"check"}, code: 3, says: "HTTP 403"},
		{name: "no password", user: func(u *user) { delete(u.env, "PIKVM_PASSWORD") }, args: []string{"check"}, code: 3, says: "authentication failed"},
		{
			name: "not there", user: func(u *user) { u.env["PIKVM_URL"] = "http://127.0.0.1:1" },
			args: []string{"atx"}, code: 4, says: "connection refused",
		},
		{
			name: "not trusted", device: pikvmtest.Options{TLS: true}, user: func(u *user) { delete(u.env, "PIKVM_PIN") },
			args: []string{"atx"}, code: 4, says: "pikvmctl fingerprint",
		},
		{
			name: "no answer", args: []string{"atx", "--timeout", "200ms"}, code: 4, says: "no answer within 200ms",
			spoil: func(s *pikvmtest.Server) { s.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang}) },
		},
		{
			name: "busy", args: []string{"atx", "click", "power"}, code: 5, says: "busy",
			spoil: func(s *pikvmtest.Server) { s.HoldATX(pikvmtest.LinePower, 100*time.Hour) },
		},
		{
			name: "the LED does not light", device: pikvmtest.Options{Host: pikvmtest.HostOptions{PowerLED: pikvmtest.LEDStuckOff}},
			args: []string{"atx", "on", "--wait", "50ms"}, code: 6, says: "wait on",
		},
		{name: "the host stays off", args: []string{"atx", "wait", "on", "--limit", "50ms"}, code: 6, says: "power operation failed"},
		{
			name: "another text", device: pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true, Text: "login:"}},
			args: []string{"wait-text", "root@", "--limit", "50ms"}, code: 6, says: "not seen on the screen",
		},
		{
			name: "no picture", device: pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{NoSignal: true}},
			args: []string{"snapshot", "--limit", "50ms", "-"}, code: 6, says: "a picture",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device := start(t, tc.device)
			if tc.spoil != nil {
				tc.spoil(device)
			}
			u := at(t, device)
			if tc.user != nil {
				tc.user(u)
			}
			if line := u.fails(tc.code, tc.args...); !strings.Contains(line, tc.says) {
				t.Errorf("stderr %q does not say %q", line, tc.says)
			}
		})
	}
}

// TestInterrupted: a signal is no failure of the device.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	hang := device.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer cancel()
		for hang.Hits() == 0 && ctx.Err() == nil {
			<-time.After(time.Millisecond)
		}
	}()
	if r := at(t, device).runsIn(ctx, "atx"); r.code != 130 || strings.Count(r.err, "\n") != 1 {
		t.Errorf("exit code %d, want 130\n%s", r.code, r.err)
	}
}

// TestInputInterrupted: a signal ends also what waits for somebody to type, and nothing is sent.
func TestInputInterrupted(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"type", "logout"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			device := start(t, pikvmtest.Options{})
			u := at(t, device)
			stdin, typist := io.Pipe()
			defer typist.Close() // only now the read ends
			u.stdin = stdin
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_, _ = typist.Write([]byte("half")) // returns when it is read
				cancel()
			}()
			if r := u.runsIn(ctx, command); r.code != 130 || r.out+r.err != "" {
				t.Errorf("%+v, want code 130 and silence", r)
			}
			if requests := device.Requests(); len(requests) > 0 {
				t.Errorf("%s %s was sent", requests[0].Method, requests[0].Path)
			}
		})
	}
}

// TestConfirmation: on a terminal nothing that may lose data happens without --yes, and the device hears nothing of it.
// In a script it just happens.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"atx", "off-hard"},
		{"atx", "reset"},
		{"atx", "off", "--escalate"},
		{"atx", "cycle", "--hard", "--off-time", "1ms"},
		{"atx", "cycle", "--escalate", "--off-time", "1ms"},
		{"atx", "click", "power_long"},
		{"atx", "click", "reset"},
		{"msd", "rm", "a.iso"},
		{"msd", "reset"},
		{"switch", "power", "1", "off-hard"},
		{"switch", "power", "1", "reset"},
		{"switch", "click", "1", "reset"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			device := start(t, pikvmtest.Options{SwitchUnits: 1, Host: pikvmtest.HostOptions{PoweredOn: true}})
			if err := device.PutImage("a.iso", []byte("a")); err != nil {
				t.Fatal(err)
			}
			u := at(t, device)
			u.terminal = true
			r := u.runs(args...)
			if r.code != 2 || !strings.Contains(r.err, "--yes") {
				t.Errorf("on a terminal: exit code %d, want 2 and a word of --yes\n%s", r.code, r.err)
			}
			if requests := device.Requests(); len(requests) > 0 {
				t.Errorf("%s %s was sent", requests[0].Method, requests[0].Path)
			}
			if r := u.runs(append(args, "--yes")...); r.code != 0 {
				t.Errorf("with --yes: exit code %d\n%s", r.code, r.err)
			}
		})
	}
	t.Run("in a script", func(t *testing.T) {
		t.Parallel()
		device := start(t, pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}})
		at(t, device).does("atx", "off-hard")
		if device.HostPower() {
			t.Error("the host is still on")
		}
	})
}

// TestHelp: every command explains itself, and shows how it is used where that is not plain.
func TestHelp(t *testing.T) {
	t.Parallel()
	u := at(t, nil)
	for _, command := range commands(t, u) {
		text := u.does(append(command, "--help")...)
		if !strings.Contains(text, "Usage:") || strings.Contains(text, "TODO") {
			t.Errorf("%v: %s", command, text)
		}
		for line := range strings.Lines(text) {
			if len([]rune(line)) > 160 {
				t.Errorf("%v: a line of %d characters: %s", command, len([]rune(line)), line)
			}
		}
	}
	if root := u.does(); !strings.Contains(root, "Exit codes") {
		t.Errorf("without a command there is no help:\n%s", root)
	}
	if v := u.does("--version"); !strings.HasPrefix(v, "pikvmctl ") {
		t.Errorf("version %q", v)
	}
}

// commands lists all commands, by the completion of the program itself.
func commands(t *testing.T, u *user) [][]string {
	t.Helper()
	all := [][]string{nil}
	for i := 0; i < len(all); i++ {
		for _, name := range completions(u, append(append([]string{}, all[i]...), "")...) {
			if name == "help" || name == "completion" || strings.HasPrefix(name, "-") || isArgument(all[i]) {
				continue
			}
			all = append(all, append(append([]string{}, all[i]...), name))
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d commands: %v", len(all), all)
	}
	return all
}

// isArgument reports whether what completes a command is an argument and no subcommand.
func isArgument(command []string) bool {
	switch len(command) {
	case 0:
		return false
	case 1:
		return !strings.Contains(" atx gpio mouse msd switch macro ", " "+command[0]+" ")
	}
	return true
}

// completions runs the program as a shell does that completes the last argument.
func completions(u *user, args ...string) []string {
	u.t.Helper()
	r := u.runs(append([]string{"__complete"}, args...)...)
	var names []string
	for line := range strings.Lines(r.out) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if name != "" && !strings.HasPrefix(name, ":") {
			names = append(names, name)
		}
	}
	return names
}
