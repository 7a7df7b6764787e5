package main

import (
	"context"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

type wsconnLibrary struct{}

func (wsconnLibrary) name() string { return "wsconn" }

func (wsconnLibrary) dial(url string) (conn, error) {
	c, err := wsconn.Dial(context.Background(), url, nil)
	return &wsconnConn{c: c}, err
}

type wsconnConn struct {
	c     *wsconn.Conn
	batch []wsconn.Message
	buf   []byte
}

func (c *wsconnConn) send(batch [][]byte) error {
	c.batch = c.batch[:0]
	for _, p := range batch {
		c.batch = append(c.batch, wsconn.Message{Type: wsconn.Binary, Data: p})
	}
	_, err := c.c.WriteBatch(c.batch)
	return err
}

func (c *wsconnConn) receive(n int) (total int64, err error) {
	for range n {
		_, msg, err := c.c.Read(c.buf)
		if err != nil {
			return total, err
		}
		c.buf = msg
		total += int64(len(msg))
	}
	return total, nil
}

func (c *wsconnConn) echo(p []byte) error {
	if err := c.c.Write(wsconn.Binary, p); err != nil {
		return err
	}
	_, err := c.receive(1)
	return err
}

func (c *wsconnConn) close() { _ = c.c.CloseNow() }
