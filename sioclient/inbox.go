package sioclient

import (
	"context"
	"errors"
	"sync"
)

// inbox keeps the events that have no handler until they are received. When it is full the oldest are dropped.
type inbox struct {
	messages, bytes int // limits

	mu      sync.Mutex // guards what follows
	events  []sizedEvent
	size    int
	dropped int
	err     error         // why nothing more comes; nil if something may
	changed chan struct{} // closed when any of this changes; nil if nobody waits
}

type sizedEvent struct {
	event *Event
	size  int
}

func newInbox(messages, bytes int) *inbox { return &inbox{messages: messages, bytes: bytes} }

func (b *inbox) put(e *Event) {
	if b.messages < 0 {
		return
	}
	size := len(e.Name) + len(e.Args.JSON())
	for _, a := range e.Args.Attachments() {
		size += len(a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.events) > 0 && (len(b.events) >= b.messages || b.size+size > b.bytes) {
		b.pop()
		b.dropped++
	}
	b.events = append(b.events, sizedEvent{e, size})
	b.size += size
	b.wake()
}

// end tells receivers that nothing more comes.
func (b *inbox) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	b.wake()
}

// reopen takes end back, unless it was for good.
func (b *inbox) reopen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !errors.Is(b.err, ErrClosed) {
		b.err = nil
	}
}

// get waits for an event. It returns how many are missing before the next one, if there are such; or the error of end,
// or that of the context.
func (b *inbox) get(ctx context.Context) (e *Event, dropped int, err error) {
	for {
		b.mu.Lock()
		if b.dropped > 0 {
			dropped, b.dropped = b.dropped, 0
			b.mu.Unlock()
			return nil, dropped, nil
		}
		if len(b.events) > 0 {
			e = b.pop()
			b.mu.Unlock()
			return e, 0, nil
		}
		if b.err != nil {
			err = b.err
			b.mu.Unlock()
			return nil, 0, err
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (b *inbox) pop() *Event {
	first := b.events[0]
	b.events[0] = sizedEvent{}
	b.events = b.events[1:]
	b.size -= first.size
	return first.event
}

func (b *inbox) wake() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
