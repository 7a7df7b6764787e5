package inbox

import "context"

// An emptied slice is used again, unless it has become too large for what comes: at once if it is longer than keepSlots,
// and otherwise after keepSwaps batches that needed less than a quarter of it.
const (
	keepSlots = 1024
	keepSwaps = 64
)

// Get returns the next item, and waits for it if there is none. If gap.Dropped is not zero, items are missing at this
// place and item is not valid; the next call goes on. After [Queue.End] it returns what is left, and then that error,
// each time. When ctx is done it returns ctx.Err(), and whatever is in the queue stays there.
func (q *Queue[T]) Get(ctx context.Context) (item T, gap Gap, err error) {
	return q.GetOr(ctx, nil)
}

// GetOr is Get that stops waiting, with [ErrNothing], when stop is closed. What is there comes first.
func (q *Queue[T]) GetOr(ctx context.Context, stop <-chan struct{}) (item T, gap Gap, err error) {
	if err := ctx.Err(); err != nil {
		return item, gap, err
	}
	gap, ended, err := q.take(&item, 0)
	if ended != nil {
		gap, err = q.wait(ctx, stop, &item)
	}
	return item, gap, err
}

// wait is Get when there was nothing. It announces itself first and looks then, while the producer stores first and
// looks for consumers that wait then: one of the two sees the other.
func (q *Queue[T]) wait(ctx context.Context, stop <-chan struct{}, item *T) (Gap, error) {
	q.waiting.Add(1)
	defer q.waiting.Add(-1)
	for stopped := false; ; {
		gap, ended, err := q.take(item, 1)
		if ended == nil {
			return gap, err
		}
		if stopped {
			return Gap{}, ErrNothing
		}
		select {
		case <-q.wake:
		case <-ended:
		case <-stop:
			stopped = true
		case <-ctx.Done():
			return Gap{}, ctx.Err()
		}
	}
}

// take fetches the next item or gap, or the error of the end if nothing is left. If there is nothing yet, it returns
// the channel that tells of the end. self is 1 if the caller is among those that wait.
func (q *Queue[T]) take(item *T, self int32) (gap Gap, ended <-chan struct{}, err error) {
	c := &q.out
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == len(c.items) {
		gap.Dropped = q.refill()
	}
	switch {
	case gap.Dropped > 0:
	case c.next < len(c.items):
		if lost := &c.items[c.next].lost; *lost > 0 && !q.cfg.NoGaps {
			gap.Dropped, *lost = *lost, 0
			break
		}
		q.pop(item)
		if c.room != nil {
			close(c.room)
			c.room = nil
		}
	case c.err != nil:
		return gap, nil, c.err
	default:
		return gap, c.ended, nil
	}
	if q.waiting.Load() > self && q.more() {
		signal(q.wake) // the producer wakes one consumer per batch, and each wakes the next
	}
	return gap, nil, nil
}

// pop moves the first item of this side to item. It runs with the lock held.
func (q *Queue[T]) pop(item *T) {
	c := &q.out
	s := &c.items[c.next]
	*item = s.item
	c.bytes.Store(c.bytes.Load() + s.size)
	c.count.Store(c.count.Load() + 1)
	*s = slot[T]{} // the item belongs to the consumer now
	c.next++
}

// refill takes over what the producer has gathered. If that is nothing but losses, it returns how many. It runs with
// the lock held and this side empty.
func (q *Queue[T]) refill() (lost uint64) {
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	if len(q.in.items) > 0 {
		q.swap()
		return 0
	}
	if q.cfg.NoGaps {
		return 0
	}
	lost, q.in.lost = q.in.lost, 0
	return lost
}

// swap gives the producer's slice to the consumers, and theirs, which is empty, to the producer. It runs with both locks
// held.
func (q *Queue[T]) swap() {
	c, empty := &q.out, q.out.items[:0]
	c.items, c.next = q.in.items, 0
	c.sparse++
	if 4*len(c.items) >= cap(empty) {
		c.sparse = 0
	} else if cap(empty) > keepSlots || c.sparse > keepSwaps {
		c.sparse, empty = 0, nil
	}
	q.in.items = empty
}

// more reports whether something is left for another consumer. It runs with the lock held.
func (q *Queue[T]) more() bool {
	if q.out.next < len(q.out.items) {
		return true
	}
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	return len(q.in.items) > 0 || q.in.lost > 0 && !q.cfg.NoGaps
}
