package sioclient

import (
	"context"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Dial connects to a server and one namespace, which is the path of the URL: https://example.com/admin is the namespace
// /admin. The socket stays connected, and connects again after a loss, until it is closed; nothing else uses its manager.
// Errors are those of [NewManager] and of [Socket.Connect], and leave nothing behind.
//
// What arrives before the program has added handlers is kept for [Socket.Receive] alone. A program that must not miss the
// first events makes the socket with [NewManager] and [Manager.Socket], adds its handlers, and connects then.
func Dial(ctx context.Context, url string, opts *Options) (*Socket, error) {
	addr, err := parseAddress("dial", url)
	if err != nil {
		return nil, err
	}
	m, err := newManager(addr, opts)
	if err != nil {
		return nil, err
	}
	s, err := m.Socket(addr.namespace, nil)
	if err != nil {
		return nil, err
	}
	s.owns = true
	if err := s.Connect(ctx); err != nil {
		_ = m.Close() // always nil
		return nil, err
	}
	return s, nil
}

// Caller is what events can be emitted with and acknowledged: sockets, and senders.
type Caller interface {
	Call(ctx context.Context, name string, args ...any) (packet.Args, error)
}

// Call1 is [Socket.Call] for the first argument of the acknowledgement, decoded. Without one it is the zero value. One that
// cannot be decoded gives a *[DecodeError].
func Call1[R any](ctx context.Context, c Caller, name string, args ...any) (R, error) {
	var r R
	answer, err := c.Call(ctx, name, args...)
	if err != nil {
		return r, err
	}
	return r, decode(name, answer, &r)
}
