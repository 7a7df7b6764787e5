package pikvmtest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// conn is one accepted connection. It can be held, which makes the device look dead to the peer while the connection
// stays up, and reset.
type conn struct {
	net.Conn

	mu     sync.Mutex
	held   chan struct{} // closed by release; nil while nothing holds the connection
	closed chan struct{}
	once   sync.Once
	err    error
}

func newConn(c net.Conn) *conn { return &conn{Conn: c, closed: make(chan struct{})} }

// hold keeps all later reads and writes waiting, whatever their deadlines, until release or Close.
func (c *conn) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = make(chan struct{})
	}
}

func (c *conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		close(c.held)
		c.held = nil
	}
}

func (c *conn) isHeld() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held != nil
}

// wait returns once nothing holds the connection.
func (c *conn) wait() error {
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held == nil {
		return nil
	}
	select {
	case <-held:
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}

// Read returns what a read that was under way got only after the release: nothing reaches a device that hangs.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if werr := c.wait(); werr != nil {
		return n, werr
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.err = c.Conn.Close()
	})
	return c.err
}

// reset ends the connection so that the peer sees a reset where the transport knows one.
func (c *conn) reset() {
	switch t := c.Conn.(type) {
	case interface{ Reset() error }:
		_ = t.Reset() // closing below covers a failure
	case interface{ SetLinger(int) error }:
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// listener wraps what it accepts.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

type connKey struct{}

// withConn is the ConnContext of the HTTP server: requests find their connection in their context.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, bareConn(c))
}

// connOf returns the connection that a request came on.
func connOf(ctx context.Context) *conn { return ctx.Value(connKey{}).(*conn) }

// bareConn finds the accepted connection under TLS.
func bareConn(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return c.(*conn)
}
