package pikvm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestNewRefuses checks that what is wrong is found before anything is sent, named by its field, and not repeated.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const secret = "S3CRET"
	code := func(context.Context) (string, error) { return "123456", nil }
	pin := strings.Repeat("ab:", 31) + "ab"
	for _, tc := range []struct {
		name  string
		url   string // https://kvm.example if empty
		opts  pikvm.Options
		field string
	}{
		{name: "empty URL", url: " ", field: "baseURL"},
		{name: "not a URL", url: "https://kvm\x7f" + secret, field: "baseURL"},
		{name: "no scheme", url: "kvm.example", field: "baseURL"},
		{name: "socket scheme", url: "wss://kvm.example", field: "baseURL"},
		{name: "no host", url: "https://", field: "baseURL"},
		{name: "no host but port", url: "https://:443", field: "baseURL"},
		{name: "port 0", url: "https://kvm.example:0", field: "baseURL"},
		{name: "port over 65535", url: "https://kvm.example:65536", field: "baseURL"},
		{name: "path", url: "https://kvm.example/api", field: "baseURL"},
		{name: "query", url: "https://kvm.example?token=" + secret, field: "baseURL"},
		{name: "empty query", url: "https://kvm.example?", field: "baseURL"},
		{name: "fragment", url: "https://kvm.example#" + secret, field: "baseURL"},
		{name: "user", url: "https://admin@kvm.example", field: "baseURL"},
		{name: "password", url: "https://admin:" + secret + "@kvm.example", field: "baseURL"},

		{name: "user in upper case", opts: pikvm.Options{User: "Admin"}, field: "User"},
		{name: "user with space", opts: pikvm.Options{User: "ad min"}, field: "User"},
		{name: "user with line break", opts: pikvm.Options{User: "admin\r\nX-Evil: 1"}, field: "User"},
		{name: "user beginning with a digit", opts: pikvm.Options{User: "0admin"}, field: "User"},
		{name: "user ending in a dot", opts: pikvm.Options{User: "admin."}, field: "User"},
		{name: "user not ASCII", opts: pikvm.Options{User: "jörg"}, field: "User"},
		{name: "user too long", opts: pikvm.Options{User: strings.Repeat("a", 129)}, field: "User"},
		{name: "password not ASCII", opts: pikvm.Options{Password: secret + "ü"}, field: "Password"},
		{name: "password with CR", opts: pikvm.Options{Password: secret + "\r"}, field: "Password"},
		{name: "password with LF", opts: pikvm.Options{Password: secret + "\nX-Evil: 1"}, field: "Password"},
		{name: "password with NUL", opts: pikvm.Options{Password: secret + "\x00"}, field: "Password"},
		{name: "password too long", opts: pikvm.Options{Password: strings.Repeat("x", 513)}, field: "Password"},
		{
			name:  "password too long with code",
			opts:  pikvm.Options{Password: strings.Repeat("x", 507), TOTPCode: code},
			field: "Password",
		},
		{
			name:  "colon with Basic",
			opts:  pikvm.Options{Password: secret + ":", Auth: pikvm.AuthBasic},
			field: "Password",
		},
		{name: "header cannot carry a space before", opts: pikvm.Options{Password: " " + secret}, field: "Password"},
		{name: "header cannot carry a space after", opts: pikvm.Options{Password: secret + " "}, field: "Password"},
		{name: "unknown mode", opts: pikvm.Options{Auth: 3}, field: "Auth"},
		{name: "negative mode", opts: pikvm.Options{Auth: -1}, field: "Auth"},

		{name: "TOTP secret not base32", opts: pikvm.Options{TOTPSecret: secret + "1"}, field: "TOTPSecret"},
		{name: "TOTP secret of blanks", opts: pikvm.Options{TOTPSecret: "  =="}, field: "TOTPSecret"},
		{
			name:  "two sources of codes",
			opts:  pikvm.Options{TOTPSecret: "JBSWY3DPEHPK3PXP", TOTPCode: code},
			field: "TOTPCode",
		},

		{
			name:  "negative expiry",
			opts:  pikvm.Options{Auth: pikvm.AuthCookie, SessionExpire: -time.Second},
			field: "SessionExpire",
		},
		{
			name:  "expiry of a fraction",
			opts:  pikvm.Options{Auth: pikvm.AuthCookie, SessionExpire: 1500 * time.Millisecond},
			field: "SessionExpire",
		},
		{name: "expiry without session", opts: pikvm.Options{SessionExpire: time.Hour}, field: "SessionExpire"},
		{name: "negative body limit", opts: pikvm.Options{MaxBody: -1}, field: "MaxBody"},
		{name: "agent with line break", opts: pikvm.Options{UserAgent: "a\r\nb"}, field: "UserAgent"},

		{name: "no certificate in PEM", opts: pikvm.Options{RootCAsPEM: []byte(secret)}, field: "RootCAsPEM"},
		{name: "empty PEM", opts: pikvm.Options{RootCAsPEM: []byte{}}, field: "RootCAsPEM"},
		{name: "empty client certificate", opts: pikvm.Options{ClientCertificate: new(tls.Certificate)}, field: "ClientCertificate"},
		{name: "pin too short", opts: pikvm.Options{PinnedSHA256: "abcd"}, field: "PinnedSHA256"},
		{name: "pin not hexadecimal", opts: pikvm.Options{PinnedSHA256: strings.Repeat("zz", 32)}, field: "PinnedSHA256"},
		{
			name:  "pin and roots",
			opts:  pikvm.Options{RootCAs: x509.NewCertPool(), PinnedSHA256: pin},
			field: "PinnedSHA256",
		},
		{
			name:  "two sorts of roots",
			opts:  pikvm.Options{RootCAs: x509.NewCertPool(), RootCAsPEM: []byte("x")},
			field: "RootCAsPEM",
		},
		{
			name:  "pin and nothing verified",
			opts:  pikvm.Options{PinnedSHA256: pin, InsecureSkipTLSVerify: true},
			field: "InsecureSkipTLSVerify",
		},
		{
			name: "pin without TLS", url: "http://kvm.example",
			opts:  pikvm.Options{PinnedSHA256: pin},
			field: "PinnedSHA256",
		},
		{
			name: "client certificate without TLS", url: "http://kvm.example",
			opts:  pikvm.Options{ClientCertificate: new(tls.Certificate)},
			field: "ClientCertificate",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url := "https://kvm.example"
			if tc.url != "" {
				url = tc.url
			}
			tc.opts.DialContext = noDial(t)
			c, err := pikvm.New(url, &tc.opts)
			if c != nil {
				t.Errorf("there is a client beside error %v", err)
			}
			checkConfiguration(t, err, tc.field)
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("error repeats the value: %v", err)
			}
		})
	}
}

// TestNewAccepts checks the borders of what is right.
func TestNewAccepts(t *testing.T) {
	t.Parallel()
	pin := strings.Repeat("AB:", 31) + "ab"
	for _, tc := range []struct {
		name string
		url  string
		opts *pikvm.Options
	}{
		{name: "no options"},
		{name: "trailing slash", url: "https://kvm.example/"},
		{name: "port", url: "https://kvm.example:8443"},
		{name: "empty port", url: "https://kvm.example:"},
		{name: "IPv6", url: "https://[fe80::1]"},
		{name: "without TLS", url: "http://kvm.example"},
		{name: "scheme in upper case", url: "HTTPS://kvm.example"},
		{name: "user", opts: &pikvm.Options{User: "_a@b.c-d_"}},
		{name: "long user", opts: &pikvm.Options{User: strings.Repeat("a", 128)}},
		{name: "password", opts: &pikvm.Options{Password: `a !"#$%&'()*+,-./:;<=>?@[\]^_{|}~b`}},
		{name: "long password", opts: &pikvm.Options{Password: strings.Repeat("x", 512)}},
		{name: "spaces in a cookie's login", opts: &pikvm.Options{Password: " x ", Auth: pikvm.AuthCookie}},
		{name: "space before the code", opts: &pikvm.Options{Password: "x ", TOTPSecret: "JBSWY3DPEHPK3PXP"}},
		{name: "secret as people copy it", opts: &pikvm.Options{TOTPSecret: "jbsw y3dp-ehpk 3pxp=="}},
		{name: "expiry", opts: &pikvm.Options{Auth: pikvm.AuthCookie, SessionExpire: time.Second}},
		{name: "no limit", opts: &pikvm.Options{Timeout: -1}},
		{name: "pin", opts: &pikvm.Options{PinnedSHA256: pin}},
		{name: "nothing verified", opts: &pikvm.Options{InsecureSkipTLSVerify: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url := "https://kvm.example"
			if tc.url != "" {
				url = tc.url
			}
			newClient(t, url, tc.opts)
		})
	}
}

// TestArguments checks that wrong arguments of calls are found before anything is sent.
func TestArguments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, field string
		auth        pikvm.AuthMode
		call        func(context.Context, *pikvm.Client) error
	}{
		{"power action", "action", 0, func(ctx context.Context, c *pikvm.Client) error {
			return c.ATX.Power(ctx, "explode", nil)
		}},
		{"empty power action", "action", 0, func(ctx context.Context, c *pikvm.Client) error {
			return c.ATX.Power(ctx, "", nil)
		}},
		{"button", "button", 0, func(ctx context.Context, c *pikvm.Client) error {
			return c.ATX.Click(ctx, "on", nil)
		}},
		{"busy wait", "BusyWait", 0, func(ctx context.Context, c *pikvm.Client) error {
			return c.ATX.Click(ctx, pikvm.ButtonReset, &pikvm.ATXOptions{BusyWait: -1})
		}},
		{"empty field", "Fields", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Info.Get(ctx, &pikvm.InfoOptions{Fields: []string{""}})
			return err
		}},
		{"two fields in one", "Fields", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Info.Get(ctx, &pikvm.InfoOptions{Fields: []string{"auth,hw"}})
			return err
		}},
		{"fields of 4097 characters", "Fields", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Info.Get(ctx, &pikvm.InfoOptions{Fields: []string{strings.Repeat("a", 4092), "auth"}})
			return err
		}},
		{"logout of nothing", "token", 0, func(ctx context.Context, c *pikvm.Client) error {
			return c.Auth.Logout(ctx, "")
		}},
		{"malformed token", "token", pikvm.AuthCookie, func(ctx context.Context, c *pikvm.Client) error {
			return c.Auth.Logout(ctx, "x; other=1")
		}},
		{"login without user", "User", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Auth.Login(ctx, &pikvm.LoginOptions{Password: "x"})
			return err
		}},
		{"login with a bad password", "Password", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Auth.Login(ctx, &pikvm.LoginOptions{User: "x", Password: "\n"})
			return err
		}},
		{"login with a bad code", "Code", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Auth.Login(ctx, &pikvm.LoginOptions{User: "x", Code: "12345"})
			return err
		}},
		{"login with a bad expiry", "Expire", 0, func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Auth.Login(ctx, &pikvm.LoginOptions{Expire: time.Millisecond})
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "http://kvm.example", &pikvm.Options{Auth: tc.auth, DialContext: noDial(t)})
			checkConfiguration(t, tc.call(t.Context(), c), tc.field)
		})
	}
}

// TestOptionsAreCopied checks that the caller may use its options again.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	opts := pikvm.Options{}
	c := newClient(t, "http://kvm.example", &opts)
	opts.DialContext = noDial(t)
	_, err := c.ATX.State(canceled(t))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if opts.User != "" || opts.Timeout != 0 {
		t.Errorf("New changed the options of its caller: %+v", opts)
	}
}

func checkConfiguration(t *testing.T, err error, field string) {
	t.Helper()
	e, ok := errors.AsType[*pikvm.ConfigurationError](err)
	if !ok {
		t.Fatalf("error is %T: %v, want a ConfigurationError", err, err)
	}
	if e.Field != field {
		t.Errorf("field is %q, want %q (%v)", e.Field, field, err)
	}
	for _, target := range []error{pikvm.Err, pikvm.ErrConfiguration, errkit.Err, errkit.Invalid, errkit.NotSent} {
		if !errors.Is(err, target) {
			t.Errorf("error %v is not %v", err, target)
		}
	}
}
