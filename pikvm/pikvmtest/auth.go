package pikvmtest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

const cookieName = "auth_token"

// auth decides who may pass.
type auth struct {
	disabled  bool
	users     map[string]string
	secret    []byte // of the second factor; nil means there is none
	redirects []string
	version   version
	sessions  sessions

	mu   sync.Mutex
	skew time.Duration
}

// identity is who sent a request. All is empty where authentication is off.
type identity struct {
	user  string
	token string // of the cookie session, when that decided
}

// check asks the sources of credentials in the order of the device. The first that is present decides: a failure does
// not fall through to the next.
func (a *auth) check(r *http.Request) (identity, error) {
	if a.disabled {
		return identity{}, nil
	}
	if user := r.Header.Get("X-KVMD-User"); user != "" {
		return a.checkPassword(user, r.Header.Get("X-KVMD-Passwd"))
	}
	if c, err := r.Cookie(cookieName); err == nil && c.Value != "" {
		return a.checkToken(c.Value)
	}
	if scheme, payload, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "basic") {
		user, passwd, ok := decodeBasic(payload)
		if !ok {
			return identity{}, errUnauthorized
		}
		return a.checkPassword(user, passwd)
	}
	return identity{}, errUnauthorized
}

func (a *auth) checkPassword(user, passwd string) (identity, error) {
	user, err := validUser(user)
	if err != nil {
		return identity{}, err
	}
	if passwd, err = validPasswd(passwd); err != nil {
		return identity{}, err
	}
	if !a.authorize(user, passwd) {
		return identity{}, errForbidden
	}
	return identity{user: user}, nil
}

func (a *auth) checkToken(raw string) (identity, error) {
	token, err := validToken(raw)
	if err != nil {
		return identity{}, err
	}
	user, ok := a.sessions.user(token)
	if !ok {
		return identity{}, errForbidden
	}
	return identity{user, token}, nil
}

// authorize compares a password, which ends in a code where there is a second factor.
func (a *auth) authorize(user, passwd string) bool {
	if a.secret != nil {
		cut := max(len(passwd)-totpDigits, 0)
		if !totpMatches(a.secret, passwd[cut:], a.now()) {
			return false
		}
		passwd = passwd[:cut]
	}
	want, ok := a.users[user]
	return ok && want == passwd
}

// now is the clock of the device.
func (a *auth) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.skew)
}

func (a *auth) setSkew(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.skew = d
}

// decodeBasic splits the payload of Basic credentials the way the device does: bytes outside the base64 alphabet are
// skipped, and there must be exactly one colon, so a password cannot hold one.
func decodeBasic(payload string) (user, passwd string, ok bool) {
	payload = strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '+', r == '/', r == '=':
			return r
		}
		return -1
	}, payload)
	raw, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return "", "", false
	}
	parts := strings.Split(string(raw), ":")
	if len(parts) != 2 {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// SetClockSkew sets how far the clock of the device is ahead of this process, which decides what TOTP codes it takes.
func (s *Server) SetClockSkew(d time.Duration) { s.auth.setSkew(d) }

// EndSessions forgets all cookie sessions, as a restart of the daemon does.
func (s *Server) EndSessions() { s.auth.sessions.endAll() }
