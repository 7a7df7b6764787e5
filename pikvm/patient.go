package pikvm

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// answerGrace is how long a failed write waits for the answer that explains it.
const answerGrace = 2 * time.Second

// patientConn lets the answer win over the failed write. A device that refuses an upload answers at once and stops
// reading, and the client still writes: package net/http would report the broken pipe although the answer with the
// reason is there to be read. So a write that failed returns when the reading side has seen the end, and by then the
// answer, if there is one, has gone to whom it is for.
type patientConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
	err    error // of Close

	broken  atomic.Pointer[error] // what the first failed Read said
	hurried atomic.Bool           // a write that fails says so at once
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// patientDial returns dial with patient connections.
func patientDial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &patientConn{Conn: conn, closed: make(chan struct{})}, nil
	}
}

// Read reads into p, and remembers how the connection broke.
func (c *patientConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.broken.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Write writes p; when that fails, it waits for Close before it says so. A write that Close interrupted, because the
// reading side had seen the connection break, fails for that reason.
func (c *patientConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	if broken := c.broken.Load(); broken != nil && errors.Is(err, net.ErrClosed) {
		if *broken == io.EOF { //nolint:errorlint // what connections return
			return n, io.ErrUnexpectedEOF
		}
		return n, *broken
	}
	if c.hurried.Load() {
		return n, err
	}
	grace := time.NewTimer(answerGrace)
	defer grace.Stop()
	select {
	case <-c.closed:
	case <-grace.C:
	}
	return n, err
}

// SetWriteDeadline sets the deadline of writes, and ends the patience: package net/http sets none, package crypto/tls only
// for the alert by which it closes. That write comes from Close, which it must not wait for.
func (c *patientConn) SetWriteDeadline(t time.Time) error {
	c.hurried.Store(true)
	return c.Conn.SetWriteDeadline(t)
}

// Close closes the connection.
func (c *patientConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.err = c.Conn.Close()
	})
	return c.err
}
