//go:build !js

package wsconn

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the network connection with a record of its progress. On the dialling side it lies below TLS, so that every
// byte counts; on the accepting side it lies on whatever the HTTP server handed over.
type wire struct {
	net.Conn
	stall time.Duration // longest time that a Write may make no progress; zero or less: no limit
	step  int           // most bytes to write under one deadline; 0: no limit
	began time.Time

	lastRead atomic.Int64 // when the last byte arrived, since began
	in, out  atomic.Int64 // bytes
	writes   atomic.Int64 // writes to the connection
	failed   atomic.Bool  // whether a read failed

	spoke chan struct{} // closed when something was written, or the connection closed; nil if that does not matter
	speak sync.Once

	mu    sync.Mutex
	armed time.Time // write deadline that is set at the moment
	final bool      // whether that deadline is the last one
}

// tlsStep is the payload of one TLS record. A TLS connection cannot go on after a write that was cut short
// by a deadline, so what is written under one deadline is kept small.
const tlsStep = 16 << 10

func newWire(conn net.Conn, stall time.Duration) *wire {
	w := &wire{Conn: conn, stall: stall, began: time.Now()}
	if _, ok := conn.(*tls.Conn); ok {
		w.step = tlsStep
	}
	return w
}

// wireBelow finds the wire under the TLS connections that package net/http may have put on top of it.
func wireBelow(conn net.Conn) (*wire, bool) {
	for {
		switch c := conn.(type) {
		case *wire:
			return c, true
		case *tls.Conn:
			conn = c.NetConn()
		default:
			return nil, false
		}
	}
}

// speakFirst keeps what the peer says back until this end has said something. Package net/http writes to the standard
// log when a server talks before it is asked, as those of other protocols do.
func (w *wire) speakFirst() { w.spoke = make(chan struct{}) }

func (w *wire) spoken() {
	if w.spoke != nil {
		w.speak.Do(func() { close(w.spoke) })
	}
}

func (w *wire) Read(p []byte) (int, error) {
	if w.spoke != nil {
		<-w.spoke
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.lastRead.Store(int64(time.Since(w.began)))
		w.in.Add(int64(n))
	}
	if err != nil {
		w.failed.Store(true)
	}
	return n, err
}

// patience is how many deadlines in a row pass, without a byte that was written, until a write fails. Together they
// are the stall time. Counting them, instead of looking at the clock, gives a process that was suspended another
// chance: the peer may have taken everything meanwhile.
const patience = 4

// Write fails when nothing at all could be written for the stall time; as long as the peer takes some bytes, it
// goes on.
func (w *wire) Write(p []byte) (int, error) {
	total, quiet := 0, 0
	for {
		chunk := p[total:]
		if w.step > 0 && len(chunk) > w.step {
			chunk = chunk[:w.step]
		}
		if err := w.arm(); err != nil {
			return total, err
		}
		n, err := w.Conn.Write(chunk)
		w.spoken()
		w.writes.Add(1)
		w.out.Add(int64(n))
		total += n
		if quiet++; n > 0 {
			quiet = 0
		}
		if err != nil && (quiet == patience || !w.resumable(err)) {
			return total, err
		}
		if total == len(p) {
			return total, nil
		}
	}
}

// resumable reports whether a write that failed may be gone on with.
func (w *wire) resumable(err error) bool {
	return w.step == 0 && errors.Is(err, os.ErrDeadlineExceeded) && !w.ending()
}

// ending reports whether writes have been given their last deadline.
func (w *wire) ending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.final
}

// arm sets the write deadline. It sets it a little further than needed, so that many writes share one deadline.
func (w *wire) arm() error {
	if w.stall <= 0 {
		return nil
	}
	limit := w.stall
	if w.step == 0 {
		limit = max(w.stall/patience, 1)
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.final || w.armed.Sub(now) >= limit {
		return nil
	}
	w.armed = now.Add(limit + limit/8)
	return w.Conn.SetWriteDeadline(w.armed)
}

// lastWrites gives writes, the one under way included, no more time than d. Calls after the first have no effect.
func (w *wire) lastWrites(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.final {
		return
	}
	w.final = true
	// An error means that the connection is closed: the writes end anyway.
	_ = w.Conn.SetWriteDeadline(time.Now().Add(d))
}

// Close closes the network connection at once. A TLS connection would first try to say goodbye, for up to five
// seconds, so what lies below it is closed instead.
func (w *wire) Close() error {
	defer w.spoken()
	if c, ok := w.Conn.(*tls.Conn); ok {
		return c.NetConn().Close()
	}
	return w.Conn.Close()
}
