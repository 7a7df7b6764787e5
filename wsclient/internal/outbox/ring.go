package outbox

import "github.com/fieldlink-go/fieldlink/wsclient/wsconn"

// entry is a message on its way.
type entry struct {
	number  uint64
	data    []byte
	block   *block   // that data is in; nil if it has memory of its own
	id      string   // by which the peer acknowledges it; set when it is first handed out, and only if the user gives ids
	receipt *Receipt // nil if nobody asked for one
	expires int64    // when it expires, in nanoseconds of the box's clock; 0 means never
	sentAt  int64    // when it was last handed to the system
	typ     wsconn.MessageType
	strikes uint8 // connections in a row that the peer closed after it, as if it could not bear it

	gone    bool // its fate is known
	stored  bool // it is in the spool, under its number
	whole   bool // it was written whole on some connection, so the peer may have it
	handed  bool // it was written on this connection, at least its beginning
	marked  bool // a ping went out after it
	cleared bool // the connection has lived on after it
	due     bool // it is to be sent again on this connection
}

// least is the size from which on a ring shrinks no more, in entries.
const least = 32

// ring is a queue of entries in a circle. Positions count from the beginning of time, so that they stay valid while the
// ring moves on.
type ring struct {
	buf        []entry // its length is a power of two
	head, tail uint64  // positions of the first entry and behind the last
	live       int     // entries that are not gone
	bytes      int64   // of their data
	peak       int     // the largest length since shrink looked
}

func (r *ring) len() int { return int(r.tail - r.head) }

func (r *ring) at(pos uint64) *entry { return &r.buf[pos&uint64(len(r.buf)-1)] }

func (r *ring) front() *entry { return r.at(r.head) }

func (r *ring) pushBack(e entry) {
	r.reserve()
	*r.at(r.tail) = e
	r.tail++
	r.added(&e)
}

// pushFront puts an entry back that popFront took out.
func (r *ring) pushFront(e entry) {
	r.reserve()
	r.head--
	*r.at(r.head) = e
	r.added(&e)
}

func (r *ring) added(e *entry) {
	r.peak = max(r.peak, r.len())
	if !e.gone {
		r.live++
		r.bytes += int64(len(e.data))
	}
}

// popFront takes the first entry out.
func (r *ring) popFront() entry {
	e := *r.front()
	*r.front() = entry{}
	r.head++
	if !e.gone {
		r.live--
		r.bytes -= int64(len(e.data))
	}
	return e
}

// popBack takes the last entry out.
func (r *ring) popBack() entry {
	r.tail--
	e := *r.at(r.tail)
	*r.at(r.tail) = entry{}
	if !e.gone {
		r.live--
		r.bytes -= int64(len(e.data))
	}
	return e
}

// bury marks an entry as gone and lets go of its data.
func (r *ring) bury(e *entry) {
	r.live--
	r.bytes -= int64(len(e.data))
	e.gone, e.due, e.data, e.block, e.receipt, e.id = true, false, nil, nil, nil, ""
}

// find returns the entry with a number that is not gone, nil if there is none.
func (r *ring) find(number uint64) *entry {
	if r.len() == 0 {
		return nil
	}
	// Most often the numbers have no gaps.
	if guess := number - r.front().number; guess < uint64(r.len()) {
		if e := r.at(r.head + guess); e.number == number && !e.gone {
			return e
		}
	}
	for pos := r.head; pos != r.tail; pos++ {
		if e := r.at(pos); e.number == number && !e.gone {
			return e
		}
	}
	return nil
}

// each calls fn for the entries that are not gone.
func (r *ring) each(fn func(*entry)) {
	for pos := r.head; pos != r.tail; pos++ {
		if e := r.at(pos); !e.gone {
			fn(e)
		}
	}
}

// reserve makes room for one more entry.
func (r *ring) reserve() {
	if r.len() == len(r.buf) {
		r.resize(max(least, 2*len(r.buf)))
	}
}

// trim takes out the entries at the front that are gone.
func (r *ring) trim() {
	for r.head != r.tail && r.front().gone {
		r.popFront()
	}
}

// tidy takes out the entries that are gone, if they are at the front or more than half of all. It changes positions.
func (r *ring) tidy() {
	r.trim()
	if r.len() <= 2*r.live+least {
		return
	}
	to := r.head
	for from := r.head; from != r.tail; from++ {
		e := r.at(from)
		if !e.gone {
			*r.at(to) = *e
			to++
		}
	}
	for pos := to; pos != r.tail; pos++ {
		*r.at(pos) = entry{}
	}
	r.tail = to
}

func (r *ring) resize(size int) {
	buf := make([]entry, size)
	for pos := r.head; pos != r.tail; pos++ {
		buf[pos&uint64(size-1)] = *r.at(pos)
	}
	r.buf = buf
}

// shrink gives memory back when the ring is empty and has been much larger than it needs to be.
func (r *ring) shrink() {
	if r.len() == 0 && len(r.buf) > least && r.peak < len(r.buf)/4 {
		r.resize(len(r.buf) / 2)
	}
	r.peak = r.len()
}
