package pikvm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Defaults of [Options].
const (
	defaultUser      = "admin"
	defaultTimeout   = 10 * time.Second
	defaultMaxBody   = 4 << 20
	defaultUserAgent = "fieldlink-pikvm"
)

// AuthMode says how requests and socket handshakes prove who they are.
type AuthMode int

const (
	// AuthHeaders sends X-KVMD-User and X-KVMD-Passwd with every request.
	AuthHeaders AuthMode = iota

	// AuthBasic sends HTTP Basic credentials (RFC 7617) with every request. The password must hold no colon.
	AuthBasic

	// AuthCookie logs in once and sends the session's cookie, which spares the device the check of the password
	// for every request: good for polling, and where that check is slow (LDAP, RADIUS).
	AuthCookie
)

// String returns "headers", "basic" or "cookie".
func (m AuthMode) String() string {
	switch m {
	case AuthHeaders:
		return "headers"
	case AuthBasic:
		return "basic"
	case AuthCookie:
		return "cookie"
	}
	return "unknown"
}

// Options configures a [Client]. The zero value is ready to use with a device that asks for no password; the
// client copies it.
type Options struct {
	// User is the user's name. Empty means "admin". It is made of lower-case letters, digits and "@._-", begins
	// with a letter or "_" and has at most 128 characters.
	User string

	// Password is printable ASCII, at most 512 characters with the one-time code.
	Password string

	// TOTPSecret is the base32 secret of two-factor authentication (RFC 6238: SHA-1, 6 digits, 30 s), as shown
	// by the device; spaces, padding and case do not matter. A code is computed for every request and every
	// socket, with AuthCookie for every login. Empty means no two-factor authentication.
	TOTPSecret string

	// TOTPCode returns the current six-digit code, for those who keep the secret elsewhere. It is called for
	// every request, with AuthCookie for every login, from any goroutine, and must heed ctx. At most one of
	// TOTPSecret and TOTPCode may be set.
	TOTPCode func(ctx context.Context) (string, error)

	// DisableTOTPRetry switches off the single repetition of a request that was refused with HTTP 403 while a
	// new one-time code had come into force.
	DisableTOTPRetry bool

	// Auth is how requests prove who they are.
	Auth AuthMode

	// SessionExpire is the lifetime to ask for at login, in whole seconds, for AuthCookie only. Zero means as
	// long as the device allows. The client logs in anew when a session has ended.
	SessionExpire time.Duration

	// RootCAs verifies the device's certificate. Nil means the system's roots. At most one of RootCAs,
	// RootCAsPEM, PinnedSHA256 and InsecureSkipTLSVerify may be set, and none with an http URL.
	RootCAs *x509.CertPool

	// RootCAsPEM is RootCAs as PEM text. Nil means none; a text without a certificate, even an empty one, is refused.
	RootCAsPEM []byte

	// PinnedSHA256 is the SHA-256 of the device's own certificate (DER) in hexadecimal; colons and case do not
	// matter. Any certificate that matches is accepted, whatever its issuer, name and dates; [Fingerprint]
	// fetches the value.
	PinnedSHA256 string

	// InsecureSkipTLSVerify accepts every certificate: anybody on the way can read the password.
	InsecureSkipTLSVerify bool

	// ClientCertificate is shown to a device, or a proxy before it, that asks for one. Nil means none.
	ClientCertificate *tls.Certificate

	// Timeout limits one request with its answer, and one socket handshake. Zero means 10s, negative means no
	// limit. A deadline of the caller's context replaces it, whether shorter or longer.
	Timeout time.Duration

	// Retry repeats GET requests that failed for a passing reason; its Budget is shared by all requests of the
	// client, and made if nil. Nil means that nothing is repeated. Other requests are never repeated by it.
	Retry *retry.Policy

	// MaxBody bounds the size of an answer that is held in memory, in bytes. Zero means 4 MiB.
	MaxBody int64

	// DialContext opens the connections to the device. Nil means a [net.Dialer].
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the proxy for a request. Nil means that none is used; [http.ProxyFromEnvironment] may be
	// set. Credentials go through the proxy in clear if the device is addressed by http.
	Proxy func(*http.Request) (*url.URL, error)

	// UserAgent is sent with every request. Empty means "fieldlink-pikvm".
	UserAgent string

	// Logger receives state changes and retries, never payloads or credentials. Nil means silence.
	Logger *slog.Logger
}

// withDefaults returns a copy of o with its zero values replaced; o may be nil.
func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.User == "" {
		opts.User = defaultUser
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = defaultMaxBody
	}
	opts.MaxBody = min(opts.MaxBody, math.MaxInt64-1) // one byte more is read, to see that there is more
	if opts.UserAgent == "" {
		opts.UserAgent = defaultUserAgent
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.DialContext == nil {
		opts.DialContext = new(net.Dialer).DialContext
	}
	if opts.Proxy == nil {
		opts.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } // nor that of the environment
	}
	return opts
}

// validate checks what does not belong to credentials or TLS. It does no I/O.
func (o *Options) validate() error {
	switch {
	case o.SessionExpire < 0:
		return configurationError("New", "SessionExpire", "negative")
	case o.SessionExpire%time.Second != 0:
		return configurationError("New", "SessionExpire", "not in whole seconds")
	case o.SessionExpire > 0 && o.Auth != AuthCookie:
		return configurationError("New", "SessionExpire", "needs AuthCookie")
	case o.MaxBody < 0:
		return configurationError("New", "MaxBody", "negative")
	case !printable(o.UserAgent):
		return configurationError("New", "UserAgent", "not printable ASCII")
	}
	return nil
}

// parseBaseURL checks the address of a device: scheme, host, nothing else. Its text never shows up in an error,
// since it may hold a password in the wrong place.
func parseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, configurationError("New", "baseURL", "not a URL")
	}
	reason := ""
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		reason = "scheme is neither https nor http"
	case u.User != nil:
		reason = "holds a user or password: use Options"
	case u.Hostname() == "":
		reason = "no host"
	case !validPort(u):
		reason = "port is not 1 to 65535"
	case u.Path != "" && u.Path != "/":
		reason = "holds a path"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		reason = "holds a query or a fragment"
	}
	if reason != "" {
		return nil, configurationError("New", "baseURL", reason)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.TrimSuffix(u.Host, ":")}, nil
}
