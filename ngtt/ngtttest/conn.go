package ngtttest

import (
	"crypto/tls"
	"net"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Conn is the hub's end of one connection. Its methods may be called from any goroutine; once the connection is over
// they do nothing.
type Conn struct {
	hub    *Hub
	raw    net.Conn
	stream *tls.Conn
	device *device

	written int64 // bytes of frames; for the writing goroutine alone

	// The mutex of the hub guards what follows.
	wanted     bool // FETCH_ORDERS has come
	over       bool
	finished   bool // nothing more is to be written
	out        []byte
	lastTID    uint16
	lastPlace  uint64
	unanswered map[uint16]*order
	pings      map[uint16]bool // the hub's own; true once the device has answered
}

// maxOut is how many bytes may wait to be written before the hub stops reading.
const maxOut = 4 << 20

// Send sends frames, all in one write.
func (c *Conn) Send(frames ...wire.Frame) error {
	var b []byte
	var err error
	for _, f := range frames {
		if b, err = wire.AppendFrame(b, f); err != nil {
			return err
		}
	}
	c.SendRaw(b)
	return nil
}

// SendRaw sends bytes as they are, in one write.
func (c *Conn) SendRaw(b []byte) {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.out = append(c.out, b...)
	c.hub.notify()
}

// Ping sends a PING of the hub's own. [Conn.Answered] tells whether the device has answered it.
func (c *Conn) Ping(tid uint16) {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.pings[tid] = false
	c.push(wire.Frame{Type: wire.TypePing, TID: tid})
}

// Answered reports whether the device has answered the hub's own ping of that tid.
func (c *Conn) Answered(tid uint16) bool {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	return c.pings[tid]
}

// Cut closes the network connection at once, without a word of TLS.
func (c *Conn) Cut() { _ = c.raw.Close() } // it may be closed already

// CloseWrite says that nothing more comes, and goes on reading: a half-closed connection.
func (c *Conn) CloseWrite() {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.finished = true
	c.hub.notify()
}

// push queues a frame. It runs with mu held.
func (c *Conn) push(f wire.Frame) {
	if b, err := wire.AppendFrame(c.out, f); err == nil { // it fails for 4 GiB only
		c.out = b
	}
	c.hub.notify()
}

// write is the goroutine that writes.
func (c *Conn) write() {
	h := c.hub
	for {
		h.mu.Lock()
		for !c.over && (len(c.out) == 0 && !c.finished || h.faults.StallWrites) {
			h.changed.Wait()
		}
		batch, faults, over, last := c.out, h.faults, c.over, c.finished
		c.out = nil
		h.notify()
		h.mu.Unlock()
		if over {
			return
		}
		if !c.writeOut(batch, faults) {
			c.Cut()
			return
		}
		if last {
			_ = c.stream.CloseWrite() // the device may be gone
			return
		}
	}
}

// writeOut writes a batch as the faults want it, and reports whether the connection goes on.
func (c *Conn) writeOut(batch []byte, faults Faults) bool {
	chunk := faults.Chunk
	if chunk <= 0 {
		chunk = max(len(batch), 1)
	}
	if faults.DropAfterBytes > 0 {
		left := max(faults.DropAfterBytes-c.written, 0)
		if left <= int64(len(batch)) {
			batch = batch[:left]
			defer c.Cut()
		}
	}
	for piece := range slices.Chunk(batch, chunk) {
		n, err := c.stream.Write(piece)
		c.written += int64(n)
		if err != nil {
			return false
		}
	}
	return true
}

// read serves the frames of the device until the connection ends.
func (c *Conn) read() {
	reader := wire.NewReader(c.stream, c.hub.opts.MaxBody)
	for {
		if idle := c.hub.opts.IdleTimeout; idle > 0 {
			if c.stream.SetReadDeadline(time.Now().Add(idle)) != nil {
				return
			}
		}
		f, err := reader.Next()
		if err != nil || !c.receive(f) {
			return
		}
	}
}

// receive serves one frame, and reports whether the connection goes on.
func (c *Conn) receive(f wire.Frame) bool {
	h := c.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	for (h.faults.StallReads || len(c.out) > maxOut) && !h.closed {
		h.changed.Wait()
	}
	if f.Type == wire.TypeOrderConfirm && drop(&h.faults.DropBeforeConfirm) {
		return false
	}
	c.device.received[f.Type]++
	defer h.notify()
	switch f.Type {
	case wire.TypePing:
		c.pinged(f.TID)
	case wire.TypeFetchOrders:
		c.wanted = true
		h.pump(c.device)
	case wire.TypeOrderConfirm, wire.TypeOrderReject:
		h.answered(c, f)
		if f.Type == wire.TypeOrderConfirm && drop(&h.faults.DropAfterConfirm) {
			return false
		}
	case wire.TypeLogs, wire.TypeDataStream, wire.TypeSyncBAOBRequest:
		c.uploaded(f)
	}
	if pause := h.faults.ReadPause; pause > 0 {
		h.mu.Unlock()
		h.sleep(pause)
		h.mu.Lock()
	}
	return !h.closed
}

// pinged answers a ping of the device, or takes its answer to one of the hub. It runs with mu held.
func (c *Conn) pinged(tid uint16) {
	if _, own := c.pings[tid]; own {
		c.pings[tid] = true
		return
	}
	if c.hub.faults.WithholdPongs {
		return
	}
	pong := wire.Frame{Type: wire.TypePing, TID: tid}
	delay := c.hub.faults.PongDelay
	if delay <= 0 {
		c.push(pong)
		return
	}
	c.hub.work.Go(func() {
		c.hub.sleep(delay)
		c.hub.mu.Lock()
		defer c.hub.mu.Unlock()
		c.push(pong)
	})
}

// uploaded keeps an upload and answers it. It runs with mu held.
func (c *Conn) uploaded(f wire.Frame) {
	d := c.device
	d.uploads = append(d.uploads[max(0, len(d.uploads)-maxUploads+1):], wire.Frame{
		Type: f.Type, TID: f.TID, Body: slices.Clone(f.Body),
	})
	switch f.Type {
	case wire.TypeDataStream:
		reply := c.hub.opts.DataStreamReply
		if reply == wire.TypeDataStreamConfirm || reply == wire.TypeDataStreamReject {
			c.push(wire.Frame{Type: reply, TID: f.TID})
		}
	case wire.TypeSyncBAOBRequest:
		c.push(wire.Frame{Type: wire.TypeSyncBAOBResponse, TID: f.TID, Body: c.hub.opts.BAOBReply})
	}
}

// redeliver is the goroutine that sends orders again that have no answer for too long.
func (c *Conn) redeliver() {
	h := c.hub
	for {
		h.sleep(h.opts.RedeliverAfter / 4)
		h.mu.Lock()
		if c.over || h.closed {
			h.mu.Unlock()
			return
		}
		for tid, o := range c.unanswered {
			if time.Since(o.at) >= h.opts.RedeliverAfter {
				h.deliver(c, tid, o)
			}
		}
		h.mu.Unlock()
	}
}
