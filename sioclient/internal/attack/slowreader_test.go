package attack_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
)

const (
	slowEvents = 192
	slowSize   = 128 << 10 // 24 MiB in all
	slowQueue  = 1 << 20
)

// TestSlowReader: a client that stops reading while 24 MB are broadcast hurts itself alone. The others get everything, the
// server keeps no more than the queue of the one, and that one ends with an error that says why.
func TestSlowReader(t *testing.T) {
	opts := func() *sioserver.Options {
		o := options()
		o.Engine.Queue.Bytes = slowQueue
		return o
	}
	stop := map[string]func(a *arena){
		"a WebSocket": func(a *arena) { a.join().setDeaf(true) },
		"nobody polls": func(a *arena) {
			a.answered(a.post(a.polling("4"), "", "40"), "200", "ok")
		},
	}
	for name, stop := range stop {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { slowReader(newArena(t, opts()), stop) })
		})
	}
	t.Run("on TCP", func(t *testing.T) { slowReader(newTCPArena(t, opts()), stop["a WebSocket"]) })
}

func slowReader(a *arena, stop func(a *arena)) {
	others := []*siotest.Session{a.honest, a.client()}
	arrived, ended := make(chan bool, 1), make(chan error, 1)
	a.server.OnConnect(func(s *sioserver.Socket) {
		s.OnDisconnect(func(reason sioclient.Reason, err error) {
			if reason == sioclient.TransportError {
				ended <- err
			}
		})
		arrived <- true
	})
	stop(a)
	<-arrived
	payload := strings.Repeat("x", slowSize)
	before, most := memory(), uint64(0)
	for i := range slowEvents {
		if err := a.server.Emit("m", i, payload); err != nil {
			a.Fatal(err)
		}
		for _, s := range others {
			a.receiveBy(s, fmt.Sprintf(`42["m",%d,"%s"]`, i, payload))
		}
		if i%40 == 39 || i < 12 { // the queue is full after the first few
			most = max(most, memoryBelow(before+slowQueue+maxMemory))
		}
	}
	if full, ok := errors.AsType[*sioclient.BufferFullError](<-ended); !ok || full.Bytes > slowQueue {
		a.Errorf("ended with %v", full)
	}
	if most > before+slowQueue+maxMemory {
		a.Errorf("%d KiB more memory", (most-before)>>10)
	}
	if n := a.server.Stats().Slow; n != 1 {
		a.Errorf("%d slow clients", n)
	}
	a.Logf("%d MB to each of %d others; at most %d KiB more memory", slowEvents*slowSize>>20, len(others), (int64(most)-int64(before))>>10)
}

// narrow keeps the kernel from taking much for a client that does not read.
func narrow(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetReadBuffer(16 << 10)
	}
}

// narrowListener does so at the other end, where the kernel would else take as much as it is configured to.
type narrowListener struct{ net.Listener }

func (l narrowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(256 << 10)
	}
	return conn, err
}
