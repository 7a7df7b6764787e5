package siotest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// RawOptions configures [DialRaw]. The zero value is ready to use.
type RawOptions struct {
	// Path is where the server answers. Empty means "/socket.io/".
	Path string

	// Protocol is the revision of Engine.IO. Zero means 4.
	Protocol int

	// Header is sent with the request.
	Header http.Header

	// DialContext makes the network connection. Nil means a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Pong answers the pings of the server, as revision 4 wants it of a client.
	Pong bool
}

// DialRaw connects to a Socket.IO server by WebSocket. The open packet is the first one to be received. The query of the
// URL is sent, with what the protocol needs; the path counts for nothing. Nil options mean the defaults.
func DialRaw(ctx context.Context, rawURL string, opts *RawOptions) (*Session, error) {
	var o RawOptions
	if opts != nil {
		o = *opts
	}
	if o.Path == "" {
		o.Path = "/socket.io/"
	}
	if o.Protocol == 0 {
		o.Protocol = 4
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("siotest: %w", err)
	}
	q := u.Query()
	q.Set("EIO", strconv.Itoa(o.Protocol))
	q.Set("transport", "websocket")
	u.Path, u.RawQuery = o.Path, q.Encode()
	ws, err := wsconn.Dial(ctx, u.String(), &wsconn.DialOptions{
		Header: o.Header, DialContext: o.DialContext, Options: wsconn.Options{ReadLimit: maxBody, SkipUTF8: true},
	})
	if err != nil {
		return nil, fmt.Errorf("siotest: %w", err)
	}
	s := newSession(nil, o.Protocol, o.Pong)
	s.serve(ws)
	return s, nil
}
