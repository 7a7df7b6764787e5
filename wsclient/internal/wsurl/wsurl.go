// Package wsurl checks the addresses of WebSocket peers.
package wsurl

import (
	"net/url"
	"strconv"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Parse returns the address raw if it can be dialled: a ws or wss URL (RFC 6455, section 3), where http and https mean
// the same. Otherwise it returns a *wserr.ConfigError of op that names field and keeps the address to itself.
func Parse(op, field, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, wserr.Config(op, field, "not a URL")
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return nil, wserr.Config(op, field, "scheme is not ws or wss")
	}
	if u.Hostname() == "" {
		return nil, wserr.Config(op, field, "no host")
	}
	if p := u.Port(); p != "" {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return nil, wserr.Config(op, field, "port is above 65535")
		}
	}
	return u, nil
}
