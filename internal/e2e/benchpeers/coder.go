package main

import (
	"context"
	"io"

	"github.com/coder/websocket"
)

// coderLibrary is the library under wsconn, used as fast as its own interface allows: without a context that could be
// cancelled, and reading into a buffer that is used again.
type coderLibrary struct{}

func (coderLibrary) name() string { return "coder" }

func (coderLibrary) dial(url string) (conn, error) {
	c, _, err := websocket.Dial(context.Background(), url, nil)
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(1 << 20)
	return &coderConn{c: c, buf: make([]byte, 0, 512)}, nil
}

type coderConn struct {
	c   *websocket.Conn
	buf []byte
}

func (c *coderConn) send(batch [][]byte) error {
	for _, p := range batch {
		if err := c.c.Write(context.Background(), websocket.MessageBinary, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *coderConn) receive(n int) (total int64, err error) {
	for range n {
		_, r, err := c.c.Reader(context.Background())
		if err != nil {
			return total, err
		}
		if c.buf, err = readInto(r, c.buf[:0]); err != nil {
			return total, err
		}
		total += int64(len(c.buf))
	}
	return total, nil
}

// readInto reads a message into b, which grows as needed.
func readInto(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

func (c *coderConn) echo(p []byte) error {
	if err := c.c.Write(context.Background(), websocket.MessageBinary, p); err != nil {
		return err
	}
	_, err := c.receive(1)
	return err
}

func (c *coderConn) close() { _ = c.c.CloseNow() }

// idiomaticCoder reads as the documentation of the library does: with a context that can be cancelled, and each message
// into memory of its own.
type idiomaticCoder struct{ coderLibrary }

func (idiomaticCoder) name() string { return "coder, Read(ctx)" }

func (l idiomaticCoder) dial(url string) (conn, error) {
	c, err := l.coderLibrary.dial(url)
	if err != nil {
		return nil, err
	}
	return &idiomaticConn{c.(*coderConn)}, nil
}

type idiomaticConn struct{ *coderConn }

func (c *idiomaticConn) receive(n int) (total int64, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range n {
		_, p, err := c.c.Read(ctx)
		if err != nil {
			return total, err
		}
		total += int64(len(p))
	}
	return total, nil
}
