package main

import "github.com/gorilla/websocket"

type gorillaLibrary struct{}

func (gorillaLibrary) name() string { return "gorilla" }

func (gorillaLibrary) dial(url string) (conn, error) {
	c, _, err := websocket.DefaultDialer.Dial(url, nil)
	return &gorillaConn{c: c, buf: make([]byte, 0, 512)}, err
}

type gorillaConn struct {
	c   *websocket.Conn
	buf []byte
}

func (c *gorillaConn) send(batch [][]byte) error {
	for _, p := range batch {
		if err := c.c.WriteMessage(websocket.BinaryMessage, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *gorillaConn) receive(n int) (total int64, err error) {
	for range n {
		_, r, err := c.c.NextReader()
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

func (c *gorillaConn) echo(p []byte) error {
	if err := c.c.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return err
	}
	_, err := c.receive(1)
	return err
}

func (c *gorillaConn) close() { _ = c.c.Close() }

// owningGorilla reads each message into memory of its own.
type owningGorilla struct{ gorillaLibrary }

func (l owningGorilla) dial(url string) (conn, error) {
	c, err := l.gorillaLibrary.dial(url)
	if err != nil {
		return nil, err
	}
	return &owningConn{c.(*gorillaConn)}, nil
}

type owningConn struct{ *gorillaConn }

func (c *owningConn) receive(n int) (total int64, err error) {
	for range n {
		_, p, err := c.c.ReadMessage()
		if err != nil {
			return total, err
		}
		total += int64(len(p))
	}
	return total, nil
}
