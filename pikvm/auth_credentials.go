package pikvm

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Names that the PiKVM API gives to the means of authentication.
const (
	headerUser     = "X-KVMD-User"
	headerPassword = "X-KVMD-Passwd"
	cookieToken    = "auth_token"
)

// Limits of the device on what a user types.
const (
	maxUser     = 128
	maxPassword = 512
)

var userPattern = regexp.MustCompile(`^[a-z_]([a-z0-9@._-]*[a-z0-9_-])?$`)

// credentials make what a request shows to prove who it is, except for the cookie of a session.
type credentials struct {
	user, password string
	mode           AuthMode
	totpKey        []byte
	totpSecret     string
	totpCode       func(context.Context) (string, error)
}

// newCredentials checks what the options say of the user. It does no I/O.
func newCredentials(o *Options) (*credentials, error) {
	c := &credentials{user: o.User, password: o.Password, mode: o.Auth, totpCode: o.TOTPCode}
	if o.TOTPSecret != "" {
		key, err := parseTOTPSecret(o.TOTPSecret)
		if err != nil {
			return nil, configurationError("New", "TOTPSecret", err.Error())
		}
		if o.TOTPCode != nil {
			return nil, configurationError("New", "TOTPCode", "set beside TOTPSecret")
		}
		c.totpKey, c.totpSecret = key, o.TOTPSecret
	}
	return c, c.validate("New")
}

func (c *credentials) validate(op string) error {
	most := maxPassword
	if c.hasTOTP() {
		most -= totpDigits
	}
	switch {
	case c.mode < AuthHeaders || c.mode > AuthCookie:
		return configurationError(op, "Auth", "unknown mode")
	case len(c.user) > maxUser:
		return configurationError(op, "User", "longer than 128 characters")
	case !userPattern.MatchString(c.user):
		return configurationError(op, "User", `not lower-case letters, digits and "@._-" after a letter or "_"`)
	case !printable(c.password):
		return configurationError(op, "Password", "not printable ASCII")
	case len(c.password) > most:
		return configurationError(op, "Password", "longer than 512 characters with the one-time code")
	case c.mode == AuthBasic && strings.Contains(c.password, ":"):
		return configurationError(op, "Password", "a colon does not work with AuthBasic")
	case c.mode == AuthHeaders && !c.hasTOTP() && strings.TrimSpace(c.password) != c.password,
		c.mode == AuthHeaders && strings.HasPrefix(c.password, " "):
		// RFC 9110 section 5.5: white space around a header's value is not part of it.
		return configurationError(op, "Password", "a space at its begin or end does not work with AuthHeaders")
	}
	return nil
}

func (c *credentials) hasTOTP() bool { return c.totpKey != nil || c.totpCode != nil }

var errNoCode = errors.New("not six digits")

// code returns the current one-time code, empty if the user has none.
func (c *credentials) code(ctx context.Context) (string, error) {
	if c.totpCode == nil {
		if c.totpKey == nil {
			return "", nil
		}
		return totp(c.totpKey, time.Now()), nil
	}
	code, err := c.totpCode(ctx)
	if err == nil && !isTOTPCode(code) {
		return "", errNoCode
	}
	return code, err
}

// header returns the headers that authenticate a request with this one-time code.
func (c *credentials) header(code string) http.Header {
	h := http.Header{}
	if c.mode == AuthBasic {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.password+code)))
	} else {
		h.Set(headerUser, c.user)
		h.Set(headerPassword, c.password+code)
	}
	return h
}

// secrets returns what must never show up in a text.
func (c *credentials) secrets(code string) []string {
	secrets := []string{c.password + code, c.password, code, c.totpSecret}
	if c.mode == AuthBasic {
		secrets = append(secrets, strings.TrimPrefix(c.header(code).Get("Authorization"), "Basic "))
	}
	return secrets
}

// codeError tells that the caller's source of one-time codes failed. Nothing was sent.
func codeError(op string, cause error) error {
	return &ConfigurationError{
		Info:  errkit.Info{Class: ErrConfiguration, Op: op, Err: cause},
		Field: "TOTPCode", Reason: "returned no code",
	}
}

// printable reports whether s is made of printable ASCII, space included: what a header and the device accept.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
