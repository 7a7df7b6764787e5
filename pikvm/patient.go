package pikvm

import (
	"context"
	"net"
	"sync"
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

// Write writes p; when that fails, it waits for Close before it says so.
func (c *patientConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	grace := time.NewTimer(answerGrace)
	defer grace.Stop()
	select {
	case <-c.closed:
	case <-grace.C:
	}
	return n, err
}

// Close closes the connection.
func (c *patientConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.err = c.Conn.Close()
	})
	return c.err
}
