package outbox

import (
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// A batch ends when it has so many bytes or messages. One longer message is a batch of its own.
const (
	batchBytes    = 64 << 10
	batchMessages = 1024
)

// batch is what was handed out and is being written.
type batch struct {
	items []item
	msgs  []wsconn.Message
	buf   []byte // what Wrap made
	bytes int64
}

type item struct {
	Message
	pos   uint64 // in flight
	block *block // of the data
	again bool   // it was written whole before
}

// Next returns the messages that are to be written next, and waits until there are some. It returns none when stop is
// closed, and an error when the connection is to be given up, since the peer does not acknowledge what it got.
//
// What it returns is valid until [Box.Sent], which must be called before the next Next, if messages came.
func (b *Box) Next(stop <-chan struct{}) ([]wsconn.Message, error) {
	for {
		select {
		case <-stop:
			return nil, nil
		default:
		}
		b.tend()
		b.mu.Lock()
		if err := b.ackLate; err != nil {
			b.ackLate = nil
			b.unlock()
			return nil, err
		}
		if b.up {
			b.gather()
		}
		if len(b.out.items) == 0 && !b.mayLoad() {
			b.rest(stop)
			continue
		}
		b.unlock()
		if b.compose(); len(b.out.msgs) > 0 {
			return b.out.msgs, nil
		}
	}
}

// rest waits until there may be something to do. mu is held, and released.
func (b *Box) rest(stop <-chan struct{}) {
	b.settle() // some may have expired, or were given up
	b.idle = true
	b.wait.shrink()
	b.flight.shrink()
	b.slab.shrink()
	b.unlock()
	select {
	case <-b.work:
	case <-stop:
	}
}

// gather fills the batch. mu is held.
func (b *Box) gather() {
	b.flight.tidy()
	b.again()
	now := int64(0)
	for {
		b.wait.tidy()
		if b.wait.len() == 0 && (b.disk == nil || !b.disk.refill(b)) {
			return
		}
		e := b.wait.front()
		if e.gone {
			continue // refill brought it
		}
		if e.expires > 0 {
			if now == 0 {
				now = b.now()
			}
			if now >= e.expires {
				b.fail(&b.wait, e, &b.stats.Expired, Expired, b.errExpired())
				continue
			}
		}
		if !b.out.hasRoom(len(e.data)) || !b.allowed(e) {
			return
		}
		moved := b.wait.popFront()
		b.flight.pushBack(moved)
		b.hand(b.flight.tail - 1)
	}
}

// again puts into the batch what is to be sent again on this connection. mu is held.
func (b *Box) again() {
	for pos := b.flight.head; b.due > 0 && pos != b.flight.tail; pos++ {
		e := b.flight.at(pos)
		if !e.due {
			continue
		}
		if !b.out.hasRoom(len(e.data)) {
			return
		}
		e.due, e.handed = false, false
		b.due--
		b.hand(pos)
	}
}

// hand puts an entry of flight into the batch. mu is held.
func (b *Box) hand(pos uint64) {
	e := b.flight.at(pos)
	if e.block != nil {
		e.block.users++
	}
	b.out.items = append(b.out.items, item{
		Message: Message{Type: e.typ, Data: e.data, Number: e.number}, pos: pos, block: e.block, again: e.whole,
	})
	b.out.bytes += int64(len(e.data))
}

// emptyBatch takes out what was handed out. mu is held.
func (b *Box) emptyBatch() {
	for i := range b.out.items {
		b.slab.release(b.out.items[i].block)
	}
	clear(b.out.items)
	b.out.items, b.out.bytes = b.out.items[:0], 0
}

func (o *batch) hasRoom(size int) bool {
	return len(o.items) == 0 || (len(o.items) < batchMessages && o.bytes+int64(size) <= batchBytes)
}

// allowed reports whether an entry may be handed out now: the window has room, and no suspect is concerned. mu is held.
func (b *Box) allowed(e *entry) bool {
	ack := b.cfg.Ack
	if ack == nil {
		return true
	}
	if b.flight.live > 0 {
		if b.flight.live >= ack.Window || (b.cfg.MaxBytes > 0 && b.flight.bytes+int64(len(e.data)) > b.cfg.MaxBytes) {
			return false
		}
	}
	return b.struck == 0 || !b.doubtful(e.strikes > 0)
}

// compose makes what goes on the wire, without holding mu.
func (b *Box) compose() {
	if b.cfg.Ack != nil && b.cfg.Ack.ID != nil {
		b.identify()
	}
	o := &b.out
	o.msgs = o.msgs[:0]
	if b.cfg.Wrap == nil {
		for i := range o.items {
			o.msgs = append(o.msgs, wsconn.Message{Type: o.items[i].Type, Data: o.items[i].Data})
		}
	} else {
		b.wrap()
	}
}

// wrap makes the messages with Wrap, and gives up those with which it fails.
func (b *Box) wrap() {
	o := &b.out
	if o.buf = o.buf[:0]; o.buf == nil {
		o.buf = make([]byte, 0, leastBlock)
	}
	kept := o.items[:0]
	for _, it := range o.items {
		data, err := b.wrapOne(it.Message)
		if err != nil {
			b.giveUp(it, err)
			continue
		}
		kept = append(kept, it)
		o.msgs = append(o.msgs, wsconn.Message{Type: it.Type, Data: data})
	}
	clear(o.items[len(kept):])
	o.items = kept
}

// wrapOne returns what Wrap makes of m. Wrap gets the free end of the buffer. What has no room there is in memory of its
// own, and those behind it get a larger buffer, within limits; the messages before stay in the old one.
func (b *Box) wrapOne(m Message) (data []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errUnsendable("panicked")
		}
	}()
	o := &b.out
	free := o.buf[len(o.buf):]
	data = b.cfg.Wrap(free, m)
	switch {
	case data == nil:
		return nil, errUnsendable("returned nothing")
	case m.Type == wsconn.Text && !b.cfg.SkipUTF8 && !utf8.Valid(data):
		return nil, errUnsendable("made text that is not UTF-8")
	case len(data) > cap(free):
		if cap(o.buf) < 2*batchBytes {
			o.buf = make([]byte, 0, min(2*(cap(o.buf)+len(data)), 2*batchBytes))
		}
	case len(data) > 0 && &data[0] == &free[:1][0]:
		o.buf = o.buf[:len(o.buf)+len(data)]
	}
	return data[:len(data):len(data)], nil
}

// giveUp quarantines a message that cannot be sent.
func (b *Box) giveUp(it item, err error) {
	b.mu.Lock()
	defer b.unlock()
	b.slab.release(it.block)
	if e := b.inFlight(it.pos); e != nil {
		b.quarantine(&b.flight, e, err)
	}
}

// inFlight returns the entry at a position of flight, nil if its fate is known meanwhile. mu is held.
func (b *Box) inFlight(pos uint64) *entry {
	if pos < b.flight.head || b.flight.at(pos).gone {
		return nil
	}
	return b.flight.at(pos)
}

// identify asks for the ids of what is about to be written, and gives up the messages with which that fails.
func (b *Box) identify() {
	o := &b.out
	ids := make([]string, 0, len(o.items))
	kept := o.items[:0]
	for _, it := range o.items {
		id, err := b.idOf(it.Message)
		if err != nil {
			b.giveUp(it, err)
			continue
		}
		kept, ids = append(kept, it), append(ids, id)
	}
	clear(o.items[len(kept):])
	o.items = kept
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.out.items {
		if e := b.inFlight(b.out.items[i].pos); e != nil {
			e.id = ids[i]
		}
	}
}

func (b *Box) idOf(m Message) (id string, err error) {
	defer func() {
		if recover() != nil {
			err = wserr.Config(opSend, "Send.Ack.ID", "panicked")
		}
	}()
	return b.cfg.Ack.ID(m), nil
}

// Sent says that the first n messages that Next returned were written whole, and the others not. If that is not all of
// them, the connection has ended and [Box.Down] follows.
func (b *Box) Sent(n int) {
	b.mu.Lock()
	now, suspects := int64(0), false
	if b.cfg.Ack != nil {
		now = b.now()
	}
	for i := range b.out.items {
		if i < n && b.out.items[i].again {
			b.stats.Resent++
		}
		e := b.inFlight(b.out.items[i].pos)
		if e == nil {
			continue // acknowledged before we got here
		}
		suspects = suspects || e.strikes > 0
		e.handed = i <= n
		if i < n {
			b.wrote(e, now)
		}
	}
	b.written += uint64(n)
	b.emptyBatch()
	if b.cfg.Ack == nil {
		b.flight.tidy()
	}
	b.settle()
	b.unlock()
	if suspects && b.cfg.Ack != nil && b.cfg.Doubt != nil {
		b.cfg.Doubt()
	}
}

// wrote notes that a message was written whole. mu is held.
func (b *Box) wrote(e *entry, now int64) {
	if b.cfg.Ack == nil {
		b.finish(&b.flight, e, &b.stats.Delivered, Written, nil)
		return
	}
	e.whole, e.sentAt = true, now
	if e.receipt != nil {
		e.receipt.state = Written
	}
	if t := b.cfg.Ack.Timeout; t > 0 {
		b.setAlarm(now + int64(t))
	}
}
