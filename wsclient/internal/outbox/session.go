package outbox

// strikesOut is after how many connections in a row, closed by the peer because of a message, that one is given up.
const strikesOut = 3

// Close codes with which a peer says that it cannot bear a message (RFC 6455, section 7.4.1).
const (
	unsupportedData = 1003
	invalidData     = 1007
	messageTooBig   = 1009
)

// Up says that a connection is ready. What is not acknowledged goes out first, in its old order.
func (b *Box) Up(gen uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.up, b.gen = true, gen
	b.written, b.marked, b.proved = 0, 0, 0
	b.ackLate = nil
	b.wake()
}

// Mark says that a ping goes out now. There is one at a time.
func (b *Box) Mark() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marked = b.written
	if b.struck > 0 {
		b.flight.each(func(e *entry) { e.marked = e.handed })
	}
}

// Proved says that the pong of the last ping came: the peer has read everything written before it.
func (b *Box) Proved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proved = b.marked
	if b.struck > 0 {
		b.flight.each(func(e *entry) { e.cleared = e.cleared || e.marked })
		b.wake()
	}
}

// Down says that the connection has ended, with which close code of the peer (0 without one) and why. The goroutine that
// called Next has returned by then. What was not acknowledged or not written waits again.
//
// It returns how many messages may be lost: they were written, nothing shows that they reached the peer, and they are
// not acknowledged one by one.
func (b *Box) Down(code int, cause error) (maybeLost uint64) {
	b.mu.Lock()
	defer b.unlock()
	if !b.up {
		return 0
	}
	b.up, b.idle = false, false
	b.emptyBatch()
	if b.cfg.Ack == nil {
		maybeLost = b.written - b.proved
		b.stats.MaybeLost += maybeLost
	}
	b.judge(code, cause)
	for b.flight.len() > 0 {
		last := b.flight.popBack()
		if last.gone {
			continue
		}
		if last.due {
			b.due--
		}
		last.handed, last.marked, last.cleared, last.due = false, false, false, false
		b.wait.pushFront(last)
	}
	b.settle()
	b.plan()
	return maybeLost
}

// Poisoned reports whether the last Down gave up the message because of which the peer had closed.
func (b *Box) Poisoned() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found
}

// judge finds the message because of which the peer closed. As long as several can be it, each gets a strike, and from
// then on they go out one by one, so that the guilty one stands alone. mu is held.
func (b *Box) judge(code int, cause error) {
	b.found = false
	poisoned := code == unsupportedData || code == invalidData || code == messageTooBig
	suspects := 0
	b.flight.each(func(e *entry) {
		if e.handed && !e.cleared {
			suspects++
		}
	})
	b.flight.each(func(e *entry) {
		switch {
		case !e.handed || e.cleared:
		case !poisoned:
			b.absolve(e)
		default:
			if e.strikes == 0 {
				b.struck++
			}
			e.strikes = min(e.strikes+1, strikesOut)
			if e.strikes >= strikesOut && suspects == 1 {
				b.quarantine(&b.flight, e, cause)
				b.found = true
			}
		}
	})
}

// absolve takes the strikes of an entry away. mu is held.
func (b *Box) absolve(e *entry) {
	if e.strikes > 0 {
		e.strikes = 0
		b.struck--
	}
}

// quarantine gives up a message that cannot be sent. Its data stays in the quarantine of the spool, if there is one.
// mu is held.
func (b *Box) quarantine(q *ring, e *entry, err error) {
	if e.stored {
		b.disk.poison(e.number, err)
	}
	b.lose(Message{Type: e.typ, Data: e.data, Number: e.number}, Dropped, err)
	b.finish(q, e, &b.stats.Quarantined, Dropped, err)
}

// doubtful reports whether a message must wait because of suspects: while one is in flight nothing else is written, and
// a suspect goes only when nothing is in flight. mu is held.
func (b *Box) doubtful(suspect bool) bool {
	doubt := false
	b.flight.each(func(e *entry) {
		doubt = doubt || (!e.cleared && (suspect || e.strikes > 0))
	})
	return doubt
}
