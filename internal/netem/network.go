package netem

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Options configures a [Network].
type Options struct {
	// Window is the number of bytes per direction that may be written and not yet read before writes block.
	// Zero means DefaultWindow.
	Window int
	// Backlog is the number of connections that a listener holds for Accept; further dials wait. Zero means 128.
	Backlog int
	// Latency is the time that a byte takes to cross, in each direction. A dial takes both. Zero means none.
	Latency time.Duration
}

// Network is a network in memory. It has no goroutines and needs no Close: what is on it ends when its connections
// and listeners are closed. All methods may be called from any goroutine. A network that is used in a synctest bubble
// must be made there.
//
// Its Faults act on all links; [Network.Links], [Network.WaitLink] and [Network.OnLink] lead to a single one.
type Network struct {
	links
	backlog int

	dials     sync.Mutex // guards what follows
	listeners map[string]*listener
	rules     map[string]rule
	lastPort  int
}

// rule is what happens to dials of one address.
type rule struct {
	hang bool
	err  error
}

// New makes a network. Nil options mean defaults.
func New(opts *Options) *Network {
	if opts == nil {
		opts = &Options{}
	}
	n := &Network{
		backlog:   opts.Backlog,
		listeners: map[string]*listener{},
		rules:     map[string]rule{},
		lastPort:  firstFreePort - 1,
	}
	if n.backlog <= 0 {
		n.backlog = 128
	}
	n.init(opts.Window)
	n.Latency(Both, opts.Latency)
	return n
}

// Listen starts to accept connections for a host:port. Names are not resolved: the address is reached by the same
// text, in any case. An empty host accepts for every host on that port unless another listener has the exact address;
// port 0 gives out a free one, and no host then means 127.0.0.1. An address in use fails with EADDRINUSE.
//
// Closing the listener resets connections that were not accepted and leaves accepted ones alone.
func (n *Network) Listen(addr string) (net.Listener, error) {
	key, err := cleanAddr(addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	n.dials.Lock()
	defer n.dials.Unlock()
	if wildcard(key) == ":0" {
		if key, err = n.freePort(key); err != nil {
			return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
		}
	}
	if n.listeners[key] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: netAddr(key), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{network: n, key: key, addr: netAddr(key), backlog: n.backlog}
	l.changed.L = &l.mu
	n.listeners[key] = l
	return l, nil
}

// freePort replaces the port of a clean address by one that was not given out yet.
func (n *Network) freePort(key string) (string, error) {
	host, _, err := net.SplitHostPort(key)
	if err != nil {
		return "", err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	for n.lastPort < 1<<16-1 {
		n.lastPort++
		key := net.JoinHostPort(host, fmt.Sprint(n.lastPort))
		if n.listeners[key] == nil {
			return key, nil
		}
	}
	return "", os.NewSyscallError("bind", syscall.EADDRINUSE)
}

func (n *Network) forget(l *listener) {
	n.dials.Lock()
	defer n.dials.Unlock()
	if n.listeners[l.key] == l {
		delete(n.listeners, l.key)
	}
}

// DialContext connects to a host:port on a TCP network, as the DialContext of a [net.Dialer] does. It returns a
// *[Conn]. Without a listener it fails with ECONNREFUSED, and with the error of ctx if that ends first.
func (n *Network) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := n.dial(ctx, network, addr)
	if err != nil {
		opErr := &net.OpError{Op: "dial", Net: network, Err: err}
		if key, err := cleanAddr(addr); err == nil {
			opErr.Addr = netAddr(key)
		}
		return nil, opErr
	}
	return conn, nil
}

func (n *Network) dial(ctx context.Context, network, addr string) (*Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	key, err := cleanAddr(addr)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	target, met := n.lookup(key)
	switch {
	case met.hang:
		<-ctx.Done()
		return nil, ctx.Err()
	case met.err != nil:
		return nil, met.err
	case target == nil:
		return nil, errRefused()
	}
	link := n.add(key, nil, netAddr(key))
	if err := connect(ctx, link, target); err != nil {
		_ = link.dialer.Reset() // nobody else has it
		return nil, err
	}
	return link.dialer, nil
}

// connect is the handshake: one way there, a place in the backlog, one way back.
func connect(ctx context.Context, link *Link, target *listener) error {
	err := pause(ctx, link.latency(Up))
	if err == nil {
		err = target.enqueue(ctx, link.acceptor)
	}
	if err != nil {
		_ = link.acceptor.Reset() // nobody else has it
		return err
	}
	return pause(ctx, link.latency(Down))
}

// lookup finds what a dial to a clean address meets.
func (n *Network) lookup(key string) (*listener, rule) {
	n.dials.Lock()
	defer n.dials.Unlock()
	r, ok := n.rules[key]
	if !ok {
		r = n.rules[""]
	}
	l := n.listeners[key]
	if l == nil {
		l = n.listeners[wildcard(key)]
	}
	return l, r
}

// Refuse lets dials to addr fail with ECONNREFUSED although somebody listens, until [Network.Allow]. The empty
// address stands for every address that has no rule of its own, here and in FailDial, Blackhole and Allow.
func (n *Network) Refuse(addr string) { n.FailDial(addr, errRefused()) }

// FailDial lets dials to addr fail with err, wrapped in a [net.OpError]. Nil lets them pass, like Allow.
func (n *Network) FailDial(addr string, err error) { n.rule(addr, rule{err: err}) }

// Blackhole lets dials to addr hang until their context ends.
func (n *Network) Blackhole(addr string) { n.rule(addr, rule{hang: true}) }

// Allow ends Refuse, FailDial and Blackhole for addr. Dials that hang already go on hanging.
func (n *Network) Allow(addr string) { n.rule(addr, rule{}) }

func (n *Network) rule(addr string, r rule) {
	key := addr
	if clean, err := cleanAddr(addr); err == nil {
		key = clean
	}
	n.dials.Lock()
	defer n.dials.Unlock()
	if !r.hang && r.err == nil {
		delete(n.rules, key)
		return
	}
	n.rules[key] = r
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
