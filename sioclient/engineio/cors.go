package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// CORS lets pages of other sites use the server, by the headers of the Fetch standard (https://fetch.spec.whatwg.org,
// section 3.3). The zero value admits none.
type CORS struct {
	// AllowedOrigins are the sites whose pages may read the answers, as scheme://host with the port if it is not that of
	// the scheme; "*" alone stands for all.
	AllowedOrigins []string

	// AllowOriginFunc admits further ones.
	AllowOriginFunc func(origin string) bool

	// Methods are those that a page may use. Nil means GET, HEAD, PUT, PATCH, POST and DELETE.
	Methods []string

	// AllowedHeaders are the request headers that a page may set. Nil means those that it asks for.
	AllowedHeaders []string

	// ExposedHeaders are the headers of answers that a page may read.
	ExposedHeaders []string

	// Credentials lets pages send cookies. It cannot be had together with "*": that would open the sessions of the users of
	// this site to all others.
	Credentials bool

	// MaxAge is how long a browser may keep the answer to a preflight request. Zero means that it decides.
	MaxAge time.Duration
}

func (c *CORS) withDefaults() (*CORS, error) {
	if c == nil {
		return nil, nil
	}
	d := *c
	if d.MaxAge < 0 {
		return nil, sioerr.Invalid(opNewServer, "CORS.MaxAge", "negative")
	}
	if slices.Contains(d.AllowedOrigins, "*") {
		if len(d.AllowedOrigins) > 1 {
			return nil, sioerr.Invalid(opNewServer, "CORS.AllowedOrigins", `"*" beside others`)
		}
		if d.Credentials {
			return nil, sioerr.Invalid(opNewServer, "CORS.Credentials", `all origins with credentials`)
		}
	}
	for _, list := range []*[]string{&d.AllowedOrigins, &d.Methods, &d.AllowedHeaders, &d.ExposedHeaders} {
		*list = slices.Clone(*list)
	}
	if d.Methods == nil {
		d.Methods = []string{
			http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete,
		}
	}
	return &d, nil
}

// admits reports whether pages of an origin may use the server.
func (c *CORS) admits(origin string) bool {
	if c == nil {
		return false
	}
	return slices.Contains(c.AllowedOrigins, "*") || slices.Contains(c.AllowedOrigins, origin) ||
		c.AllowOriginFunc != nil && c.AllowOriginFunc(origin)
}

// setHeaders adds what a browser wants to see. It reports whether the request was a preflight, which is answered then.
func (c *CORS) setHeaders(w http.ResponseWriter, r *http.Request) (done bool) {
	if c == nil {
		return false
	}
	h := w.Header()
	c.setOrigin(h, r.Header.Get("Origin"))
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method != http.MethodOptions {
		setList(h, "Access-Control-Expose-Headers", c.ExposedHeaders)
		return false
	}
	setList(h, "Access-Control-Allow-Methods", c.Methods)
	if c.AllowedHeaders != nil {
		setList(h, "Access-Control-Allow-Headers", c.AllowedHeaders)
	} else {
		h.Add("Vary", "Access-Control-Request-Headers")
		setList(h, "Access-Control-Allow-Headers", r.Header.Values("Access-Control-Request-Headers"))
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.FormatInt(int64(c.MaxAge/time.Second), 10))
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (c *CORS) setOrigin(h http.Header, origin string) {
	switch {
	case slices.Contains(c.AllowedOrigins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
		return
	case origin != "" && c.admits(origin):
		h.Set("Access-Control-Allow-Origin", origin)
	case len(c.AllowedOrigins) == 1 && c.AllowOriginFunc == nil:
		h.Set("Access-Control-Allow-Origin", c.AllowedOrigins[0])
	}
	h.Add("Vary", "Origin")
}

func setList(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ","))
	}
}

// checkOrigin reports whether the page that a WebSocket request comes from may use the server.
func (o *ServerOptions) checkOrigin(r *http.Request) bool {
	if o.CheckOrigin != nil {
		return o.CheckOrigin(r)
	}
	origin := r.Header.Get("Origin")
	if origin == "" || o.CORS.admits(origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// validOrigin reports whether the Origin header could be sent back: no character that headers must not have.
func validOrigin(r *http.Request) bool {
	for _, c := range []byte(r.Header.Get("Origin")) {
		if c < ' ' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}
