package wstest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// Memory is a network in memory with one listening address. Its connections behave like those of TCP: they hold a
// bounded number of bytes, have deadlines, can be closed in one direction and reset. Nothing of it is a goroutine or a
// file, so it can be used in a bubble of testing/synctest; it must be made inside it.
//
//	mem := wstest.NewMemory()
//	srv, err := wstest.Start(&wstest.Options{Listener: mem})
//	conn, err := wsconn.Dial(ctx, srv.URL(), &wsconn.DialOptions{DialContext: mem.DialContext})
type Memory struct {
	dials chan *memoryConn
	done  chan struct{}
	once  sync.Once
}

// NewMemory makes a network.
func NewMemory() *Memory {
	return &Memory{dials: make(chan *memoryConn), done: make(chan struct{})}
}

// Accept waits for the next dial.
func (m *Memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.dials:
		return c, nil
	case <-m.done:
		return nil, m.opError("accept", net.ErrClosed)
	}
}

// Close ends the listening; dials are refused from then on. Connections stay.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

// Addr returns the address of the network, "localhost:80", which no proxy of the environment is asked for.
func (m *Memory) Addr() net.Addr { return memoryAddr("localhost:80") }

// DialContext connects to the listener, whatever the address.
func (m *Memory) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := newStream(), newStream()
	client := &memoryConn{in: here, out: there, local: "localhost:49152", remote: "localhost:80"}
	server := &memoryConn{in: there, out: here, local: "localhost:80", remote: "localhost:49152"}
	select {
	case m.dials <- server:
		return client, nil
	case <-m.done:
		return nil, m.opError("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, m.opError("dial", ctx.Err())
	}
}

func (m *Memory) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: m.Addr(), Err: err}
}

type memoryAddr string

func (memoryAddr) Network() string  { return "tcp" }
func (a memoryAddr) String() string { return string(a) }

// memoryConn is one end of a connection.
type memoryConn struct {
	in, out       *stream
	local, remote memoryAddr

	mu     sync.Mutex // guards what follows
	reset  bool       // whether Close is to reset
	closed bool
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.opError("write", err)
}

// opError wraps err as package net does; the end of the stream stays bare.
func (c *memoryConn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close resets the connection if it is told to, or if bytes are left unread, as TCP does. What the peer has not
// read yet stays readable.
func (c *memoryConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	end := error(io.EOF)
	if unread := c.in.closeRead(syscall.EPIPE); unread || c.reset {
		end = syscall.ECONNRESET
	}
	c.out.closeWrite(end, net.ErrClosed)
	return nil
}

// SetLinger with 0 lets Close reset the connection, as on TCP.
func (c *memoryConn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset = sec == 0
	return nil
}

// CloseWrite closes the sending direction.
func (c *memoryConn) CloseWrite() error {
	c.out.closeWrite(io.EOF, syscall.EPIPE)
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

func (c *memoryConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}
