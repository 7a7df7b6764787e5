package main

import "sync"

// queue is a bounded queue between the producer of messages and the one goroutine that writes them. It is the same for
// all libraries.
type queue struct {
	mu     sync.Mutex
	filled sync.Cond
	room   sync.Cond
	items  [][]byte
	limit  int
	closed bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.filled.L, q.room.L = &q.mu, &q.mu
	return q
}

// put waits for room and adds p. It reports whether the queue is open.
func (q *queue) put(p []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == q.limit && !q.closed {
		q.room.Wait()
	}
	if q.closed {
		return false
	}
	q.items = append(q.items, p)
	if len(q.items) == 1 {
		q.filled.Signal()
	}
	return true
}

// take waits for messages and takes all that are there; spare becomes the queue's next buffer. Without an open queue
// and messages it returns nil.
func (q *queue) take(spare [][]byte) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		if q.closed {
			return nil
		}
		q.filled.Wait()
	}
	batch := q.items
	q.items = spare[:0]
	q.room.Broadcast()
	return batch
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
	q.room.Broadcast()
}
