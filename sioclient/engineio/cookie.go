package engineio

import (
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// CookieOptions describe the cookie that carries the session id. The zero value gives the cookie of the original:
// io=<id>; Path=/; HttpOnly; SameSite=Lax. The server never reads it.
type CookieOptions struct {
	// Name is io if empty.
	Name string

	// Path is / if empty.
	Path string

	Domain string

	// MaxAge is how long the browser keeps the cookie. Zero means until it is closed.
	MaxAge time.Duration

	Secure bool

	// Readable gives scripts access to the cookie, by leaving HttpOnly out.
	Readable bool

	// SameSite is Lax if zero.
	SameSite http.SameSite

	Partitioned bool
}

func (o *CookieOptions) withDefaults() (*CookieOptions, error) {
	if o == nil {
		return nil, nil
	}
	d := *o
	if d.Name == "" {
		d.Name = "io"
	}
	if d.Path == "" {
		d.Path = "/"
	}
	if d.SameSite == 0 {
		d.SameSite = http.SameSiteLaxMode
	}
	if err := d.cookie("x").Valid(); err != nil {
		return nil, sioerr.Invalid(opNewServer, "Cookie", err.Error())
	}
	return &d, nil
}

func (o *CookieOptions) cookie(id string) *http.Cookie {
	return &http.Cookie{
		Name: o.Name, Value: id, Path: o.Path, Domain: o.Domain, MaxAge: int(o.MaxAge / time.Second),
		Secure: o.Secure, HttpOnly: !o.Readable, SameSite: o.SameSite, Partitioned: o.Partitioned,
	}
}
