package main

import (
	"errors"

	"github.com/lxzan/gws"
)

// gwsLibrary delivers messages by callback, from a loop that runs until the connection ends. Its messages are pooled
// buffers, given back after use.
type gwsLibrary struct{}

func (gwsLibrary) name() string { return "gws" }

func (gwsLibrary) dial(url string) (conn, error) {
	c := &gwsConn{enough: make(chan struct{}, 1), ended: make(chan struct{})}
	socket, _, err := gws.NewClient(c, &gws.ClientOption{Addr: url, ReadMaxPayloadSize: 1 << 20})
	if err != nil {
		return nil, err
	}
	c.socket = socket
	return c, nil
}

type gwsConn struct {
	gws.BuiltinEventHandler
	socket  *gws.Conn
	reading bool
	enough  chan struct{}
	ended   chan struct{}

	left  int // messages to come; changed by the loop only while receive waits
	total int64
}

func (c *gwsConn) send(batch [][]byte) error {
	for _, p := range batch {
		if err := c.socket.WriteMessage(gws.OpcodeBinary, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *gwsConn) receive(n int) (int64, error) {
	c.left, c.total = n, 0
	c.start()
	return c.wait()
}

func (c *gwsConn) start() {
	if !c.reading {
		c.reading = true
		go func() {
			defer close(c.ended)
			c.socket.ReadLoop()
		}()
	}
}

func (c *gwsConn) wait() (int64, error) {
	select {
	case <-c.enough:
		return c.total, nil
	case <-c.ended:
		return c.total, errors.New("gws: connection ended")
	}
}

func (c *gwsConn) OnMessage(_ *gws.Conn, m *gws.Message) {
	c.total += int64(m.Data.Len())
	_ = m.Close() // gives the buffer back
	if c.left--; c.left == 0 {
		c.enough <- struct{}{}
	}
}

func (c *gwsConn) echo(p []byte) error {
	c.left, c.total = 1, 0
	if err := c.socket.WriteMessage(gws.OpcodeBinary, p); err != nil {
		return err
	}
	c.start()
	_, err := c.wait()
	return err
}

func (c *gwsConn) close() {
	_ = c.socket.NetConn().Close()
	if c.reading {
		<-c.ended
	}
}
