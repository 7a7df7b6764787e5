package engineio

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// QueueLimits bound what waits to be sent on one connection, that which a write has under way included. A message that
// finds the queue empty is taken whatever its size.
type QueueLimits struct {
	// Messages is how many may wait. Zero means 16,384.
	Messages int

	// Bytes is how many bytes they may have. Zero means 4 MiB.
	Bytes int
}

func (l QueueLimits) withDefaults(op, field string) (QueueLimits, error) {
	if l.Messages < 0 || l.Bytes < 0 {
		return l, sioerr.Invalid(op, field, "negative")
	}
	if l.Messages == 0 {
		l.Messages = 16 << 10
	}
	if l.Bytes == 0 {
		l.Bytes = 4 << 20
	}
	return l, nil
}

// keptSlots is up to how long the arrays of a queue are kept once it is empty.
const keptSlots = 64

// queue is what waits to be sent on one connection, in the order in which it was accepted. Its owner guards it with a
// mutex. A writer takes what waits, writes it without the mutex, and says that it is done; then it looks again.
type queue struct {
	limits   *QueueLimits // shared by all connections of a server
	waiting  []Message
	spare    []Message // the array of the last batch
	messages int       // waiting and being written
	bytes    int
}

// push appends messages, all or none. The error is a *BufferFullError.
func (q *queue) push(op string, msgs ...Message) error {
	size := 0
	for i := range msgs {
		size += len(msgs[i].data)
	}
	if q.messages > 0 && (q.messages+len(msgs) > q.limits.Messages || q.bytes+size > q.limits.Bytes) {
		return &sioerr.BufferFullError{
			Info:     errkit.Info{Class: sioerr.ErrBufferFull, Op: op, Kind: errkit.NotSent},
			Messages: q.messages, Bytes: q.bytes,
		}
	}
	q.waiting = append(q.waiting, msgs...)
	q.messages += len(msgs)
	q.bytes += size
	return nil
}

// force appends a control packet also beyond the limits, up to twice as many messages. A peer that takes none of them
// needs no further one.
func (q *queue) force(m Message) {
	if q.messages >= 2*q.limits.Messages {
		return
	}
	q.waiting = append(q.waiting, m)
	q.messages++
	q.bytes += len(m.data)
}

// empty reports whether nothing waits. A batch may still be on its way.
func (q *queue) empty() bool { return len(q.waiting) == 0 }

// take hands the first n messages that wait to a writer, all if n is negative; then done must follow. There is one batch
// at a time.
func (q *queue) take(n int) []Message {
	if n < 0 || n >= len(q.waiting) {
		batch := q.waiting
		q.waiting, q.spare = q.spare, nil
		return batch
	}
	batch := append(q.spare, q.waiting[:n]...)
	q.spare = nil
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	return batch
}

// done ends a batch.
func (q *queue) done(batch []Message) {
	for i := range batch {
		q.bytes -= len(batch[i].data)
	}
	q.messages -= len(batch)
	if cap(batch) > keptSlots {
		return
	}
	clear(batch)
	if q.waiting == nil {
		q.waiting = batch[:0]
	} else {
		q.spare = batch[:0]
	}
}

// discard throws away what waits.
func (q *queue) discard() {
	for i := range q.waiting {
		q.bytes -= len(q.waiting[i].data)
	}
	q.messages -= len(q.waiting)
	q.waiting, q.spare = nil, nil
}
