package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Defaults of [Config].
const (
	defaultTimeout        = 40 * time.Second
	defaultConnectTimeout = 10 * time.Second
	defaultMaxBody        = 16 << 20
	defaultUserAgent      = "smok-go"
)

// AuthMode says how requests prove which device they are of.
type AuthMode int

const (
	// AuthDefault is what the hub of the certificate's environment expects: AuthMTLS in production, AuthHeader
	// otherwise.
	AuthDefault AuthMode = iota

	// AuthMTLS presents the device's certificate in the TLS handshake.
	AuthMTLS

	// AuthHeader sends the device's certificate in the header X-SSL-Client-Certificate, as a proxy would that has done
	// the handshake. Whoever reads one request can pose as the device.
	AuthHeader
)

// String returns "default", "mtls" or "header".
func (m AuthMode) String() string {
	switch m {
	case AuthDefault:
		return "default"
	case AuthMTLS:
		return "mtls"
	case AuthHeader:
		return "header"
	}
	return "unknown"
}

// Config configures a [Client]. Credentials are needed; for everything else the zero value fits.
type Config struct {
	// Credentials are the device's certificate and key.
	Credentials *ngtt.Credentials

	// BaseURL is where the hub is, such as "https://api.smok.co". Empty means the hub of the certificate's environment.
	BaseURL string

	// Auth is how requests prove which device they are of.
	Auth AuthMode

	// RootCAs verifies the hub's certificate. Nil means the system's roots. At most one of RootCAs, PinnedSHA256 and
	// InsecureSkipTLSVerify may be set, and none with an http URL.
	RootCAs *x509.CertPool

	// PinnedSHA256 is the SHA-256 of the hub's own certificate (DER) in hexadecimal; colons and case do not matter. A
	// certificate that matches is accepted whatever its issuer, name and dates.
	PinnedSHA256 string

	// InsecureSkipTLSVerify accepts every hub.
	InsecureSkipTLSVerify bool

	// TLSConfig is what connections are made from, for settings that have no field here. The fields above take
	// precedence where they are set, and the device's certificate always. Nil means TLS 1.2 or later.
	TLSConfig *tls.Config

	// DialContext opens connections. Nil means a [net.Dialer].
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the proxy of a request. Nil means none; [http.ProxyFromEnvironment] is a choice.
	Proxy func(*http.Request) (*url.URL, error)

	// WrapTransport may put something around the transport, to trace or to count. Requests that it sees carry the
	// certificate's header. Nil means nothing.
	WrapTransport func(http.RoundTripper) http.RoundTripper

	// Timeout limits a call unless its context has a deadline, and in the transfer of a BAOB the time in which nothing
	// moves. Zero means 40s, negative means no limit.
	Timeout time.Duration

	// ConnectTimeout limits the dial, and the TLS handshake after it. Zero means 10s.
	ConnectTimeout time.Duration

	// MaxBody bounds the body of an answer, in bytes, BAOBs excepted. Zero means 16 MiB.
	MaxBody int64

	// UserAgent is the header of that name. Empty means "smok-go".
	UserAgent string

	// PlusForSpace writes a space in a metadata key as "+", as the original client does. By default it is "%20".
	PlusForSpace bool

	// OnBadEntry is told of entries of answers that were skipped, each time an *[smokerr.EntryError]. It is called by the
	// goroutine of the call, before that returns. Nil means that nobody wants to know.
	OnBadEntry func(error)

	// Logger gets one record for each request, at debug level, without payloads. Nil discards.
	Logger *slog.Logger

	// Time is the clock by which certificates are judged. Nil means [time.Now].
	Time func() time.Time
}

// withDefaults returns a checked copy of c with its zero values replaced.
func (c Config) withDefaults() (Config, error) {
	if c.Credentials == nil {
		return c, invalid("Credentials", "missing")
	}
	if c.BaseURL == "" {
		c.BaseURL = baseURL(c.Credentials.Environment())
	}
	switch c.Auth {
	case AuthDefault:
		c.Auth = AuthHeader
		if c.Credentials.Environment() == ngtt.Production {
			c.Auth = AuthMTLS
		}
	case AuthMTLS, AuthHeader:
	default:
		return c, invalid("Auth", "unknown")
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.ConnectTimeout < 0 {
		return c, invalid("ConnectTimeout", "negative")
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.MaxBody < 0 {
		return c, invalid("MaxBody", "negative")
	}
	if c.UserAgent == "" {
		c.UserAgent = defaultUserAgent
	}
	if !validHeader(c.UserAgent) {
		return c, invalid("UserAgent", "has control characters")
	}
	if c.DialContext == nil {
		c.DialContext = new(net.Dialer).DialContext
	}
	if c.Time == nil && c.TLSConfig != nil {
		c.Time = c.TLSConfig.Time
	}
	if c.Time == nil {
		c.Time = time.Now
	}
	if c.OnBadEntry == nil {
		c.OnBadEntry = func(error) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// baseURL returns the address of an environment's hub, that of the original client.
func baseURL(e ngtt.Environment) string {
	switch e {
	case ngtt.Production:
		return "https://api.smok.co"
	case ngtt.Staging:
		return "https://api.test.smok-serwis.pl"
	case ngtt.LocalDevelopment:
	}
	return "http://http-api"
}

// parseBaseURL reads the address of the hub: scheme, host and perhaps a path that all requests begin with.
func parseBaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, invalid("BaseURL", "not a URL") // the parser's error repeats the text
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("BaseURL", "neither http nor https")
	case u.Hostname() == "":
		return nil, invalid("BaseURL", "no host")
	case u.User != nil:
		return nil, invalid("BaseURL", "has a user")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, invalid("BaseURL", "has a query or a fragment")
	}
	return u, nil
}

func validHeader(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return false
		}
	}
	return true
}

func invalid(field, reason string) error {
	return smokerr.InvalidArgument("New", field, reason, nil)
}
