package pikvm

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// Auth handles sessions on the device. All methods may be called from several goroutines at once.
type Auth struct{ c *Client }

// LoginOptions are the optional settings of [Auth.Login].
type LoginOptions struct {
	// User and Password are those of another user than the client's. Code is that user's one-time code, empty
	// without two-factor authentication.
	User, Password, Code string

	// Expire is the lifetime to ask for, in whole seconds. Zero means as long as the device allows.
	Expire time.Duration
}

// Login opens a session on the device and returns its token, empty on a device that asks for no password.
//
// With nil options and [AuthCookie] it is the client's own session from now on; there is no need to call it,
// since the client logs in when it has to. In all other cases the session is the caller's, who ends it with
// [Auth.Logout]. Refused credentials are an [AuthError], also those with forbidden characters.
func (a *Auth) Login(ctx context.Context, opts *LoginOptions) (redact.Secret, error) {
	creds, expire, err := a.loginAs(opts)
	if err != nil {
		return "", err
	}
	o, err := a.c.begin(ctx, opLogin)
	if err != nil {
		return "", err
	}
	defer o.end()
	var token string
	if opts == nil && a.c.session != nil {
		if token, err = a.c.session.restart(o.ctx); err != nil {
			err = o.notGranted(err, true)
		}
	} else {
		token, err = o.login(creds, expire)
	}
	return redact.Secret(token), err
}

// Check asks the device whether it lets the client in. If not, the error is an [AuthError].
func (a *Auth) Check(ctx context.Context) error {
	return a.c.get(ctx, call{op: "auth.Check", path: "/api/auth/check", login: true}, nil)
}

// Logout ends the session with this token, and with it all sessions of its user: the device knows no less. An
// empty token means the client's own session; if there is none, nothing is sent. The client logs in anew when it
// next has to. If the device does not answer to the point, the session goes on.
//
// A token that the device does not know any more is an [AuthError]. An empty token without [AuthCookie] is a
// [ConfigurationError].
func (a *Auth) Logout(ctx context.Context, token redact.Secret) error {
	value := token.Reveal()
	switch {
	case value == "" && a.c.session == nil:
		return configurationError(opLogout, "token", "empty, and the client has no session of its own")
	case value != "" && !tokenPattern.MatchString(value):
		return configurationError(opLogout, "token", "not 64 hexadecimal digits")
	}
	o, err := a.c.begin(ctx, opLogout)
	if err != nil {
		return err
	}
	defer o.end()
	if value == "" {
		if value = a.c.session.current(); value == "" {
			return nil
		}
	}
	k := &call{op: opLogout, method: http.MethodPost, path: "/api/auth/logout", silent: true}
	answer, err := o.exchange(k, o.cookieGrant(value, 0))
	if err != nil {
		return err
	}
	err = a.c.refusal(k, answer)
	if err == nil {
		err = a.c.decode(k, answer, nil)
	}
	if a.c.session != nil && (err == nil || errors.Is(err, ErrAuth)) {
		a.c.session.forget(value)
	}
	return err
}

const (
	opLogin  = "auth.Login"
	opLogout = "auth.Logout"
)

// tokenPattern is what the device takes for a token.
var tokenPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// loginAs returns whose session Login opens and for how long.
func (a *Auth) loginAs(opts *LoginOptions) (*credentials, time.Duration, error) {
	creds := *a.c.creds
	creds.mode = AuthCookie
	if opts == nil {
		return &creds, a.c.opts.SessionExpire, nil
	}
	if opts.Expire < 0 || opts.Expire%time.Second != 0 {
		return nil, 0, configurationError(opLogin, "Expire", "not a number of whole seconds")
	}
	if opts.User == "" {
		if opts.Password != "" || opts.Code != "" {
			return nil, 0, configurationError(opLogin, "User", "empty beside a password or a code")
		}
		return &creds, opts.Expire, nil
	}
	creds = credentials{user: opts.User, password: opts.Password, mode: AuthCookie}
	if code := opts.Code; code != "" {
		if !isTOTPCode(code) {
			return nil, 0, configurationError(opLogin, "Code", errNoCode.Error())
		}
		creds.totpCode = func(context.Context) (string, error) { return code, nil }
	}
	return &creds, opts.Expire, creds.validate(opLogin)
}

// open opens the client's own session. The context is that of all who wait for it: they have the limits.
func (a *Auth) open(ctx context.Context) (token string, err error) {
	o, err := a.c.beginLimited(ctx, opLogin, 0)
	if err != nil {
		return "", err
	}
	defer o.end()
	token, err = o.login(a.c.creds, a.c.opts.SessionExpire)
	if err == nil {
		a.c.logger.LogAttrs(ctx, slog.LevelInfo, "session opened", slog.String("op", opLogin))
	}
	return token, err
}

// login asks for a session with user and password, which travel in the body. It never uses a session itself.
func (o *operation) login(creds *credentials, expire time.Duration) (token string, err error) {
	k := &call{op: opLogin, method: http.MethodPost, path: "/api/auth/login", login: true, silent: true}
	g, err := o.ownGrant(creds)
	if err != nil {
		return "", err
	}
	a, err := o.exchange(k.withForm(creds, expire, g.code), g.inForm())
	if err != nil {
		return "", err
	}
	if a.status == http.StatusForbidden {
		fresh, ok, err := o.freshCode(creds, g)
		if err != nil {
			return "", err
		}
		if ok {
			if a, err = o.exchange(k.withForm(creds, expire, fresh.code), fresh.inForm()); err != nil {
				return "", err
			}
		}
	}
	if err := o.client.refusal(k, a); err != nil {
		return "", err
	}
	if err := o.client.decode(k, a, nil); err != nil {
		return "", err
	}
	return o.client.sessionToken(k, a)
}

// withForm sets the body of a login.
func (k *call) withForm(creds *credentials, expire time.Duration, code string) *call {
	k.form = url.Values{"user": {creds.user}, "passwd": {creds.password + code}}
	if expire > 0 {
		k.form.Set("expire", strconv.FormatInt(int64(expire/time.Second), 10))
	}
	return k
}

// inForm returns the proof without its headers, for a request that has it in its body.
func (g grant) inForm() grant {
	g.header = nil
	return g
}

// sessionToken finds the token in the cookies of the answer to a login; a device without authentication sets none.
func (c *Client) sessionToken(k *call, a *answer) (string, error) {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.Name != cookieToken {
			continue
		}
		if !tokenPattern.MatchString(cookie.Value) {
			return "", c.responseError(k, a, errors.New("malformed token"))
		}
		return cookie.Value, nil
	}
	return "", nil
}
