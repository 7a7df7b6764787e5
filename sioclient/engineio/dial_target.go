package engineio

import (
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// target is the server that a connection is made to.
type target struct {
	opts  *DialOptions
	base  *url.URL // with the path of the server, without a query
	query url.Values
	shown string // for errors, without secrets
}

// newTarget reads the URL of a server. Of its path nothing is used.
func newTarget(rawURL string, opts *DialOptions) (*target, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, sioerr.Invalid(opDial, "url", "not a URL")
	}
	scheme := strings.ToLower(u.Scheme)
	defaultPort := ":80"
	switch scheme {
	case "ws", "http":
		scheme = "http"
	case "wss", "https":
		scheme, defaultPort = "https", ":443"
	default:
		return nil, sioerr.Invalid(opDial, "url", "scheme is none of http, https, ws and wss")
	}
	if u.Hostname() == "" {
		return nil, sioerr.Invalid(opDial, "url", "without a host")
	}
	t := &target{opts: opts, query: opts.Query}
	if t.query == nil {
		t.query = u.Query()
	}
	t.base = &url.URL{
		Scheme: scheme, User: u.User, Host: strings.TrimSuffix(u.Host, defaultPort), Path: opts.Path,
	}
	t.shown = redact.URL(t.base)
	return t, nil
}

// url returns the URL of a request. The id is empty for one that begins a session.
func (t *target) url(transport string, revision wire.Revision, sid string) *url.URL {
	query := make(url.Values, len(t.query)+5)
	for name, values := range t.query {
		query[name] = values
	}
	query.Set("EIO", strconv.Itoa(int(revision)))
	query.Set("transport", transport)
	query.Del("sid")
	if sid != "" {
		query.Set("sid", sid)
	}
	if t.opts.ForceBase64 && (transport == WebSocket || sid == "") {
		query.Set("b64", "1")
	}
	if transport == Polling && !t.opts.DisableTimestamps || transport == WebSocket && t.opts.TimestampWebSocket {
		query.Set(t.opts.TimestampParam, strconv.FormatUint(rand.Uint64(), 36))
	}
	u := *t.base
	u.RawQuery = query.Encode()
	return &u
}
