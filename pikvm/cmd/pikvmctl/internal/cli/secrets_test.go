package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

const secret = "correct-horse-battery"

// TestPasswordSources: from the environment, from a file, from the keyboard, and from no flag.
func TestPasswordSources(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{Users: map[string]string{"admin": secret}})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bare := at(t, device)
	delete(bare.env, "PIKVM_PASSWORD")
	bare.with("PIKVM_PASSWORD", secret).does("check")
	bare.with("PIKVM_PASSWORD_FILE", file).does("check")
	bare.does("check", "--password-file", file)
	bare.with("PIKVM_PASSWORD", "wrong").does("check", "--password-file", file)

	asked := *bare
	asked.terminal, asked.password = true, secret
	if r := asked.runs("check"); r.code != 0 || !strings.HasPrefix(r.err, "Password for "+device.URL()) {
		t.Errorf("asked: %+v", r)
	}
	asked.password = "wrong"
	if r := asked.runs("check"); r.code != 3 {
		t.Errorf("asked, and a wrong answer: %+v", r)
	}
	if line := bare.fails(3, "check"); !strings.Contains(line, "PIKVM_PASSWORD") {
		t.Errorf("without a password: %q", line)
	}

	for _, args := range [][]string{
		{"check", "--password", secret},
		{"check", "--password=" + secret},
		{"check", "--passwd", secret},
		{"check", "-p", secret},
		{"check", "-p" + secret},
		{"--password", secret, "check"},
	} {
		if line := bare.fails(2, args...); strings.Contains(line, secret) {
			t.Errorf("%v: the error tells the password: %s", args[:1], line)
		}
	}
}

// TestTOTP: the secret of two-factor authentication comes from the environment or a file.
func TestTOTP(t *testing.T) {
	t.Parallel()
	const totp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	device := start(t, pikvmtest.Options{TOTPSecret: totp})
	file := filepath.Join(t.TempDir(), "totp")
	if err := os.WriteFile(file, []byte(totp+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := at(t, device)
	u.fails(3, "check")
	u.does("check", "--totp-secret-file", file)
	u.with("PIKVM_TOTP_SECRET", totp).does("check")
	u.with("PIKVM_TOTP_SECRET_FILE", file).does("check", "--auth", "cookie")
}

// TestSecretsStaySecret: whatever goes wrong, and however much is told, the password is not in it.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{TLS: true, Users: map[string]string{"admin": secret}})
	u := at(t, device).with("PIKVM_PASSWORD", secret)
	for _, args := range [][]string{
		{"--help"},
		{"check", "--help"},
		{"check", "--verbose"},
		{"check", "--pin", strings.Repeat("00", 32)},
		{"check", "--user", "somebody"},
		{"check", "--url", "http://127.0.0.1:1"},
		{"check", "--url", "://"},
		{"snapshot", "/none/none.jpg", "-v"},
		{"type", "--verbose", "x"},
		{"watch", "--count", "1", "-v"},
		{"devices"},
		{"__complete", "msd", "rm", ""},
		{"completion", "bash"},
	} {
		r := u.runs(args...)
		if strings.Contains(r.out+r.err, secret) {
			t.Errorf("%v tells the password:\n%s%s", args, r.out, r.err)
		}
	}
	device.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 500, Body: []byte(secret)})
	if r := u.runs("atx", "-v"); strings.Contains(r.out+r.err, secret) {
		t.Errorf("an answer with the password: %s%s", r.out, r.err)
	}
}

// TestHidden types what somebody enters without showing it.
func TestHidden(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	u.terminal, u.password = true, "s3cret"
	r := u.runs("type", "--hidden", "--enter", "--pace", "0")
	if r.code != 0 || strings.Contains(r.out+r.err, "s3cret") {
		t.Errorf("%+v", r)
	}
	if got := device.Typed(); got != "s3cret\n" {
		t.Errorf("typed %q", got)
	}
}
