package main

import (
	"context"
	"net"
	"sync"
)

// network makes network connections that can be cut.
type network struct {
	mu    sync.Mutex
	conns map[*cuttable]struct{}
}

// cuttable is a connection that its network knows until it is closed.
type cuttable struct {
	net.Conn
	network *network
}

func newNetwork() *network { return &network{conns: make(map[*cuttable]struct{})} }

func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &cuttable{conn, n}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[c] = struct{}{}
	return c, nil
}

// cut resets all connections.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // or it is closed already
		}
		_ = c.Conn.Close()
	}
	clear(n.conns)
}

// Close closes the connection.
func (c *cuttable) Close() error {
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}
