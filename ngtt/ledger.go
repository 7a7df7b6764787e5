package ngtt

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// maxLedger bounds the orders that were executed and whose fate at the hub is unknown. A link that never stays up
// leaves some behind at every cut; the oldest go first.
const maxLedger = 1 << 14

// ledger decides whether an order that arrives is new. It does no I/O.
//
// Within one connection the hub tells orders apart by their tid, so the same body under another tid is another order. On
// a newer connection the same body is a repetition, once: two orders may well be equal.
type ledger struct {
	window time.Duration

	mu     sync.Mutex // guards what follows, and the entries
	lastID uint64
	byHash map[[32]byte][]*entry // oldest first
	byAge  []*entry              // oldest first, with some that were dropped
	count  int
}

// entry is one order between its arrival and the proof that the hub knows of its end.
type entry struct {
	JournalEntry
	running  bool      // whether it is being executed
	answer   way       // on which it is answered at the end; zero unless it is running
	session  int64     // number of the connection on which it came last; 0 if that was in an earlier process
	tid      uint16    // under which it came there
	repeated bool      // whether it came that way again after it was executed
	changed  time.Time // when it began or ended
	dropped  bool      // it is no longer in the ledger
}

// way is how an order came, and how it is answered. Entries outlive their connections and know them by number alone.
type way struct {
	session *session
	tid     uint16
}

// delivery is one arrival of an order.
type delivery struct {
	way
	at       time.Time
	body     []byte
	sections int
}

// cameBy reports whether w is the last way on which the order came.
func (e *entry) cameBy(w way) bool { return e.session == w.session.number && e.tid == w.tid }

// come takes note of a way on which the order came.
func (e *entry) come(w way) { e.session, e.tid = w.session.number, w.tid }

// verdict is what an arriving order is.
type verdict int

const (
	isNew     verdict = iota // execute it
	isAgain                  // execute it again: the process ended in between
	isRunning                // it is being executed, and is answered at the end
	isDone                   // it was executed: confirm it
)

func newLedger(window time.Duration) *ledger {
	return &ledger{window: window, byHash: make(map[[32]byte][]*entry)}
}

// load takes over the entries of an earlier process.
func (l *ledger) load(entries []JournalEntry, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries = slices.SortedFunc(slices.Values(entries), func(a, b JournalEntry) int { return cmp.Compare(a.ID, b.ID) })
	for _, e := range entries {
		l.add(&entry{JournalEntry: e, changed: now})
		l.lastID = max(l.lastID, e.ID)
	}
}

// arrive judges a delivery and takes note of it. Entries that are given up on the way are returned, to be removed from
// the journal.
func (l *ledger) arrive(d delivery, hash [32]byte) (what verdict, found *entry, stale []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i < len(l.byHash[hash]); i++ {
		e := l.byHash[hash][i]
		if e.isStale(d.session, d.at, l.window) {
			l.drop(e)
			i--
			stale = append(stale, e.ID)
			continue
		}
		again := e.session == d.session.number
		if again && (e.tid != d.tid || e.repeated) {
			continue // another order
		}
		e.come(d.way)
		switch {
		case e.running:
			e.answer = d.way // an older connection is gone
			return isRunning, e, stale
		case e.State != JournalDone && e.State != JournalConfirmed:
			e.running, e.answer = true, d.way
			return isAgain, e, stale
		}
		e.repeated = again
		return isDone, e, stale
	}
	l.lastID++
	e := &entry{
		JournalEntry: JournalEntry{ID: l.lastID, Hash: hash, Arrived: d.at, State: JournalReceived},
		running:      true, answer: d.way, changed: d.at,
	}
	e.come(d.way)
	l.add(e)
	if l.count > maxLedger {
		if id, ok := l.dropOldest(); ok {
			stale = append(stale, id)
		}
	}
	return isNew, e, stale
}

// isStale reports whether the hub would have delivered the order again by now if it had not read the confirmation:
// the connection s has been up for long enough, and the order was over in all of that time.
func (e *entry) isStale(s *session, now time.Time, window time.Duration) bool {
	return !e.running && e.session != s.number && now.Sub(s.since()) > window && now.Sub(e.changed) > window
}

// sweep gives up what is stale, and returns the IDs.
func (l *ledger) sweep(s *session, now time.Time) []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var stale []uint64
	for _, same := range l.byHash {
		for _, e := range slices.Clone(same) {
			if e.isStale(s, now, l.window) {
				l.drop(e)
				stale = append(stale, e.ID)
			}
		}
	}
	return stale
}

// finish takes note that an order was executed, and returns the way on which it is confirmed.
func (l *ledger) finish(e *entry, now time.Time) way {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.State, e.changed = JournalDone, now
	return e.stop()
}

// abandon forgets an entry that was not executed, and returns the way on which it is refused.
func (l *ledger) abandon(e *entry) way {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(e)
	return e.stop()
}

// stop ends the execution. It runs with mu held.
func (e *entry) stop() way {
	answer := e.answer
	e.running, e.answer = false, way{}
	return answer
}

// confirmed takes note that a confirmation was given to the network. False means that the order has been delivered again
// since, or was given up.
func (l *ledger) confirmed(e *entry, w way) (JournalEntry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.dropped || !e.cameBy(w) {
		return JournalEntry{}, false
	}
	e.State = JournalConfirmed
	return e.JournalEntry, true
}

// proven takes note that the hub has read a confirmation, and reports whether that is the end of the entry.
func (l *ledger) proven(e *entry, w way) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.dropped || !e.cameBy(w) {
		return false
	}
	l.drop(e)
	return true
}

// size returns how many orders the ledger knows.
func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// add, drop and dropOldest run with mu held.

func (l *ledger) add(e *entry) {
	if len(l.byAge) > 2*l.count+64 {
		l.byAge = slices.DeleteFunc(l.byAge, func(e *entry) bool { return e.dropped })
	}
	l.byAge = append(l.byAge, e)
	l.byHash[e.Hash] = append(l.byHash[e.Hash], e)
	l.count++
}

func (l *ledger) drop(e *entry) {
	same := l.byHash[e.Hash]
	i := slices.Index(same, e)
	if i < 0 {
		return
	}
	l.count--
	e.dropped = true
	if same = slices.Delete(same, i, i+1); len(same) == 0 {
		delete(l.byHash, e.Hash)
		return
	}
	l.byHash[e.Hash] = same
}

// dropOldest drops the oldest entry that is not being executed.
func (l *ledger) dropOldest() (uint64, bool) {
	for _, e := range l.byAge {
		if !e.dropped && !e.running {
			l.drop(e)
			return e.ID, true
		}
	}
	return 0, false
}
