package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// client is one connection. Its messages are read by one goroutine, which answers heartbeats.
type client struct {
	conn  net.Conn
	r     *bufio.Reader
	in    message
	pings int
}

// patience is how long a server may take to answer.
const patience = 20 * time.Second

// protocols are the handshakes after that of WebSocket: the path, and the packets of server and client up to the moment
// at which events may be sent.
var protocols = map[string]struct {
	path  string
	steps []step
}{
	"raw":  {"/echo", nil},
	"eio4": {"/socket.io/?EIO=4&transport=websocket", []step{{read: "0{"}, {write: "40"}, {read: "40{"}}},
	"eio3": {"/socket.io/?EIO=3&transport=websocket", []step{{read: "0{"}, {read: "40"}}},
}

type step struct{ read, write string }

// dial connects and does the handshakes. Path is instead of that of the protocol, if it is not empty.
func dial(o *options, path string) (*client, error) {
	p, ok := protocols[o.protocol]
	if !ok {
		return nil, fmt.Errorf("no such protocol: %s", o.protocol)
	}
	if path == "" {
		path = p.path
	}
	conn, err := net.DialTimeout("tcp", o.addr, patience)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, r: bufio.NewReaderSize(conn, 4<<10)}
	if err := c.handshake(o.addr, path, p.steps); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return c, nil
}

func (c *client) handshake(host, path string, steps []step) error {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host)
	if err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	for _, s := range steps {
		if s.write != "" {
			if _, err := c.conn.Write(clientFrame(opText, []byte(s.write))); err != nil {
				return err
			}
			continue
		}
		if err := c.next(); err != nil {
			return err
		}
		if !bytes.HasPrefix(c.in.start(), []byte(s.read)) {
			return fmt.Errorf("message %q instead of %s", c.in.start(), s.read)
		}
	}
	return c.conn.SetDeadline(time.Time{})
}

var pong = clientFrame(opText, []byte("3"))

// next reads the next message that is not a heartbeat into c.in.
func (c *client) next() error {
	for {
		if err := c.in.read(c.r); err != nil {
			return err
		}
		if c.in.size != 1 || c.in.opcode != opText {
			return nil
		}
		if c.in.head[0] == '2' {
			c.pings++
			if _, err := c.conn.Write(pong); err != nil {
				return err
			}
		}
	}
}

// drained reports whether reading on would mean to wait.
func (c *client) drained() bool { return c.r.Buffered() < 2 }

// dialAll connects o.clients clients.
func dialAll(o *options, path string) (clients, error) {
	all := make(clients, 0, o.clients)
	for range o.clients {
		c, err := dial(o, path)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

type clients []*client

func (all clients) close() {
	for _, c := range all {
		_ = c.conn.Close()
	}
}
