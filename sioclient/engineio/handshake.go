package engineio

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
)

// Handshake is what is kept of the request that began a session. It must not be changed.
type Handshake struct {
	Time       time.Time
	Header     http.Header
	URL        *url.URL
	Host       string
	RemoteAddr string
	TLS        *tls.ConnectionState // nil without TLS
}

// Query returns the parameters of the request: those of the protocol, such as EIO and transport, and the application's.
func (h *Handshake) Query() url.Values { return h.URL.Query() }

func newHandshake(r *http.Request) *Handshake {
	u := *r.URL
	return &Handshake{
		Time: time.Now(), Header: r.Header.Clone(), URL: &u, Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS,
	}
}

// openPacket returns the first packet of a session.
func (s *Session) openPacket() Message {
	o := s.server.opts
	h := wire.Handshake{
		SID: s.id, PingInterval: o.PingInterval, PingTimeout: o.PingTimeout, MaxPayload: o.MaxPayload,
	}
	if s.transport() == Polling && s.server.upgrades {
		h.Upgrades = []string{WebSocket}
	}
	return Message{data: wire.AppendHandshake([]byte{'0'}, h), plain: true}
}
