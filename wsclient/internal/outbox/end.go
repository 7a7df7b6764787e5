package outbox

import "context"

// Seal lets Put accept nothing more; calls that wait for room end. What is in the box still goes out.
func (b *Box) Seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		return
	}
	b.sealed = true
	b.endLife(b.errSealed())
	b.settle()
}

// Empty returns a channel that is closed when the box is sealed and nothing is left in it.
func (b *Box) Empty() <-chan struct{} { return b.empty }

// Fail lets Put return err instead of accepting, calls that wait for room included. Nil lets it accept again. What is in
// the box stays.
func (b *Box) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.failure = err
	if err != nil {
		b.endLife(err)
		return
	}
	if b.life.Err() != nil && !b.sealed {
		b.life, b.endLife = context.WithCancelCause(context.Background())
	}
}

// Close ends the box after the last Down. Put returns err, which is not nil, from now on. The receipts of what is left
// get it too: with the state Unknown if the peer may have the message, and Queued otherwise, since Drain, or the spool
// in the next process, can still send it.
func (b *Box) Close(err error) {
	b.mu.Lock()
	defer b.unlock()
	if b.closed {
		return
	}
	b.closed, b.failure = true, err
	if b.disk != nil {
		b.remove()
		b.closeDetour()
	}
	b.endLife(err)
	if b.alarm != nil {
		b.alarm.Stop()
	}
	end := func(e *entry) {
		state := Queued
		if e.whole {
			state = Unknown
		}
		e.receipt.resolve(state, err)
	}
	b.wait.each(end)
	b.flight.each(end)
	if b.disk != nil {
		b.disk.memory.each(end)
		for _, r := range b.disk.receipts {
			r.resolve(Queued, err)
		}
	}
	b.idle = false
	select {
	case b.work <- struct{}{}:
	default:
	}
}

// Pending returns what has no fate yet and is in memory, oldest first; what is in the spool only is not among it. The
// data is the caller's own.
func (b *Box) Pending() []Pending {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Pending
	list := func(e *entry) {
		p := Pending{Message: Message{Type: e.typ, Data: append([]byte(nil), e.data...), Number: e.number}}
		if e.whole {
			p.State = Written
		}
		all = append(all, p)
	}
	b.flight.each(list)
	b.wait.each(list)
	if b.disk != nil {
		b.disk.memory.each(list)
	}
	return all
}

// Pending is a message that has no fate yet.
type Pending struct {
	Message
	State State // Queued, or Written if the peer may have it
}

// Drain takes back what waits, oldest first, except what is in the spool, where it stays. What is being written, or
// was written on this connection and may be acknowledged yet, stays too.
func (b *Box) Drain() []Message {
	b.mu.Lock()
	defer b.unlock()
	var all []Message
	for _, q := range []*ring{&b.wait, b.inbox()} {
		q.each(func(e *entry) {
			if e.stored {
				return
			}
			all = append(all, Message{Type: e.typ, Data: append([]byte(nil), e.data...), Number: e.number})
			state := Dropped
			if e.whole {
				state = Unknown
			}
			b.finish(q, e, &b.stats.Drained, state, b.errCanceled())
		})
		q.tidy()
	}
	b.settle()
	return all
}

// Left returns how many messages would be lost if the box were closed now: those that were not written, and those that
// were and are not acknowledged. What is in the spool is not among them.
func (b *Box) Left() (unsent, unacked int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	count := func(e *entry) {
		switch {
		case e.stored:
		case e.whole:
			unacked++
		default:
			unsent++
		}
	}
	b.flight.each(count)
	b.wait.each(count)
	if b.disk != nil {
		unsent += b.disk.memory.live + b.disk.between
	}
	return unsent, unacked
}
