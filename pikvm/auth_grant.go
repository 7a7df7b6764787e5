package pikvm

import (
	"errors"
	"net/http"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// grant is what one request or one socket handshake shows to prove who it is.
type grant struct {
	header http.Header
	creds  *credentials // behind it
	code   string       // one-time code within, empty if there is none
	token  string       // of the session, in cookie mode
	login  uint64       // number of the login that opened it
	more   []string     // secrets in the parameters of the request
}

// secrets returns what must never show up in a text.
func (g grant) secrets() []string { return append(append(g.creds.secrets(g.code), g.token), g.more...) }

// grant makes a proof from the client's credentials; in cookie mode it logs in if need be.
func (o *operation) grant() (grant, error) {
	if o.client.session == nil {
		return o.ownGrant(o.client.creds)
	}
	token, login, err := o.client.session.get(o.ctx)
	if err != nil {
		return grant{}, o.notGranted(err, false)
	}
	return o.cookieGrant(token, login), nil
}

// renew makes a fresh proof after an answer of this status. It is not ok if the answer is no refusal of the
// first proof, or if there is no other.
func (o *operation) renew(refused grant, status int) (fresh grant, ok bool, err error) {
	session := o.client.session
	switch {
	case status != http.StatusForbidden && status != http.StatusUnauthorized:
		return grant{}, false, nil
	case session != nil:
		token, login, err := session.renew(o.ctx, refused.login)
		if err != nil {
			return grant{}, false, o.notGranted(err, true)
		}
		return o.cookieGrant(token, login), true, nil
	case status != http.StatusForbidden:
		return grant{}, false, nil
	}
	return o.freshCode(o.client.creds, refused)
}

// freshCode makes another proof if a new one-time code has come into force since the refused one: the request
// met the border between two steps of the codes.
func (o *operation) freshCode(creds *credentials, refused grant) (fresh grant, ok bool, err error) {
	if refused.code == "" || o.client.opts.DisableTOTPRetry {
		return grant{}, false, nil
	}
	fresh, err = o.ownGrant(creds)
	return fresh, err == nil && fresh.code != refused.code, err
}

// ownGrant makes a proof of user and password.
func (o *operation) ownGrant(creds *credentials) (grant, error) {
	code, err := creds.code(o.ctx)
	switch {
	case err == nil:
		return grant{header: creds.header(code), creds: creds, code: code}, nil
	case o.ctx.Err() != nil:
		return grant{}, o.failure(err, false)
	}
	return grant{}, codeError(o.name, err)
}

// cookieGrant makes a proof of a session.
func (o *operation) cookieGrant(token string, login uint64) grant {
	g := grant{header: http.Header{}, creds: o.client.creds, token: token, login: login}
	if token != "" {
		g.header.Set("Cookie", cookieToken+"="+token)
	}
	return g
}

// notGranted returns the error of a login that is shared by many, or the end of this operation alone.
func (o *operation) notGranted(err error, reached bool) error {
	if _, ok := errors.AsType[errkit.Error](err); ok {
		return err
	}
	return o.failure(err, reached)
}
