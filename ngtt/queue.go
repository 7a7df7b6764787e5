package ngtt

import "sync"

// orderQueue holds the orders that wait for the handler, bounded in number and bytes.
type orderQueue struct {
	maxOrders int
	maxBytes  int64
	inflight  *inflight // counts what was taken, from before close can return

	mu      sync.Mutex // guards what follows
	orders  []delivery
	bytes   int64
	closed  bool
	changed chan struct{} // made by who waits, closed at the next change; else nil
}

// push adds an order, and waits for room until done is closed. It reports whether the order was taken.
func (q *orderQueue) push(done <-chan struct{}, d delivery) bool {
	for {
		q.mu.Lock()
		room := len(q.orders) == 0 || len(q.orders) < q.maxOrders && q.bytes+int64(len(d.body)) <= q.maxBytes
		if q.closed || room {
			taken := !q.closed
			if taken {
				q.orders = append(q.orders, d)
				q.bytes += int64(len(d.body))
				q.notify()
			}
			q.mu.Unlock()
			return taken
		}
		changed := q.watch()
		q.mu.Unlock()
		select {
		case <-changed:
		case <-done:
			return false
		}
	}
}

// take removes the oldest order, and waits for one until done is closed. The caller tells inflight when it has done with
// it.
func (q *orderQueue) take(done <-chan struct{}) (delivery, bool) {
	for {
		select {
		case <-done:
			return delivery{}, false
		default:
		}
		q.mu.Lock()
		if len(q.orders) > 0 {
			q.inflight.add()
			d := q.orders[0]
			q.orders = q.orders[:copy(q.orders, q.orders[1:])]
			q.bytes -= int64(len(d.body))
			q.notify()
			q.mu.Unlock()
			return d, true
		}
		changed := q.watch()
		q.mu.Unlock()
		select {
		case <-changed:
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
	q.notify()
}

func (q *orderQueue) size() (orders int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.orders), q.bytes
}

// watch and notify run with mu held.

func (q *orderQueue) watch() <-chan struct{} {
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return q.changed
}

func (q *orderQueue) notify() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}
