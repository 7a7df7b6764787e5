package ngtttest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Poison is the body of an order that no device can decode: MiniJSON has no such tag.
var Poison = []byte{0x1c}

// Counts say how far the orders of one device came, and what else it has sent.
type Counts struct {
	Connections int // with a finished handshake, ever
	Waiting     int // orders that are not on their way
	Unanswered  int // orders that are on their way
	Delivered   int // ORDER frames sent, repetitions included
	Repeated    int // ORDER frames sent for an order that was sent before
	Confirmed   int // orders confirmed
	Rejected    int // orders refused
	Stray       int // answers without an order to them
	Taken       int // orders removed by [Hub.Take]
}

// device is what the hub knows of one device. The hub's mutex guards it.
type device struct {
	id       string
	queue    []*order
	counts   Counts
	received map[wire.Type]int
	uploads  []wire.Frame // LOGS, DATA_STREAM and SYNC_BAOB_REQUEST, the last of them
}

// maxUploads bounds how many uploads are kept.
const maxUploads = 1000

// order is one order of a device.
type order struct {
	id    uint64
	body  []byte
	sent  int       // how often it went out
	at    time.Time // when it went out last
	place uint64    // in the order of going out
}

// Enqueue adds orders with these bodies to the queue of a device, and returns the id of the first; the others follow
// it. Those that fit the prefetch window go out together, in one write. Bodies are not looked at; they need not be
// MiniJSON.
func (h *Hub) Enqueue(device string, bodies ...[]byte) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.device(device)
	first := h.lastID + 1
	for _, body := range bodies {
		h.lastID++
		d.queue = append(d.queue, &order{id: h.lastID, body: bytes.Clone(body)})
	}
	h.pump(d)
	h.notify()
	return first
}

// Take removes the orders of a device that are not on their way and returns their bodies, oldest first: for a hub that
// hands them out by other means too.
func (h *Hub) Take(device string) [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.device(device)
	var bodies [][]byte
	for _, o := range d.queue {
		bodies = append(bodies, o.body)
	}
	d.queue = nil
	d.counts.Taken += len(bodies)
	h.notify()
	return bodies
}

// Counts returns how far the orders of a device came.
func (h *Hub) Counts(device string) Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts(device)
}

func (h *Hub) counts(device string) Counts {
	d := h.device(device)
	c := d.counts
	c.Waiting = len(d.queue)
	for _, conn := range h.conns {
		if conn.device == d {
			c.Unanswered += len(conn.unanswered)
		}
	}
	return c
}

// Wait returns nil as soon as done returns true for the counts of a device, or the error of ctx. done must not call the
// hub.
func (h *Hub) Wait(ctx context.Context, device string, done func(Counts) bool) error {
	return h.wait(ctx, func() bool { return done(h.counts(device)) })
}

// Received returns how many frames of a type a device has sent.
func (h *Hub) Received(device string, typ wire.Type) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.device(device).received[typ]
}

// WaitReceived returns nil as soon as a device has sent n frames of a type, or the error of ctx.
func (h *Hub) WaitReceived(ctx context.Context, device string, typ wire.Type, n int) error {
	return h.wait(ctx, func() bool { return h.device(device).received[typ] >= n })
}

// Uploads returns the last thousand LOGS, DATA_STREAM and SYNC_BAOB_REQUEST frames of a device.
func (h *Hub) Uploads(device string) []wire.Frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.device(device).uploads)
}

// pump sends what the prefetch window has room for, on the newest connection that wants orders. It runs with mu held.
func (h *Hub) pump(d *device) {
	var c *Conn
	for _, open := range h.conns {
		if open.device == d && open.wanted && !open.over {
			c = open
		}
	}
	if c == nil {
		return
	}
	for len(d.queue) > 0 && len(c.unanswered) < h.opts.Prefetch {
		o := d.queue[0]
		d.queue = d.queue[1:]
		for c.lastTID++; c.lastTID == 0 || c.unanswered[c.lastTID] != nil; c.lastTID++ { // 0 is not used
		}
		c.unanswered[c.lastTID] = o
		h.deliver(c, c.lastTID, o)
	}
}

// deliver sends an order. It runs with mu held.
func (h *Hub) deliver(c *Conn, tid uint16, o *order) {
	c.lastPlace++
	o.sent++
	o.at, o.place = time.Now(), c.lastPlace
	c.device.counts.Delivered++
	if o.sent > 1 {
		c.device.counts.Repeated++
	}
	c.push(wire.Frame{Type: wire.TypeOrder, TID: tid, Body: o.body})
}

// takeBack puts the unanswered orders of a connection back to the front of the queue.
func (d *device) takeBack(c *Conn) {
	var back []*order
	for _, o := range c.unanswered {
		back = append(back, o)
	}
	slices.SortFunc(back, func(a, b *order) int { return cmp.Compare(a.place, b.place) })
	d.queue = append(back, d.queue...)
	clear(c.unanswered)
}

// answered takes the answer to an order. It runs with mu held.
func (h *Hub) answered(c *Conn, f wire.Frame) {
	d := c.device
	o := c.unanswered[f.TID]
	if o == nil {
		d.counts.Stray++
		return
	}
	delete(c.unanswered, f.TID)
	if f.Type == wire.TypeOrderConfirm {
		if h.opts.OnConfirm != nil {
			h.opts.OnConfirm(d.id, o.id)
		}
		d.counts.Confirmed++
	} else {
		d.counts.Rejected++
		if h.opts.RequeueRejected {
			d.queue = append(d.queue, o)
		}
	}
	h.pump(d)
}
