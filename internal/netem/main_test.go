package netem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
)

func TestMain(m *testing.M) { leak.Main(m) }

// conn is what an end of a link and a TCP connection have in common.
type conn interface {
	net.Conn
	CloseWrite() error
	SetLinger(sec int) error
}

// listenAndDial connects two ends; the first one dialled.
func listenAndDial(t testing.TB, listener net.Listener, dial func() (net.Conn, error)) (dialler, acceptor conn) {
	t.Helper()
	defer func() { _ = listener.Close() }()
	type result struct {
		conn net.Conn
		err  error
	}
	accepted := make(chan result, 1)
	go func() {
		c, err := listener.Accept()
		accepted <- result{c, err}
	}()
	d, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	a := <-accepted
	if a.err != nil {
		t.Fatal(a.err)
	}
	t.Cleanup(func() { _, _ = d.Close(), a.conn.Close() })
	return d.(conn), a.conn.(conn)
}

// memoryPair connects two ends of network. The link is the last of network.Links().
func memoryPair(t testing.TB, network *netem.Network) (dialler, acceptor *netem.Conn) {
	t.Helper()
	listener, err := network.Listen("device.test:0")
	if err != nil {
		t.Fatal(err)
	}
	d, a := listenAndDial(t, listener, func() (net.Conn, error) {
		return network.DialContext(t.Context(), "tcp", listener.Addr().String())
	})
	return d.(*netem.Conn), a.(*netem.Conn)
}

// linkPair is memoryPair on a network of its own, with its only link.
func linkPair(t testing.TB, opts *netem.Options) (link *netem.Link, dialler, acceptor *netem.Conn) {
	t.Helper()
	network := netem.New(opts)
	dialler, acceptor = memoryPair(t, network)
	return network.Links()[0], dialler, acceptor
}

// tcpPair connects two real sockets.
func tcpPair(t testing.TB) (dialler, acceptor conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listenAndDial(t, listener, func() (net.Conn, error) {
		return (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	})
}

// proxyPair connects two real sockets through a proxy.
func proxyPair(t testing.TB) (link *netem.Link, dialler, acceptor conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := netem.NewProxy(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	dialler, acceptor = listenAndDial(t, listener, func() (net.Conn, error) {
		return (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Addr())
	})
	link, err = proxy.WaitLink(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return link, dialler, acceptor
}

// outcome names what an operation came to.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, io.EOF):
		return "EOF"
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		return fmt.Sprintf("not a net.OpError: %v", err)
	}
	for name, target := range map[string]error{
		"closed": net.ErrClosed, "timeout": os.ErrDeadlineExceeded, "canceled": context.Canceled,
		"ECONNRESET": syscall.ECONNRESET, "EPIPE": syscall.EPIPE, "ENOTCONN": syscall.ENOTCONN,
		"ECONNREFUSED": syscall.ECONNREFUSED, "EADDRINUSE": syscall.EADDRINUSE, "deadline": context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return name
		}
	}
	return err.Error()
}

// write writes text and returns the outcome.
func write(c net.Conn, text string) string {
	n, err := io.WriteString(c, text)
	if err == nil && n != len(text) {
		return fmt.Sprintf("short write of %d", n)
	}
	return outcome(err)
}

// read reads once, up to 100 bytes, and returns the bytes or the outcome.
func read(c net.Conn) string {
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	if n > 0 && err == nil {
		return string(buf[:n])
	}
	return outcome(err)
}

// readAll reads to the end, and returns the bytes and the outcome.
func readAll(c net.Conn) string {
	got, err := io.ReadAll(c)
	if err == nil {
		err = io.EOF
	}
	return string(got) + "|" + outcome(err)
}
