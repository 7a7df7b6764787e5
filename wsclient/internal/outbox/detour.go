package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// numbersFrom is above the numbers of records, and low enough for the sums below to be exact as a JSON number in
// JavaScript (2^53).
const numbersFrom = 1 << 52

// detour is the way of messages around a failing disk, with a bound and a policy of its own. They come behind all that
// is in the spool, and everything that is accepted meanwhile comes behind them. When the disk works again, those that
// were not handed out yet move to the spool.
type detour struct {
	memory  ring
	between int    // 1 while a message is on its way from memory to the spool
	moving  bool   // somebody moves messages
	retryAt int64  // when the disk is tried again, in the box's clock; 0 if it works
	number  uint64 // given last to a message of memory
}

// takesDetour reports whether messages go to memory. mu is held.
func (d *disk) takesDetour() bool { return d.retryAt != 0 || d.moving || d.memory.live > 0 }

// notStored deals with a message that the spool did not take. mu is held, and given up while it waits.
func (b *Box) notStored(ctx context.Context, err error, typ wsconn.MessageType, data []byte, r *Receipt) error {
	if _, failed := errors.AsType[*wserr.SpoolError](err); !failed {
		return err
	}
	b.stats.DiskFails++
	if !b.cfg.Fallback {
		return err
	}
	b.disk.retryAt = b.now() + int64(retryDisk)
	return b.put(ctx, typ, data, r)
}

// moveBack moves messages from memory to the spool, if the disk may work again. mu is held, and given up meanwhile.
func (b *Box) moveBack(ctx context.Context) {
	d := b.disk
	if d.moving || b.now() < d.retryAt {
		return
	}
	d.moving = true
	defer func() { d.moving = false }()
	for d.memory.trim(); d.memory.live > 0; d.memory.trim() {
		e := d.memory.popFront()
		d.between = 1
		seq, err := b.append(ctx, spool.Entry{Payload: e.data, Tag: uint8(e.typ), Time: b.cameAt(&e)})
		d.between = 0
		if err != nil {
			d.memory.pushFront(e)
			if b.closed {
				e.receipt.resolve(Queued, b.failure)
			}
			d.retryAt = max(1, b.now()+int64(retryDisk))
			b.stats.DiskFails++
			return
		}
		b.register(seq, e) // copies what it keeps
		b.slab.release(e.block)
		b.settle()
	}
	d.retryAt = 0
}

// cameAt returns when a message was accepted, as far as its expiry tells. mu is held.
func (b *Box) cameAt(e *entry) time.Time {
	if e.expires == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(e.expires-b.now()) - b.cfg.TTL)
}

// refill hands messages from memory to the waiting ones, when the spool has none left. It reports whether it did. mu is
// held.
func (d *disk) refill(b *Box) bool {
	if d.unread > 0 || d.moving {
		return false
	}
	d.memory.trim()
	if d.memory.live == 0 {
		return false
	}
	e := d.memory.popFront()
	d.number = max(d.number+1, numbersFrom+uint64(time.Now().UnixMicro()))
	b.enter(e, d.number)
	return true
}

// closeDetour makes a last attempt to bring the messages in memory to the disk. mu is held, and given up meanwhile.
func (b *Box) closeDetour() {
	if b.disk.memory.live > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), retryDisk) // a full spool may let it wait
		defer cancel()
		b.disk.retryAt = 0
		b.moveBack(ctx)
	}
}
