package wserr

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ConfigError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
type ConfigError struct {
	errkit.Info
	Field string // option or argument: "url", "ReadLimit", "reason"
}

// Config returns a *[ConfigError] of op for field; problem says what is wrong without repeating the value.
func Config(op, field, problem string) error {
	return &ConfigError{Info: errkit.Info{Class: ErrConfig, Op: op, Err: text(problem)}, Field: field}
}

func (e *ConfigError) Error() string { return errkit.Message(&e.Info, e.Field) }

// ErrorAttrs returns the field's name for structured logs.
func (e *ConfigError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field)}
}

// ConnectionError reports that no connection came about: name resolution, dial, TLS, proxy or upgrade failed.
// The cause keeps the type that the standard library gave it, such as *[net.DNSError] or
// *[tls.CertificateVerificationError]. When several dials were made, Info.Attempts counts them and the cause is that
// of the last one.
type ConnectionError struct {
	errkit.Info
	URL      string        // the address, without secrets
	Endpoint int           // which one of several addresses, from 0
	Elapsed  time.Duration // from the first attempt to the end of the last one; 0 if not measured
}

func (e *ConnectionError) Error() string { return errkit.Message(&e.Info, "") }

// ErrorAttrs returns address and time for structured logs.
func (e *ConnectionError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("url", e.URL), slog.Int("endpoint", e.Endpoint), slog.Duration("elapsed", e.Elapsed)}
}

// MaxBody is the most that a [HandshakeError] keeps of the answer's body, in bytes.
const MaxBody = 1024

// HandshakeError reports that the peer answered the upgrade request with a status other than 101. On the accepting
// side it reports the status with which a request was turned down. It is a [ConnectionError].
//
// The class is that of the status: [ErrUnauthorized], [ErrForbidden], [ErrRateLimited] or else [ErrHandshake]. The
// kinds follow the status: 401 and 407 are errkit.Auth, 403 is errkit.Denied, 429 is errkit.RateLimited, 503 is
// errkit.Unavailable. Info.RetryAfter holds the answer's Retry-After.
type HandshakeError struct {
	ConnectionError
	StatusCode int         // 503
	Status     string      // "503 Service Unavailable"
	Header     http.Header // of the answer; Location is where a 3xx points
	Body       []byte      // the first KiB of the answer; never part of the text
}

func (e *HandshakeError) Error() string { return errkit.Message(&e.Info, e.detail()) }

func (e *HandshakeError) detail() string {
	if e.StatusCode == 0 {
		return ""
	}
	detail := "HTTP " + strconv.Itoa(e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		detail += " " + text
	}
	return detail
}

// HandshakeClass returns the class of an upgrade that was answered with status.
func HandshakeClass(status int) *errkit.Class {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return ErrUnauthorized
	case http.StatusForbidden:
		return ErrForbidden
	case http.StatusTooManyRequests:
		return ErrRateLimited
	}
	return ErrHandshake
}

// As makes a *HandshakeError a *[ConnectionError] for errors.As.
func (e *HandshakeError) As(target any) bool {
	p, ok := target.(**ConnectionError)
	if ok {
		*p = &e.ConnectionError
	}
	return ok
}

// ErrorAttrs returns address and status for structured logs.
func (e *HandshakeError) ErrorAttrs() []slog.Attr {
	return append(e.ConnectionError.ErrorAttrs(), slog.Int("status", e.StatusCode))
}

// text is an error made of words alone.
type text string

func (t text) Error() string { return string(t) }
