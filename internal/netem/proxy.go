package netem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"
)

// Proxy is a TCP server on 127.0.0.1 that passes each connection on to a target, over a [Link] with its faults.
// All methods may be called from any goroutine.
//
// Its Faults act on all connections; [Proxy.Links], [Proxy.WaitLink] and [Proxy.OnLink] lead to a single one.
//
// The kernel's buffers lie on both sides of the link: a sender blocks only when these are full as well, and a client
// that closes is seen at once by the proxy but, through a stalled or silent link, not by the target. After a cut with
// Silence or Swallow the connection to the other side is kept until that side or the proxy is closed.
type Proxy struct {
	links
	target string
	addr   net.Addr
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // the accept loop and all relays

	state    sync.Mutex // guards what follows
	listener net.Listener
	relays   map[*relay]struct{}
	held     []net.Conn // keep the port while nobody listens
	closed   bool
}

// NewProxy starts a proxy on a free port of 127.0.0.1 for the TCP server at target. The target is dialled anew for
// each connection; when that fails, the client's connection is reset.
func NewProxy(target string) (*Proxy, error) {
	p := &Proxy{target: target, relays: map[*relay]struct{}{}}
	p.init(0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.addr = l.Addr()
	p.held = hold(l)
	p.start(l)
	return p, nil
}

// Addr returns the host:port to dial instead of the target's.
func (p *Proxy) Addr() string { return p.addr.String() }

// Refuse(true) closes the listening socket, so that dials fail with ECONNREFUSED while open connections live on.
// Refuse(false) opens it again on the same port, which on Windows fails if another program took the port meanwhile.
func (p *Proxy) Refuse(refuse bool) error {
	p.state.Lock()
	defer p.state.Unlock()
	switch {
	case p.closed:
		return fmt.Errorf("netem: proxy: %w", net.ErrClosed)
	case refuse && p.listener != nil:
		err := p.listener.Close()
		p.listener = nil
		return err
	case !refuse && p.listener == nil:
		return p.listen(p.Addr())
	}
	return nil
}

// Close ends the listener and all connections, and returns when nothing of the proxy runs any more. Connections
// that are still open are reset. Later calls return nil.
func (p *Proxy) Close() error {
	p.state.Lock()
	p.closed = true
	var err error
	if p.listener != nil {
		err = p.listener.Close()
		p.listener = nil
	}
	for r := range p.relays {
		r.abort()
	}
	for _, c := range p.held {
		abort(c.(*net.TCPConn))
	}
	p.held = nil
	p.state.Unlock()
	p.cancel()
	p.work.Wait()
	return err
}

// listen starts a listening socket and its accept loop.
func (p *Proxy) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	p.start(l)
	return nil
}

func (p *Proxy) start(l net.Listener) {
	p.listener = l
	p.work.Go(func() { p.accept(l) })
}

// hold keeps the port of a listener from being given to other programs while nobody listens on it: a connection that came
// in on it does, until it is closed, and a listener may be opened beside it. Nil where that cannot be had.
func hold(l net.Listener) []net.Conn {
	if runtime.GOOS == "windows" {
		return nil
	}
	out, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		return nil
	}
	for {
		in, err := l.Accept()
		if err != nil {
			abort(out)
			return nil
		}
		if in.RemoteAddr().String() == out.LocalAddr().String() {
			return []net.Conn{in, out}
		}
		abort(in.(*net.TCPConn)) // nobody knows this port yet
	}
}

// accept serves one listening socket until it is closed.
func (p *Proxy) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			p.work.Go(func() { p.serve(conn.(*net.TCPConn)) })
		case errors.Is(err, net.ErrClosed):
			return
		default: // the process is out of file descriptors
			_ = pause(p.ctx, 10*time.Millisecond)
		}
	}
}

// serve passes one connection on, until both its sides are done.
func (p *Proxy) serve(client *net.TCPConn) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		abort(client)
		return
	}
	r := newRelay(client, conn.(*net.TCPConn), p.add(p.target, client.RemoteAddr(), conn.RemoteAddr()))
	if p.enter(r) {
		r.run()
		p.leave(r)
	}
	r.abort()
}

// enter registers r for Close, unless that was called already.
func (p *Proxy) enter(r *relay) bool {
	p.state.Lock()
	defer p.state.Unlock()
	if p.closed {
		return false
	}
	p.relays[r] = struct{}{}
	return true
}

func (p *Proxy) leave(r *relay) {
	p.state.Lock()
	defer p.state.Unlock()
	delete(p.relays, r)
}
