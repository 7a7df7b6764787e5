package pikvmtest

import (
	"mime"
	"net/http"
	"slices"
	"time"
)

func (a *auth) routes(k *router) {
	k.addPublic(http.MethodPost, "/auth/login", a.login)
	k.add(http.MethodPost, "/auth/logout", a.logout)
	k.add(http.MethodGet, "/auth/check", func(c *call) error { return c.ok(nil) })
}

// login reads a form; any other kind of body counts as an empty one.
func (a *auth) login(c *call) error {
	if a.disabled {
		return c.ok(nil)
	}
	form := formOf(c.r)
	user, err := validUser(form("user").value)
	if err != nil {
		return err
	}
	passwd, err := validPasswd(form("passwd").value)
	if err != nil {
		return err
	}
	var expire int64
	if a.version.atLeast(4, 53) {
		if expire, err = form("expire").or("0").int("expiration time", 0); err != nil {
			return err
		}
	}
	redirect := ""
	if a.version.atLeast(4, 108) {
		redirect = form("redirect").value
		if !slices.Contains(a.redirects, redirect) {
			return invalid("The argument %s is not a valid login redirect", pyRepr(redirect))
		}
	}
	if !a.authorize(user, passwd) {
		return errForbidden
	}
	token := a.sessions.create(user, time.Duration(min(expire, maxExpire))*time.Second)
	if redirect != "" {
		c.w.Header().Set("Set-Cookie", cookieName+"="+token+"; Path=/")
		c.w.Header().Set("Location", redirect)
		writeStatusText(c.w, http.StatusFound)
		return nil
	}
	c.w.Header().Set("Set-Cookie", cookieName+"="+token+"; HttpOnly; Path=/; SameSite=Strict")
	return c.ok(nil)
}

// maxExpire keeps the end of a session inside the range of time.Duration: a hundred years.
const maxExpire = 100 * 365 * 24 * 3600

// logout wants the cookie whatever else authenticated the request, and ends all sessions of its user.
func (a *auth) logout(c *call) error {
	if a.disabled {
		return c.ok(nil)
	}
	raw := ""
	if cookie, err := c.r.Cookie(cookieName); err == nil {
		raw = cookie.Value
	}
	token, err := validToken(raw)
	if err != nil {
		return err
	}
	a.sessions.end(token)
	return c.ok(nil)
}

// formOf returns a lookup in the form that a request carries.
func formOf(r *http.Request) func(name string) arg {
	var values map[string][]string
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		if r.ParseForm() == nil {
			values = r.PostForm
		}
	case "multipart/form-data":
		if r.ParseMultipartForm(maxBody) == nil {
			values = r.MultipartForm.Value
		}
	}
	return func(name string) arg {
		if v := values[name]; len(v) > 0 {
			return arg{v[0], true}
		}
		return arg{}
	}
}
