package netem

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
)

// listener is what [Network.Listen] returns.
type listener struct {
	network *Network
	key     string // under which the network knows it
	addr    net.Addr
	backlog int

	mu      sync.Mutex
	changed sync.Cond
	queue   []*Conn // dialled and not yet accepted
	closed  bool
}

// Accept returns the next connection, or waits for it. After Close it fails with net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.queue) == 0 {
		l.changed.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	conn := l.queue[0]
	l.queue = l.queue[1:]
	l.changed.Broadcast()
	return conn, nil
}

// Close frees the address, ends Accept, and resets the connections that were not accepted. Accepted ones stay.
// The second Close fails with net.ErrClosed.
func (l *listener) Close() error {
	l.network.forget(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.closed = true
	for _, conn := range l.queue {
		_ = conn.Reset() // nobody else can have closed it
	}
	l.queue = nil
	l.changed.Broadcast()
	return nil
}

// Addr returns the address that is listened on, with the port that was given out for port 0.
func (l *listener) Addr() net.Addr { return l.addr }

// enqueue offers conn to Accept, and waits while the backlog is full. As with TCP the dialler is connected when this
// returns, whether or not Accept is ever called.
func (l *listener) enqueue(ctx context.Context, conn *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := await(ctx, &l.changed, func() bool { return l.closed || len(l.queue) < l.backlog }); err != nil {
		return err
	}
	if l.closed {
		return errRefused()
	}
	l.queue = append(l.queue, conn)
	l.changed.Broadcast()
	return nil
}

func errRefused() error { return os.NewSyscallError("connect", syscall.ECONNREFUSED) }
