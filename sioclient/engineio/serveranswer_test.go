package engineio_test

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// counted is a listener whose connections count their writes.
type counted struct {
	net.Listener
	writes atomic.Int64
}

func (l *counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn, l}, err
}

type countedConn struct {
	net.Conn
	l *counted
}

func (c countedConn) Write(p []byte) (int, error) {
	c.l.writes.Add(1)
	return c.Conn.Write(p)
}

// TestOneWrite: the answer to the request, the open packet and what the owner sends at once leave together.
func TestOneWrite(t *testing.T) {
	t.Parallel()
	server, err := engineio.NewServer(&engineio.ServerOptions{
		InitialPacket: engineio.Text("initial"),
		OnSession: func(s *engineio.Session) engineio.Handler {
			if err := s.Send(engineio.Text("first")); err != nil {
				t.Error(err)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &counted{Listener: l}
	front := &http.Server{Handler: server}
	served := make(chan error, 1)
	go func() { served <- front.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = front.Close()
		<-served
	})
	conn, err := wsconn.Dial(t.Context(), "ws://"+l.Addr().String()+"/engine.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, want := range []string{"0{", "4initial", "4first"} {
		if _, msg, err := conn.Read(nil); err != nil || !strings.HasPrefix(string(msg), want) {
			t.Errorf("%q, %v, want %q", msg, err, want)
		}
	}
	if n := listener.writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
}
