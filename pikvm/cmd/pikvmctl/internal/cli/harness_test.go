package cli_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/cli"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// start starts a device whose buttons, host and storage are fast.
func start(t *testing.T, opts pikvmtest.Options) *pikvmtest.Server {
	t.Helper()
	if opts.TimeScale == 0 {
		opts.TimeScale = 100
	}
	device := pikvmtest.New(&opts)
	if err := device.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	return device
}

// user is somebody at a command line.
type user struct {
	t        *testing.T
	env      map[string]string
	stdin    io.Reader
	dir      string // for the configuration
	terminal bool   // stdin and stderr are one
	screen   bool   // stdout is a terminal
	password string // what is typed at the terminal
}

// at returns a user whose environment names the device.
func at(t *testing.T, device *pikvmtest.Server) *user {
	t.Helper()
	u := &user{t: t, dir: t.TempDir(), env: map[string]string{}}
	if device != nil {
		u.env["PIKVM_URL"], u.env["PIKVM_PASSWORD"] = device.URL(), "admin"
		if sum := device.Fingerprint(); device.Certificate() != nil {
			u.env["PIKVM_PIN"] = hex.EncodeToString(sum[:])
		}
	}
	return u
}

// with returns the same user with another environment.
func (u *user) with(name, value string) *user {
	other := *u
	other.env = maps.Clone(u.env)
	other.env[name] = value
	return &other
}

// result is what a run left behind.
type result struct {
	out, err string
	code     int
}

// system is what the program sees of the user.
func (u *user) system(out, err io.Writer) *cli.System {
	stdin := u.stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	var environ []string
	for name, value := range u.env {
		environ = append(environ, name+"="+value)
	}
	return &cli.System{
		Stdin: stdin, Stdout: out, Stderr: err,
		StdinTerminal: u.terminal, StdoutTerminal: u.screen, StderrTerminal: u.terminal,
		ReadPassword: func(context.Context) (string, error) { return u.password, nil },
		Getenv:       func(name string) string { return u.env[name] },
		Environ:      environ, ConfigDir: u.dir, Home: u.dir,
	}
}

// runs runs the program.
func (u *user) runs(args ...string) result {
	u.t.Helper()
	return u.runsIn(u.t.Context(), args...)
}

func (u *user) runsIn(ctx context.Context, args ...string) result {
	u.t.Helper()
	var out, err bytes.Buffer
	code := cli.Run(ctx, args, u.system(&out, &err))
	return result{out.String(), err.String(), code}
}

// does runs the program, wants it to succeed and returns what it printed.
func (u *user) does(args ...string) string {
	u.t.Helper()
	r := u.runs(args...)
	if r.code != 0 {
		u.t.Fatalf("pikvmctl %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// fails runs the program, wants it to end with a code, with nothing on stdout and one line on stderr, and returns that.
func (u *user) fails(code int, args ...string) string {
	u.t.Helper()
	r := u.runs(args...)
	if r.code != code || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "pikvmctl: ") {
		u.t.Fatalf("pikvmctl %s: exit code %d, want %d and one line\nstdout: %s\nstderr: %s",
			strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r.err
}

// run runs the program with other places for its output.
func run(ctx context.Context, u *user, out, err io.Writer, args ...string) int {
	return cli.Run(ctx, args, u.system(out, err))
}
