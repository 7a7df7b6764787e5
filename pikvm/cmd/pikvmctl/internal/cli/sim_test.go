package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// simulated runs sim until the test ends and returns what it printed as JSON.
func simulated(t *testing.T, u *user, args ...string) (url, pin string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, u, in, t.Output(), append([]string{"sim", "-o", "json", "--time-scale", "100"}, args...)...)
		_ = in.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("sim ended with %d", code)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("sim printed nothing: %v", err)
	}
	var result struct{ URL, User, SHA256 string }
	if err := json.Unmarshal(line, &result); err != nil {
		t.Fatal(err)
	}
	return result.URL, result.SHA256
}

// client makes a client of the simulated device.
func client(t *testing.T, url string, opts pikvm.Options) *pikvm.Client {
	t.Helper()
	kvm, err := pikvm.New(url, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kvm.Close() })
	return kvm
}

// TestSim serves another client with the credentials, the version and the things that the command line names.
func TestSim(t *testing.T) {
	t.Parallel()
	u := at(t, nil)
	u.env["PIKVM_PASSWORD"], u.env["PIKVM_TOTP_SECRET"] = "of the sim", "GEZDGNBVGY3TQOJQ"
	url, pin := simulated(t, u, "--tls", "--user", "me", "--kvmd", "4.100", "--switch-units", "2", "--on",
		"--screen", "hello", "--image", "a.iso=2K", "--remote", "http://s/b.iso=1M")
	opts := pikvm.Options{User: "me", Password: "of the sim", TOTPSecret: "GEZDGNBVGY3TQOJQ", PinnedSHA256: pin}
	kvm := client(t, url, opts)
	info, err := kvm.Info.Get(t.Context(), nil)
	if err != nil || info.System.KVMD.String() != "4.100" {
		t.Fatalf("version %+v, %v", info, err)
	}
	if atx, err := kvm.ATX.State(t.Context()); err != nil || !atx.LEDs.Power {
		t.Errorf("power %+v, %v", atx, err)
	}
	if s, err := kvm.Switch.State(t.Context()); err != nil || len(s.Units) != 2 {
		t.Errorf("switch %+v, %v", s, err)
	}
	if msd, err := kvm.MSD.State(t.Context()); err != nil || msd.Storage.Images["a.iso"].Size != 2048 {
		t.Errorf("images %+v, %v", msd, err)
	}
	if _, err := kvm.MSD.Fetch(t.Context(), "http://s/b.iso", nil); err != nil {
		t.Error(err)
	}
	if text, err := kvm.WaitForText(t.Context(), regexp.MustCompile("."), nil); err != nil || !strings.Contains(text.Text, "hello") {
		t.Errorf("text %+v, %v", text, err)
	}
	opts.Password = "admin"
	if err := client(t, url, opts).Auth.Check(t.Context()); !errors.Is(err, pikvm.ErrAuth) {
		t.Errorf("another password: %v", err)
	}
}

// TestSimFaults spoils what the command line says.
func TestSimFaults(t *testing.T) {
	t.Parallel()
	url, _ := simulated(t, at(t, nil),
		"--fault", "page,path=/api/info,status=502,times=1",
		"--fault", "garbage,method=get,path=/api/gpio,skip=1",
		"--fault", "hang,path=/api/hid",
		"--fault", "lost,path=/api/gpio/*",
		"--busy-atx", "100h", "--busy-msd", "100h", "--power-led", "stuck-on", "--no-signal", "--drop-sockets", "20ms",
	)
	kvm := client(t, url, pikvm.Options{Password: "admin"})
	ctx := t.Context()
	check := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	_, err := kvm.Info.Get(ctx, nil)
	check("page", err, errkit.Unavailable)
	_, err = kvm.Info.Get(ctx, nil)
	check("page, times=1", err, nil)
	_, err = kvm.GPIO.State(ctx)
	check("garbage, skip=1", err, nil)
	_, err = kvm.GPIO.State(ctx)
	check("garbage", err, pikvm.ErrResponse)
	check("lost", kvm.GPIO.Switch(ctx, "relay1", true, nil), pikvm.ErrConnect)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	_, err = kvm.HID.State(short)
	check("hang", err, pikvm.ErrConnectionTimeout)
	check("busy line", kvm.ATX.Click(ctx, pikvm.ButtonPower, nil), pikvm.ErrBusy)
	check("busy storage", kvm.MSD.Reset(ctx), pikvm.ErrBusy)
	state, err := kvm.ATX.State(ctx)
	check("LED", err, nil)
	if !state.LEDs.Power {
		t.Error("the LED is not stuck on")
	}
	session, err := kvm.Events(ctx, nil)
	for err != nil && ctx.Err() == nil { // cut before it began
		session, err = kvm.Events(ctx, nil)
	}
	check("socket", err, nil)
	defer session.Close()
	for event, err := range session.Events(ctx) {
		check("events", err, nil)
		if event.Type == pikvm.EventDisconnected {
			break
		}
	}
}

// TestSimRefused: what cannot be simulated is told before anything is served.
func TestSimRefused(t *testing.T) {
	t.Parallel()
	u := at(t, nil)
	for _, args := range [][]string{
		{"--fault", "explosion"},
		{"--fault", "hang,where=here"},
		{"--fault", "hang,times=x"},
		{"--fault", "delay,delay=1"},
		{"--power-led", "green"},
		{"--image", "a.iso"},
		{"--image", "a.iso=1X"},
		{"--image", "a.iso=9999999G"},
		{"--image", ".hidden=1"},
		{"--remote", "=1"},
		{"--kvmd", "new"},
		{"--switch-units", "6"},
		{"--password-file", "/none"},
	} {
		u.fails(2, append([]string{"sim"}, args...)...)
	}
	u.fails(1, "sim", "--listen", "192.0.2.1:1")
}

// TestSimCommand runs a program beside the device, which finds it by its environment, and ends as that does.
func TestSimCommand(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here: the command of sim is not tested")
	}
	u := at(t, nil)
	u.env["PIKVM_DEVICE"], u.env["KEPT"] = "rack1", "kept"
	got := u.does("sim", "--tls", shell, "-c", `echo "$PIKVM_USER $PIKVM_PASSWORD ${#PIKVM_PIN} $KEPT [$PIKVM_DEVICE] ${PIKVM_URL%:*}"`)
	if want := "admin admin 64 kept [] https://127.0.0.1\n"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
	if r := u.runs("sim", shell, "-c", "exit 42"); r.code != 42 || r.err != "" {
		t.Errorf("%+v, want code 42 and silence", r)
	}
	u.fails(2, "sim", "no-such-program-anywhere")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r := u.runsIn(ctx, "sim", shell, "-c", "exec sleep 60"); r.code == 0 {
		t.Errorf("interrupted: %+v", r)
	}
}
