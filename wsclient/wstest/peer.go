package wstest

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// Script is what a scripted peer does with a connection. The connection is closed when it returns; an error
// that is not due to that goes to [Peer.Errors].
type Script func(*Session) error

// PeerOptions are the settings of [Play]. The zero value is good for use.
type PeerOptions struct {
	// Listener is where to serve; Close closes it. Nil means a free port of 127.0.0.1.
	Listener net.Listener
	// TLS makes it a wss server. The handshake is part of the first read or write of a script.
	TLS *tls.Config
}

// Peer plays scripts on the connections that it accepts.
type Peer struct {
	listener net.Listener
	tls      *tls.Config
	scripts  []Script
	done     chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	accepted int
	open     map[net.Conn]struct{}
	errs     []error
}

// Play starts a peer. The first connection gets the first script, and so on; the last script is for all that follow.
func Play(opts *PeerOptions, scripts ...Script) (*Peer, error) {
	if len(scripts) == 0 {
		return nil, errors.New("wstest: no script")
	}
	var o PeerOptions
	if opts != nil {
		o = *opts
	}
	l, err := listen(o.Listener)
	if err != nil {
		return nil, err
	}
	p := &Peer{
		listener: l, tls: o.TLS, scripts: scripts,
		done: make(chan struct{}), open: make(map[net.Conn]struct{}),
	}
	p.running.Go(p.serve)
	return p, nil
}

func listen(l net.Listener) (net.Listener, error) {
	if l != nil {
		return l, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// URL returns the ws or wss URL of the peer.
func (p *Peer) URL() string { return wsURL(p.listener.Addr(), p.tls != nil) }

// Addr returns the network address of the peer.
func (p *Peer) Addr() net.Addr { return p.listener.Addr() }

// Accepted returns how many connections were accepted so far.
func (p *Peer) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Errors returns the errors of the scripts that have ended.
func (p *Peer) Errors() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.errs...)
}

// Close closes the listener and all connections and waits for the scripts. It may be called again.
func (p *Peer) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
		_ = p.listener.Close() // serve ends in any case
		for c := range p.open {
			_ = c.Close() // its script ends in any case
		}
	}
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

func (p *Peer) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		script, ok := p.admit(conn)
		if !ok {
			_ = conn.Close() // too late
			return
		}
		p.running.Go(func() { p.play(script, conn) })
	}
}

func (p *Peer) admit(conn net.Conn) (Script, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	script := p.scripts[min(p.accepted, len(p.scripts)-1)]
	p.accepted++
	p.open[conn] = struct{}{}
	return script, true
}

func (p *Peer) play(script Script, conn net.Conn) {
	var top net.Conn = conn
	if p.tls != nil {
		top = tls.Server(conn, p.tls)
	}
	s := NewSession(top, false)
	s.done = p.done
	p.note(script(s))
	_ = top.Close() // of no interest any more
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// note keeps the error of a script, before the other end can know that the script has ended.
func (p *Peer) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && !p.closed && !errors.Is(err, net.ErrClosed) {
		p.errs = append(p.errs, err)
	}
}
