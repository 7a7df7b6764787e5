package outbox

import (
	"context"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Put accepts a message, and returns why if it does not. The data is copied. With a receipt, it tells what becomes of
// the message; under DropNewest it may be final at the return, without an error.
//
// Calls that wait for room are served in the order in which they came.
func (b *Box) Put(ctx context.Context, typ wsconn.MessageType, data []byte, r *Receipt) error {
	if r != nil {
		r.box = b
	}
	if ctx.Err() != nil {
		return b.errContext(ctx)
	}
	if b.disk != nil {
		return b.store(ctx, typ, data, r)
	}
	b.mu.Lock()
	defer b.unlock()
	return b.put(ctx, typ, data, r)
}

// put is Put without the spool. mu is held, and given up while it waits.
func (b *Box) put(ctx context.Context, typ wsconn.MessageType, data []byte, r *Receipt) error {
	if err := b.refusal(); err != nil {
		return err
	}
	if b.cfg.MaxBytes > 0 && int64(len(data)) > b.cfg.MaxBytes {
		return b.errTooBig(len(data), b.cfg.MaxBytes)
	}
	if b.queued > 0 || !b.fits(len(data)) {
		switch ok, err := b.makeRoom(ctx, len(data)); {
		case err != nil:
			return err
		case !ok:
			return b.dropNew(typ, data, r)
		}
		if err := b.refusal(); err != nil {
			return err // since it waited
		}
	}
	b.stats.Accepted++
	e := entry{typ: typ, receipt: r}
	e.data, e.block = b.slab.copy(data)
	if b.cfg.TTL > 0 {
		e.expires = b.now() + int64(b.cfg.TTL)
		b.setAlarm(e.expires)
	}
	if b.disk != nil {
		b.disk.memory.tidy()
		b.disk.memory.pushBack(e)
	} else {
		b.last++
		b.enter(e, b.last)
	}
	b.stats.HighWater = max(b.stats.HighWater, b.depth())
	b.wake()
	return nil
}

// dropNew accepts a message only to drop it. mu is held.
func (b *Box) dropNew(typ wsconn.MessageType, data []byte, r *Receipt) error {
	err := b.errFull()
	b.stats.Accepted++
	b.stats.Dropped++
	b.lose(Message{Type: typ, Data: data}, Dropped, err)
	if r == nil {
		return err
	}
	r.resolve(Dropped, err)
	return nil
}

// enter puts an accepted message where Next finds it. mu is held.
func (b *Box) enter(e entry, number uint64) {
	e.number = number
	if e.receipt != nil {
		e.receipt.number = number
	}
	b.wait.tidy()
	b.wait.pushBack(e)
}

// refusal returns why nothing is accepted, nil if it is. mu is held.
func (b *Box) refusal() error {
	if b.failure != nil {
		return b.failure
	}
	if b.sealed {
		return b.errSealed()
	}
	return nil
}

// inbox returns the ring that takes what Put accepts.
func (b *Box) inbox() *ring {
	if b.disk != nil {
		return &b.disk.memory
	}
	return &b.wait
}

// fits reports whether there is room for a message. mu is held.
func (b *Box) fits(size int) bool {
	n, bytes := b.inbox().live, b.inbox().bytes
	if b.disk == nil {
		n += b.flight.live
		bytes += b.flight.bytes
	}
	return (b.cfg.MaxMessages <= 0 || n < b.cfg.MaxMessages) &&
		(b.cfg.MaxBytes <= 0 || bytes+int64(size) <= b.cfg.MaxBytes)
}

// makeRoom applies the policy, and reports whether there is room now. mu is held, and given up while it waits.
func (b *Box) makeRoom(ctx context.Context, size int) (bool, error) {
	switch b.cfg.Policy {
	case Block:
		err := b.waitRoom(ctx, size)
		return err == nil, err
	case DropNewest:
		return false, nil
	case DropOldest:
		q := b.inbox()
		for !b.fits(size) && q.live > 0 {
			b.dropOldest(q)
		}
		if b.fits(size) {
			return true, nil
		}
	case Fail:
	}
	b.stats.Turned++
	return false, b.errFull()
}

func (b *Box) dropOldest(q *ring) {
	q.tidy()
	b.fail(q, q.front(), &b.stats.Dropped, Dropped, b.errFull())
	q.tidy()
}

// waitRoom waits for its turn and then for room. mu is held, and given up meanwhile.
func (b *Box) waitRoom(ctx context.Context, size int) error {
	life := b.life
	b.queued++
	defer func() { b.queued-- }()
	if err := b.waitFor(ctx, life, nil); err != nil {
		return err
	}
	defer func() { <-b.door }()
	for !b.fits(size) {
		if b.room == nil {
			b.room = make(chan struct{})
		}
		if err := b.waitFor(ctx, life, b.room); err != nil {
			return err
		}
	}
	return nil
}

// waitFor waits for room or, if it is nil, for the door. mu is held, and given up meanwhile.
func (b *Box) waitFor(ctx, life context.Context, room <-chan struct{}) error {
	door := b.door
	if room != nil {
		door = nil
	}
	b.mu.Unlock()
	defer b.mu.Lock()
	select {
	case door <- struct{}{}:
	case <-room:
	case <-ctx.Done():
		return b.errContext(ctx)
	case <-life.Done():
		return context.Cause(life)
	}
	return nil
}
