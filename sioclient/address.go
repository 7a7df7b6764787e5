package sioclient

import (
	"net/url"
	"strings"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// address is where a server is, taken apart.
type address struct {
	base      string // scheme, host and query, as the transport wants it
	namespace string // the path; "/" if there is none
}

// parseAddress reads an address of a server. Without a scheme it is an https one, as in the official client.
func parseAddress(op, raw string) (address, error) {
	if !strings.Contains(raw, "://") {
		raw = "https://" + strings.TrimPrefix(raw, "//")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, sioerr.Invalid(op, "url", "cannot be parsed") // the text may hold secrets
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return address{}, sioerr.Invalid(op, "url", "scheme "+u.Scheme+" is none of http, https, ws, wss")
	}
	if u.Hostname() == "" {
		return address{}, sioerr.Invalid(op, "url", "no host")
	}
	a := address{namespace: u.Path}
	if a.namespace == "" {
		a.namespace = "/"
	}
	if err := checkNamespace(op, a.namespace); err != nil {
		return address{}, err
	}
	u.Path, u.RawPath, u.Fragment, u.RawFragment = "", "", "", ""
	a.base = u.String()
	return a, nil
}

// checkNamespace refuses names that cannot be written on the wire: a comma ends the name there.
func checkNamespace(op, name string) error {
	if !strings.HasPrefix(name, "/") {
		return sioerr.Invalid(op, "namespace", "does not begin with a slash")
	}
	if strings.Contains(name, ",") {
		return sioerr.Invalid(op, "namespace", "has a comma")
	}
	return nil
}
