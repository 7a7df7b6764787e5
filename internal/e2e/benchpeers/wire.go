package main

import (
	"context"
	"net"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

// toTheWire sends n messages of the given size, each when all is at rest after the one before, and measures how long it
// takes until the message is in the hands of the system.
func toTheWire(l library, n, size int) (result, error) {
	peer, err := echo(size)
	if err != nil {
		return result{}, err
	}
	defer peer.Close()
	var wire *stampedConn
	c, err := l.(managerLibrary).connect(peer.URL(), &wsclient.Options{Dial: wsclient.DialOptions{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, network, addr)
			wire = &stampedConn{Conn: conn, written: make(chan time.Time, 16)}
			return wire, err
		},
	}})
	if err != nil {
		return result{}, err
	}
	defer c.close()
	<-wire.written // the handshake

	one := [][]byte{make([]byte, size)}
	times := make([]time.Duration, n)
	meter := startMeter()
	for i := range times {
		start := time.Now()
		if err := c.send(one); err != nil {
			return result{}, err
		}
		times[i] = (<-wire.written).Sub(start)
		if _, err := c.m.Receive(context.Background()); err != nil {
			return result{}, err
		}
	}
	return meter.stop(n).timed(times), nil
}

// stampedConn tells when something was written.
type stampedConn struct {
	net.Conn
	written chan time.Time
}

func (c *stampedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written <- time.Now()
	return n, err
}
