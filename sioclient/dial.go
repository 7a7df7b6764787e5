package sioclient

import "context"

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
