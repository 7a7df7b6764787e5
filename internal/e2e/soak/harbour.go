package main

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// harbour is a server behind a wire that can be cut. It writes down what comes, and sends all the time.
type harbour struct {
	srv    *wstest.Server
	proxy  atomic.Pointer[netem.Proxy] // the wire
	acks   bool
	refuse atomic.Bool // whether upgrades are refused

	mu      sync.Mutex // guards what follows
	arrived numbers
	repeats uint64
}

func newHarbour(acks bool) (*harbour, error) {
	h := &harbour{acks: acks}
	var err error
	if h.srv, err = wstest.Start(&wstest.Options{Handler: h.serve, Request: h.admit}); err != nil {
		return nil, err
	}
	if err := h.move(); err != nil {
		_ = h.srv.Close() // the error above counts
		return nil, err
	}
	return h, nil
}

// move lays a new wire, on another port, and cuts the old one.
func (h *harbour) move() error {
	proxy, err := netem.NewProxy(h.srv.Addr().String())
	if err != nil {
		return err
	}
	if old := h.proxy.Swap(proxy); old != nil {
		_ = old.Close() // returns nil
	}
	return nil
}

// dial connects to the wire as it is now.
func (h *harbour) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, h.proxy.Load().Addr())
}

func (h *harbour) close() {
	_ = h.proxy.Load().Close() // both return nil
	_ = h.srv.Close()
}

func (h *harbour) admit(w http.ResponseWriter, _ *http.Request) bool {
	if h.refuse.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	}
	return true
}

func (h *harbour) serve(conn *wsconn.Conn) {
	var sender sync.WaitGroup
	defer sender.Wait()
	defer conn.CloseNow()
	sender.Go(func() { send(conn) })
	var buf []byte
	for {
		_, msg, err := conn.Read(buf)
		if err != nil || len(msg) < 8 {
			return
		}
		buf = msg
		n := binary.BigEndian.Uint64(msg)
		h.note(n)
		if h.acks && conn.Write(wsconn.Text, strconv.AppendUint(nil, n, 10)) != nil {
			return
		}
	}
}

// send sends a few messages every few milliseconds, until the connection ends.
func send(conn *wsconn.Conn) {
	batch := make([]wsconn.Message, 4)
	for i := range batch {
		batch[i] = wsconn.Message{Type: wsconn.Binary, Data: make([]byte, 64<<i)}
	}
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-conn.Done():
			return
		case <-every.C:
		}
		if _, err := conn.WriteBatch(batch); err != nil {
			return
		}
	}
}

func (h *harbour) note(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.arrived.add(n) {
		h.repeats++
	}
}

// books returns what has arrived so far, and how many messages came again.
func (h *harbour) books() (arrived numbers, repeats uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.arrived.clone(), h.repeats
}
