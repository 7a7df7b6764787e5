package pikvm

import (
	"context"
	"errors"
	"sync"
)

// maxMailboxBytes bounds what a mailbox keeps for a slow reader, whatever the number of items.
const maxMailboxBytes = 4 << 20

// errMailboxEnded says that nothing more will come.
var errMailboxEnded = errors.New("mailbox ended")

// mailbox hands items from the goroutine of a session to one reader. Putting never blocks: when it is full, the
// oldest items are given up and counted.
type mailbox[T any] struct {
	maxItems int
	ready    chan struct{} // holds a token while there may be something to take

	mu    sync.Mutex
	items []parcel[T] // oldest first
	bytes int
	lost  uint64 // items given up since the last take; they were older than items[0]
	ended bool
}

type parcel[T any] struct {
	item T
	size int
}

func newMailbox[T any](maxItems int) *mailbox[T] {
	return &mailbox[T]{maxItems: maxItems, ready: make(chan struct{}, 1)}
}

// put appends an item of about the given size and returns how many old ones it pushed out. The newest item is
// kept whatever its size.
func (m *mailbox[T]) put(item T, size int) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return 0
	}
	m.items = append(m.items, parcel[T]{item, size})
	m.bytes += size
	var dropped uint64
	for len(m.items) > m.maxItems || m.bytes > maxMailboxBytes && len(m.items) > 1 {
		m.pop()
		dropped++
	}
	m.lost += dropped
	m.signal()
	return dropped
}

// end makes take return errMailboxEnded once the items are used up.
func (m *mailbox[T]) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.signal()
}

// take waits for the oldest item and returns it, or how many were lost if that comes first. It returns
// errMailboxEnded, or the error of ctx, when there is none.
func (m *mailbox[T]) take(ctx context.Context) (item T, lost uint64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return item, 0, err
		}
		item, lost, ok, err := m.poll()
		if ok {
			return item, lost, err
		}
		select {
		case <-m.ready:
		case <-ctx.Done():
		}
	}
}

func (m *mailbox[T]) poll() (item T, lost uint64, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.lost > 0:
		lost, m.lost = m.lost, 0
	case len(m.items) > 0:
		item = m.pop()
	case m.ended:
		err = errMailboxEnded
	default:
		return item, 0, false, nil
	}
	m.signal() // there may be more, also for a second reader
	return item, lost, true, err
}

// pop removes the oldest item. The caller holds mu.
func (m *mailbox[T]) pop() T {
	p := m.items[0]
	m.items[0] = parcel[T]{} // do not keep it alive through the array
	m.items = m.items[1:]
	m.bytes -= p.size
	return p.item
}

// signal wakes a reader. The caller holds mu.
func (m *mailbox[T]) signal() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}
