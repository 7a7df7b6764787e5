package smoktest

import (
	"net"
	"runtime"
)

// hold keeps the port of a listener from being given to other programs while nobody listens on it: a connection that came
// in on it does, until it is closed, and a listener may be opened beside it. Nil where that cannot be had.
func hold(l net.Listener) []net.Conn {
	addr, ok := l.Addr().(*net.TCPAddr)
	if _, tcp := l.(*net.TCPListener); !ok || !tcp || runtime.GOOS == "windows" {
		return nil
	}
	out, err := net.DialTCP("tcp", nil, addr)
	if err != nil {
		return nil
	}
	for {
		in, err := l.Accept()
		if err != nil {
			_ = out.Close() // it was only made for the other one
			return nil
		}
		if in.RemoteAddr().String() == out.LocalAddr().String() {
			return []net.Conn{in, out}
		}
		_ = in.Close() // a client that was very fast, and tries again
	}
}

// release gives back what hold took, at once.
func release(held []net.Conn) {
	for _, c := range held {
		_ = c.(*net.TCPConn).SetLinger(0) // closing covers a failure
		_ = c.Close()
	}
}
