package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// crowd is how many managers share a measurement.
const crowd = 100

// quietPeer agrees to every upgrade and then does nothing. A connection costs it no goroutine and next to no memory.
type quietPeer struct {
	l    net.Listener
	done sync.WaitGroup
	open []net.Conn
}

func newQuietPeer() (*quietPeer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &quietPeer{l: l}
	p.done.Go(p.serve)
	return p, nil
}

func (p *quietPeer) url() string { return "ws://" + p.l.Addr().String() }

func (p *quietPeer) serve() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.open = append(p.open, c)
		if req, err := http.ReadRequest(bufio.NewReaderSize(c, 16)); err == nil {
			fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Accept: %s\r\n\r\n", wstest.Accept(req.Header.Get("Sec-WebSocket-Key")))
		}
	}
}

func (p *quietPeer) close() {
	_ = p.l.Close() // serve ends in any case
	p.done.Wait()
	for _, c := range p.open {
		_ = c.Close()
	}
}

// connectedGoroutines counts those of managers with default options or, if all, with everything that takes goroutines.
func connectedGoroutines(all bool) func() (float64, error) {
	return func() (float64, error) {
		peer, err := newQuietPeer()
		if err != nil {
			return 0, err
		}
		defer peer.close()
		before := runtime.NumGoroutine()
		for range crowd {
			var o wsclient.Options
			l := direct
			if all {
				l = queued
				o.Receive.Handler = func(context.Context, wsclient.Message) {}
				o.Hooks.OnConnect = func(wsclient.ConnectInfo) {}
				o.Control.ShouldDisconnect = func() bool { return false }
				o.Heartbeat.AppPing = func() (wsclient.MessageType, []byte) { return wsclient.Text, []byte("ping") }
			}
			c, err := l.connect(peer.url(), &o)
			if err != nil {
				return 0, err
			}
			defer c.close()
		}
		return goroutinesSince(before), nil
	}
}

// goroutinesSince returns how many there are more than before per manager, once those that were ending have ended.
func goroutinesSince(before int) float64 {
	<-time.After(100 * time.Millisecond)
	return float64(runtime.NumGoroutine()-before) / crowd
}

// downManagers makes managers that seek a connection where there is none, at the longest delays, and returns how to
// close them.
func downManagers() (closeAll func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	url := "ws://" + l.Addr().String()
	_ = l.Close() // nobody listens there from now on
	var all []*wsclient.Manager
	closeAll = func() {
		for _, m := range all {
			_ = m.Close()
		}
	}
	o := wsclient.Options{Reconnect: wsclient.ReconnectOptions{
		MaxAttempts: wsclient.Unlimited, MaxInitialAttempts: wsclient.Unlimited,
	}}
	o.Reconnect.Backoff.Base = time.Minute
	for range crowd {
		m, err := wsclient.New(url, &o)
		if err == nil {
			all = append(all, m)
			err = m.Start(context.Background())
		}
		if err == nil {
			_, err = m.WaitState(context.Background(), wsclient.StateReconnecting)
		}
		if err != nil {
			closeAll()
			return nil, err
		}
	}
	return closeAll, nil
}

func downGoroutines() (float64, error) {
	before := runtime.NumGoroutine()
	closeAll, err := downManagers()
	if err != nil {
		return 0, err
	}
	defer closeAll()
	return goroutinesSince(before), nil
}

func closedGoroutines() (float64, error) {
	before := runtime.NumGoroutine()
	peer, err := newQuietPeer()
	if err != nil {
		return 0, err
	}
	for range crowd {
		c, err := queued.dial(peer.url())
		if err != nil {
			return 0, err
		}
		c.close()
	}
	peer.close()
	return goroutinesSince(before), nil
}

// idleHeap returns the memory of a connection that has nothing to do, in KiB.
func idleHeap(l library) func() (float64, error) {
	return func() (float64, error) {
		peer, err := newQuietPeer()
		if err != nil {
			return 0, err
		}
		defer peer.close()
		first, err := l.dial(peer.url()) // with what is made once
		if err != nil {
			return 0, err
		}
		defer first.close()
		before := heap()
		for range crowd {
			c, err := l.dial(peer.url())
			if err != nil {
				return 0, err
			}
			defer c.close()
		}
		return float64(heap()-before) / crowd / 1024, nil
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools held
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
