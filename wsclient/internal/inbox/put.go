package inbox

// Put adds an item, or applies the policy if there is no room. It returns how many items were lost by that. Under
// [Block] and [Fail] it may report that the queue is full: the item was not taken. Under Block it is not lost either: the
// caller waits for room and tries again, or ends the waiting with [Queue.PutLast].
func (q *Queue[T]) Put(item T) (dropped int, full bool) {
	n := int64(q.size(item))
	q.in.mu.Lock()
	if !q.fits(n) {
		q.in.mu.Unlock()
		return q.putFull(item, n)
	}
	first := q.append(item, n)
	q.in.mu.Unlock()
	if first && q.waiting.Load() > 0 {
		signal(q.wake)
	}
	return 0, false
}

// PutLast adds an item although there is no room, so that a producer that gives up waiting loses nothing. Only one item
// at a time may be in the queue in this way; another is lost. It returns how many items were lost.
func (q *Queue[T]) PutLast(item T) (dropped int) {
	q.in.mu.Lock()
	q.look()
	if q.in.count-q.in.seenCount > int64(q.cfg.MaxMessages) {
		q.lose()
		dropped = 1
	} else {
		q.append(item, int64(q.size(item)))
	}
	q.in.mu.Unlock()
	if q.waiting.Load() > 0 {
		signal(q.wake)
	}
	return dropped
}

// WaitRoom waits, after Put under [Block] found the queue full, until a consumer took something. It returns false if
// before that stop was closed or the queue ended.
func (q *Queue[T]) WaitRoom(stop <-chan struct{}) bool {
	q.out.mu.Lock()
	room, ended := q.out.room, q.out.ended
	q.out.mu.Unlock()
	if room == nil {
		return true
	}
	select {
	case <-room:
		return true
	case <-stop:
	case <-ended:
	}
	return false
}

// fits reports whether there is room for n bytes more. It looks at what the consumers took only when it must: when
// there might be no room, or a new high water. It runs with the lock held.
func (q *Queue[T]) fits(n int64) bool {
	p := &q.in
	limit := int64(q.cfg.MaxMessages)
	if p.count-p.seenCount >= min(p.highWater, limit) || p.bytes-p.seenBytes > q.cfg.MaxBytes-n {
		q.look()
	}
	depth := p.count - p.seenCount
	return depth == 0 || depth < limit && p.bytes-p.seenBytes <= q.cfg.MaxBytes-n
}

// look notes what the consumers have taken. It runs with the lock held.
func (q *Queue[T]) look() {
	q.in.seenCount, q.in.seenBytes = q.out.count.Load(), q.out.bytes.Load()
}

// append stores an item and reports whether it is the first on the producer's side.
func (q *Queue[T]) append(item T, n int64) (first bool) {
	p := &q.in
	if len(p.items) == cap(p.items) {
		p.grow()
	}
	p.items = append(p.items, slot[T]{item: item, size: n, lost: p.lost})
	p.lost = 0
	p.count++
	p.bytes += n
	p.highWater = max(p.highWater, p.count-p.seenCount)
	return len(p.items) == 1
}

// grow doubles the room for items. The steps of append are such that a slice for a few hundred items easily becomes one
// that is not kept.
func (p *producers[T]) grow() {
	items := make([]slot[T], len(p.items), max(8, 2*len(p.items)))
	copy(items, p.items)
	p.items = items
}

// putFull is Put when there seems to be no room.
func (q *Queue[T]) putFull(item T, n int64) (dropped int, full bool) {
	q.out.mu.Lock()
	defer q.out.mu.Unlock()
	q.in.mu.Lock()
	defer q.in.mu.Unlock()
	if q.cfg.Policy == DropOldest {
		for !q.fits(n) {
			q.dropOldest()
			dropped++
		}
	}
	if q.fits(n) {
		q.append(item, n)
		if q.waiting.Load() > 0 {
			signal(q.wake)
		}
		return dropped, false
	}
	if q.cfg.Policy == Block {
		if q.out.room == nil {
			q.out.room = make(chan struct{})
		}
		return 0, true
	}
	q.lose()
	return 1, q.cfg.Policy == Fail
}

// lose counts an item that is lost at the end of the queue. It runs with the producer's lock held.
func (q *Queue[T]) lose() {
	q.in.dropped++
	if q.in.lost == 0 {
		q.in.gaps++
	}
	q.in.lost++
}

// dropOldest removes the first item. The gap that it leaves is in front of the next one. It runs with both locks held
// and the queue not empty.
func (q *Queue[T]) dropOldest() {
	if q.out.next == len(q.out.items) {
		q.swap()
	}
	lost := q.out.items[q.out.next].lost
	if lost == 0 {
		q.in.gaps++
	}
	q.in.dropped++
	var item T
	q.pop(&item)
	*q.firstLost() += lost + 1
}

// firstLost returns the count of losses in front of the first item. It runs with both locks held.
func (q *Queue[T]) firstLost() *uint64 {
	switch {
	case q.out.next < len(q.out.items):
		return &q.out.items[q.out.next].lost
	case len(q.in.items) > 0:
		return &q.in.items[0].lost
	}
	return &q.in.lost
}
