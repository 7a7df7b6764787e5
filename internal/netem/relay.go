package netem

import (
	"io"
	"net"
	"sync"
)

// relay is one connection through a [Proxy]: the client's socket, a link, the target's socket.
//
//	client ── link.dialer ═══ wire with faults ═══ link.acceptor ── server
type relay struct {
	client, server *socket
	link           *Link
}

// newRelay joins two sockets by a link. Their buffers are kept as small as a window, so that a stall is felt early.
func newRelay(client, server *net.TCPConn, link *Link) *relay {
	for _, conn := range []*net.TCPConn{client, server} {
		// Errors mean that the connection is broken already, which reading it shows.
		_ = conn.SetReadBuffer(DefaultWindow)
		_ = conn.SetWriteBuffer(DefaultWindow)
	}
	return &relay{client: &socket{TCPConn: client}, server: &socket{TCPConn: server}, link: link}
}

// run moves bytes until both directions are done, or broken.
func (r *relay) run() {
	var work sync.WaitGroup
	work.Go(func() { side(r.client, r.link.dialer) })
	work.Go(func() { side(r.server, r.link.acceptor) })
	work.Wait()
}

// abort resets all that is not closed yet.
func (r *relay) abort() {
	for _, s := range []stream{r.client, r.server, r.link.dialer, r.link.acceptor} {
		abort(s)
	}
}

// side joins a socket and an end of the link, so that each looks to its peer as the other one would, and closes both
// when they are done.
func side(s *socket, end *Conn) {
	var up, down error
	var work sync.WaitGroup
	work.Go(func() { down = join(s, end) })
	up = join(end, s)
	work.Wait()
	if up != nil || down != nil {
		abort(s)
		abort(end)
	}
	_ = s.Close() // closed already where it was aborted, here or by Proxy.Close
	_ = end.Close()
}

// stream is what a socket and an end of a link have in common.
type stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	SetLinger(sec int) error
}

// join copies from src to dst until src ends or one of them breaks. The end of src becomes the end of what dst sends,
// a broken src breaks dst at once. A broken dst does not break src, because bytes may still be on their way out of
// dst; whoever reads dst finds it broken, after these bytes.
func join(dst, src stream) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_ = dst.CloseWrite() // fails where dst is broken
			return nil
		}
		if err != nil {
			abort(dst)
			return err
		}
	}
}

// abort closes s with a reset. It may be closed already.
func abort(s stream) {
	_ = s.SetLinger(0)
	_ = s.Close()
}
