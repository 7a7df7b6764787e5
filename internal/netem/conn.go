package netem

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a link. It is a [net.Conn] with the half close and the reset of a TCP connection. All methods
// may be called from any goroutine; concurrent writes do not mix their bytes.
type Conn struct {
	link          *Link
	local, remote net.Addr
	in, out       *pipe

	// All below is guarded by the link's mutex.
	closed     bool // by Close or Reset
	finished   bool // by CloseWrite
	aborted    bool // the peer has reset the connection
	broken     bool // the peer has closed it, and something was written since
	resetting  bool // this end has put a reset on the wire
	writing    bool // a Write is under way
	linger     bool // Close resets
	readLimit  deadline
	writeLimit deadline
}

// Read reads what has arrived, or waits for it. After the peer's end of the stream it returns io.EOF.
func (c *Conn) Read(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case len(b) == 0:
			return 0, nil
		case c.readLimit.expired:
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		}
		if n := c.in.read(b); n > 0 {
			c.link.changed.Broadcast()
			return n, nil
		}
		switch {
		case c.in.fin:
			return 0, io.EOF
		case c.aborted:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		}
		c.in.readable.Wait()
	}
}

// Write writes b and waits while the window is full. It returns when all bytes are in the window, which does not
// mean that the peer has them.
func (c *Conn) Write(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	// One write at a time. This is not a mutex, because a goroutine that waits for a mutex while another one waits
	// for the peer would keep the clock of a synctest bubble from advancing.
	for c.writing {
		if err := c.writeError(); err != nil {
			return 0, c.fail("write", err)
		}
		c.out.writable.Wait()
	}
	c.writing = true
	defer func() {
		c.writing = false
		c.out.writable.Broadcast()
		c.link.changed.Broadcast()
	}()
	written := 0
	for {
		if err := c.writeError(); err != nil {
			return written, c.fail("write", err)
		}
		n := c.out.write(b[written:])
		written += n
		switch {
		case written == len(b):
			return written, nil
		case n > 0: // which may have been answered with a reset already
			c.link.changed.Broadcast()
		default:
			c.out.writable.Wait()
		}
	}
}

// writeError returns the reason for which nothing can be written now.
func (c *Conn) writeError() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.writeLimit.expired:
		return os.ErrDeadlineExceeded
	case c.aborted:
		return os.NewSyscallError("write", syscall.ECONNRESET)
	case c.finished, c.broken:
		return os.NewSyscallError("write", syscall.EPIPE)
	}
	return nil
}

// Close closes the connection. What was written still reaches the peer, followed by the end of the stream; but if
// something has arrived and was not read, the peer sees a reset, as on TCP. The second Close fails with net.ErrClosed.
func (c *Conn) Close() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.close(c.linger)
}

// Reset closes the connection with a reset: what has not crossed the wire is lost, and the peer's reads and writes
// fail with ECONNRESET once the reset has arrived.
func (c *Conn) Reset() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.close(true)
}

// SetLinger with 0 makes Close a Reset, other values make it Close again. See [net.TCPConn.SetLinger].
func (c *Conn) SetLinger(sec int) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	c.linger = sec == 0
	return nil
}

func (c *Conn) close(abort bool) error {
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.readLimit.stop()
	c.writeLimit.stop()
	unread := c.in.refuse()
	switch {
	case c.aborted || c.broken:
		// The peer is gone: nobody to tell.
	case abort || unread:
		c.sendReset()
	case !c.finished:
		c.out.finish()
	}
	if c.link.isClosed() {
		c.link.up.release()
		c.link.down.release()
	}
	c.in.readable.Broadcast()
	c.out.writable.Broadcast()
	c.link.changed.Broadcast()
	return nil
}

// CloseWrite sends the end of the stream after what was written. Reading goes on.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	switch {
	case c.closed:
		return c.fail("close", net.ErrClosed)
	case c.aborted || c.broken:
		return c.fail("close", os.NewSyscallError("shutdown", syscall.ENOTCONN))
	case c.finished:
		return nil
	}
	c.finished = true
	c.out.finish()
	c.out.writable.Broadcast()
	c.link.changed.Broadcast()
	return nil
}

// reset takes note of the peer's reset.
func (c *Conn) reset() {
	if c.in.fin {
		c.broken = true
	} else {
		c.aborted = true
	}
	c.out.drop()
	c.in.readable.Broadcast()
}

// sendReset puts a reset on the wire, once: on an abortive close, or as the answer to bytes that arrive after Close.
func (c *Conn) sendReset() {
	if !c.resetting {
		c.resetting = true
		c.out.abort()
	}
}

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.limit(func() {
		c.readLimit.set(t, &c.in.readable)
		c.writeLimit.set(t, &c.out.writable)
	})
}

// SetReadDeadline lets reads fail with os.ErrDeadlineExceeded at t, those under way included. Zero means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.limit(func() { c.readLimit.set(t, &c.in.readable) })
}

// SetWriteDeadline lets writes fail with os.ErrDeadlineExceeded at t, those under way included. Zero means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.limit(func() { c.writeLimit.set(t, &c.out.writable) })
}

func (c *Conn) limit(set func()) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	set()
	return nil
}

func (c *Conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
