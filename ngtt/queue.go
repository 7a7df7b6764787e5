package ngtt

import "sync"

// orderQueue holds the orders that wait for the handler, bounded in number and bytes, and sees to it that one is executed
// at a time. One goroutine pushes at a time and one takes.
type orderQueue struct {
	maxOrders int
	maxBytes  int64
	inflight  *inflight // counts what was taken, from before close can return

	mu      sync.Mutex // guards what follows
	orders  []delivery
	bytes   int64
	closed  bool
	busy    bool          // whether an order is being executed
	filled  chan struct{} // tells the one goroutine that takes; holds one piece of news
	emptied chan struct{} // tells the one goroutine that pushes; holds one piece of news
}

func newOrderQueue(maxOrders int, maxBytes int64, inflight *inflight) *orderQueue {
	return &orderQueue{
		maxOrders: maxOrders, maxBytes: maxBytes, inflight: inflight,
		filled: make(chan struct{}, 1), emptied: make(chan struct{}, 1),
	}
}

// begin reports whether an order that has just come may be executed at once: none waits and none is being executed. The
// caller calls end when it has done with it.
func (q *orderQueue) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.busy || len(q.orders) > 0 {
		return false
	}
	q.busy = true
	q.inflight.add()
	return true
}

// end lets the next order be executed.
func (q *orderQueue) end() {
	q.mu.Lock()
	q.busy = false
	if len(q.orders) > 0 {
		tell(q.filled)
	}
	q.mu.Unlock()
	q.inflight.done()
}

// push adds an order, and waits for room until done is closed. It reports whether it had to wait.
func (q *orderQueue) push(done <-chan struct{}, d delivery) (waited bool) {
	for ; ; waited = true {
		q.mu.Lock()
		room := len(q.orders) == 0 || len(q.orders) < q.maxOrders && q.bytes+int64(len(d.body)) <= q.maxBytes
		if q.closed || room {
			if !q.closed {
				q.orders = append(q.orders, d)
				q.bytes += int64(len(d.body))
				tell(q.filled)
			}
			q.mu.Unlock()
			return waited
		}
		q.mu.Unlock()
		select {
		case <-q.emptied:
		case <-done:
			return true
		}
	}
}

// take removes the oldest order, and waits for one until done is closed. The caller calls end when it has done with it.
func (q *orderQueue) take(done <-chan struct{}) (delivery, bool) {
	for {
		select {
		case <-done:
			return delivery{}, false
		default:
		}
		q.mu.Lock()
		if len(q.orders) > 0 && !q.busy {
			q.busy = true
			q.inflight.add()
			d := q.orders[0]
			q.orders[0] = delivery{}
			q.orders = q.orders[1:]
			q.bytes -= int64(len(d.body))
			tell(q.emptied)
			q.mu.Unlock()
			return d, true
		}
		q.mu.Unlock()
		select {
		case <-q.filled:
		case <-done:
			return delivery{}, false
		}
	}
}

// close empties the queue and takes no more orders: the hub keeps them.
func (q *orderQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.orders, q.bytes, q.closed = nil, 0, true
	tell(q.emptied)
}

func (q *orderQueue) size() (orders int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.orders), q.bytes
}

// tell leaves news for the goroutine that waits for c, now or later.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
