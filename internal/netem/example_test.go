package netem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// A client that is cut off in the middle of an answer.
func Example() {
	network := netem.New(nil)
	network.OnLink(func(l *netem.Link) { l.CutAfter(netem.Down, 5, netem.RST) })
	listener, err := network.Listen("kvm.test:443")
	if err != nil {
		panic(err)
	}
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "hello, world")
	}()

	conn, err := network.DialContext(context.Background(), "tcp", "kvm.test:443")
	if err != nil {
		panic(err)
	}
	got, err := io.ReadAll(conn)
	fmt.Printf("%s, %t\n", got, errors.Is(err, syscall.ECONNRESET))
	// Output: hello, true
}

// A peer that vanishes while bytes are on their way.
func ExampleFaults_HalfOpen() {
	network := netem.New(nil)
	listener, err := network.Listen(":0")
	if err != nil {
		panic(err)
	}
	conn, err := network.DialContext(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	link := network.Links()[0]
	link.HalfOpen()

	_, err = io.WriteString(conn, "are you there?")
	fmt.Println(err, link.State().Up.Passed)
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err = conn.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	// Output:
	// <nil> 0
	// true
}

// A stall in one direction, seen from the test.
func ExampleLink_Wait() {
	network := netem.New(nil)
	network.Stall(netem.Up)
	listener, err := network.Listen(":0")
	if err != nil {
		panic(err)
	}
	conn, err := network.DialContext(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	go func() { _, _ = io.WriteString(conn, "held") }()

	link := network.Links()[0]
	err = link.Wait(context.Background(), func(s netem.State) bool { return s.Up.Written == 4 })
	fmt.Println(err, link.State().Up)
	network.Resume(netem.Up)
	fmt.Println(link.State().Up)
	// Output:
	// <nil> {4 0 0}
	// {4 4 0}
}

// The same faults before a server on a real socket.
func ExampleNewProxy() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = server.Close() }()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "hello, world")
	}()

	proxy, err := netem.NewProxy(server.Addr().String())
	if err != nil {
		panic(err)
	}
	defer func() { _ = proxy.Close() }()
	proxy.CutAfter(netem.Down, 5, netem.FIN)

	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	got, err := io.ReadAll(conn)
	fmt.Printf("%s, %v\n", got, err)
	<-served
	// Output: hello, <nil>
}
