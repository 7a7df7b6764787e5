package wsclient_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// frugalPeer agrees to every upgrade and reads; it keeps next to nothing in memory.
func frugalPeer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	serve := func(c net.Conn) {
		defer c.Close()
		buf := bufio.NewReaderSize(c, 16)
		req, err := http.ReadRequest(buf)
		if err != nil {
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			wstest.Accept(req.Header.Get("Sec-WebSocket-Key")))
		for err = nil; err == nil; {
			_, err = buf.ReadByte()
		}
	}
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return "ws://" + l.Addr().String()
}

// dialled makes a manager and connects it over the loopback device.
func dialled(tb testing.TB, url string, o wsclient.Options) *wsclient.Manager {
	tb.Helper()
	o.Dial.Proxy = noProxy
	m, err := wsclient.New(url, &o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Close() })
	if err := m.Connect(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return m
}

// An idle connection costs at most 40 KiB of memory.
func TestIdleMemory(t *testing.T) {
	const n = 50
	url := frugalPeer(t)
	heap := func() int {
		var s runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&s)
		return int(s.HeapAlloc) // it may shrink, by what earlier tests have left
	}
	connect := func() {
		m := dialled(t, url, wsclient.Options{})
		t.Cleanup(m.Kill) // the peer answers no close frame
	}
	connect() // what is made once
	before := heap()
	for range n {
		connect()
	}
	if each := (heap() - before) / n; each > 40<<10 {
		t.Errorf("an idle manager takes %d bytes", each)
	} else {
		t.Logf("an idle manager takes %d bytes", each)
	}
}

// allocs counts the allocations of f, all goroutines included, per call.
func allocs(n int, f func()) float64 {
	var before, after runtime.MemStats
	f()
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// A message that is sent directly costs no allocation, nor does one for an inline handler.
func TestAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates")
	}
	srv, err := wstest.Start(&wstest.Options{Handler: func(c *wsconn.Conn) {
		var buf []byte
		for {
			typ, data, err := c.Read(buf)
			if err != nil {
				return
			}
			if err := c.Write(typ, data); err != nil {
				return
			}
			buf = data
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	got := make(chan struct{}, 1)
	m := dialled(t, srv.URL(), wsclient.Options{Receive: wsclient.ReceiveOptions{
		InlineHandler: func(wsclient.Message) { got <- struct{}{} },
	}})
	ctx, data := context.Background(), make([]byte, 128)
	n := allocs(2000, func() {
		if err := m.Send(ctx, wsclient.Binary, data); err != nil {
			t.Error(err)
		}
		<-got
	})
	if n > 0.05 { // timers of the heartbeat and the like
		t.Errorf("%.2f allocations for a message there and back", n)
	}
	if err := m.Err(); err != nil {
		t.Error(err)
	}
}
