package smoktest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
)

// gate is a listener that can be shut, which resets its connections, and opened again on the same address. For those
// who accept from it nothing has happened.
type gate struct {
	listen func(addr string) (net.Listener, error)

	mu     sync.Mutex
	turned sync.Cond // inner or closed has changed
	want   string    // where to listen; the exact address from the first time on
	addr   net.Addr
	inner  net.Listener // nil while shut
	closed bool
	conns  map[*gateConn]struct{}
	held   []net.Conn // keep the port while the gate is shut
}

func newGate(listen func(addr string) (net.Listener, error), addr string) *gate {
	g := &gate{listen: listen, want: addr, conns: make(map[*gateConn]struct{})}
	g.turned.L = &g.mu
	return g
}

func (g *gate) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.inner != nil {
		return nil
	}
	inner, err := g.listen(g.want)
	if err != nil {
		return fmt.Errorf("smoktest: %w", err)
	}
	g.inner, g.addr, g.want = inner, inner.Addr(), inner.Addr().String()
	if g.held == nil {
		g.held = hold(inner)
	}
	g.turned.Broadcast()
	return nil
}

// shut refuses connections and resets those that there are.
func (g *gate) shut() {
	g.mu.Lock()
	inner := g.inner
	g.inner = nil
	g.mu.Unlock()
	if inner != nil {
		_ = inner.Close() // nobody listens any more, whatever it says
	}
	g.reset()
}

// reset resets the connections that there are.
func (g *gate) reset() {
	g.mu.Lock()
	var conns []*gateConn
	for c := range g.conns {
		conns = append(conns, c)
	}
	g.mu.Unlock()
	for _, c := range conns {
		c.reset()
	}
}

// Accept waits through the times when the gate is shut.
func (g *gate) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		for g.inner == nil && !g.closed {
			g.turned.Wait()
		}
		inner, closed := g.inner, g.closed
		g.mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		raw, err := inner.Accept()
		c := &gateConn{Conn: raw, gate: g}
		g.mu.Lock()
		open := g.inner == inner
		if open && err == nil {
			g.conns[c] = struct{}{}
		}
		g.mu.Unlock()
		switch {
		case err == nil && open:
			return c, nil
		case err == nil:
			c.reset() // it came while the gate was being shut
		case open:
			return nil, err
		}
	}
}

func (g *gate) Close() error {
	g.mu.Lock()
	inner, held := g.inner, g.held
	g.inner, g.held, g.closed = nil, nil, true
	g.turned.Broadcast()
	g.mu.Unlock()
	release(held)
	if inner != nil {
		return inner.Close()
	}
	return nil
}

// Addr is the address of the time when the gate was open last.
func (g *gate) Addr() net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addr
}

// gateConn is a connection that came through a gate.
type gateConn struct {
	net.Conn
	gate *gate
}

func (c *gateConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// reset ends the connection so that the peer sees a reset where the transport knows one.
func (c *gateConn) reset() {
	switch t := c.Conn.(type) {
	case interface{ Reset() error }:
		_ = t.Reset() // closing below covers a failure
	case interface{ SetLinger(int) error }:
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

type connKey struct{}

// withConn is the ConnContext of the HTTP server: requests find their connection in their context.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// resetConn resets the connection that a request came on, if it came on one.
func resetConn(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*gateConn); ok {
		c.reset()
	}
}
