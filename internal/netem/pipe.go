package netem

import (
	"sync"
	"time"
)

// fate is what the wire does with what is put on it.
type fate uint8

const (
	carries  fate = iota // as it should
	holds                // for ever, as after a cut with Silence
	swallows             // as after a cut with Swallow
	severed              // swallows, and the sender notices, as after a cut with FIN or RST
)

// pipe is one direction of a link. The link's mutex guards it.
type pipe struct {
	knobs
	from, to *Conn
	fate     fate
	fin      bool // the end of the stream has arrived

	queue   ring // bytes written and not yet read
	arrived int  // how many bytes of queue, counted from its front, have crossed the wire
	flight  flight
	last    time.Time   // no item may arrive before this
	idle    time.Time   // when the sender's line has nothing more to send, for the bandwidth
	timer   *time.Timer // set when the first item of flight has to wait
	count   Count

	readable, writable sync.Cond
}

// write puts as much of p on the wire as the window allows, and returns how much.
func (p *pipe) write(b []byte) int {
	switch p.fate {
	case severed:
		p.from.broken = true
		fallthrough
	case swallows:
		p.count.Written += int64(len(b))
		return len(b)
	}
	n := max(min(len(b), p.window-p.queue.n), 0)
	if n == 0 {
		return 0
	}
	p.queue.push(b[:n])
	p.count.Written += int64(n)
	for rest := n; rest > 0; {
		portion := p.portion(rest)
		p.launch(item{what: data, n: portion})
		rest -= portion
	}
	p.advance()
	return n
}

// finish puts the end of the stream on the wire.
func (p *pipe) finish() {
	if p.fate != carries {
		return
	}
	p.launch(item{what: fin})
	p.advance()
}

// abort puts a reset on the wire, in place of all that has not crossed yet.
func (p *pipe) abort() {
	p.drop()
	if p.fate != carries {
		return
	}
	p.launch(item{what: rst})
	p.advance()
}

// drop removes all that has not crossed yet.
func (p *pipe) drop() {
	p.queue.truncate(p.arrived)
	p.flight.clear()
	p.last, p.idle = time.Time{}, time.Time{}
	if p.timer != nil {
		p.timer.Stop()
	}
	p.writable.Broadcast()
}

// read moves what has arrived to b, and returns how much that was.
func (p *pipe) read(b []byte) int {
	n := min(len(b), p.arrived)
	if p.chunk > 0 {
		n = min(n, p.chunk)
	}
	p.queue.pop(b[:n])
	p.arrived -= n
	p.count.Read += int64(n)
	if n > 0 {
		p.writable.Broadcast()
	}
	return n
}

// refuse forgets what has arrived, as its receiver was closed, and reports whether there was any.
func (p *pipe) refuse() bool {
	unread := p.arrived > 0
	p.queue.discard(p.arrived)
	p.arrived = 0
	p.writable.Broadcast()
	return unread
}

// portion returns how many of n bytes cross together: all, or what a limited line carries in 10 ms.
func (p *pipe) portion(n int) int {
	if p.bandwidth == 0 {
		return n
	}
	return int(min(int64(n), max(1, p.bandwidth/100)))
}

// launch puts one item on the wire and decides when it arrives.
func (p *pipe) launch(it item) {
	if p.latency > 0 || p.bandwidth > 0 {
		sent := time.Now()
		if p.bandwidth > 0 {
			if sent.Before(p.idle) {
				sent = p.idle
			}
			sent = sent.Add(time.Duration(float64(it.n) / float64(p.bandwidth) * float64(time.Second)))
			p.idle = sent
		}
		it.due = sent.Add(p.latency)
	}
	if it.due.Before(p.last) {
		it.due = p.last
	}
	p.last = it.due
	p.flight.push(it)
}

// advance lets everything arrive that may. It must be called after every change of the knobs or of the flight.
func (p *pipe) advance() {
	for p.fate == carries {
		if p.cutAfter == 0 {
			p.from.link.sever(p.cutMode)
			return
		}
		if p.stalled || p.flight.empty() {
			return
		}
		it := p.flight.first()
		if !it.due.IsZero() {
			if wait := time.Until(it.due); wait > 0 {
				p.arm(wait)
				return
			}
		}
		switch it.what {
		case data:
			n := it.n
			if p.cutAfter > 0 {
				n = int(min(int64(n), p.cutAfter))
				p.cutAfter -= int64(n)
			}
			it.n -= n
			if it.n == 0 {
				p.flight.pop()
			}
			p.arrive(n)
		case fin:
			p.flight.pop()
			p.fin = true
			p.readable.Broadcast()
		case rst:
			p.flight.pop()
			p.to.reset()
		}
	}
}

// arrive hands n bytes to the receiver.
func (p *pipe) arrive(n int) {
	p.count.Passed += int64(n)
	if !p.to.closed {
		p.arrived += n
		p.readable.Broadcast()
		return
	}
	p.queue.discard(n)
	p.writable.Broadcast()
	p.to.sendReset()
}

// arm wakes the pipe after d.
func (p *pipe) arm(d time.Duration) {
	if p.timer != nil {
		p.timer.Reset(d)
		return
	}
	link := p.from.link
	p.timer = time.AfterFunc(d, func() {
		link.mu.Lock()
		defer link.mu.Unlock()
		p.advance()
		link.changed.Broadcast()
	})
}

// lose changes what the wire does. Nothing that is on it arrives any more.
func (p *pipe) lose(f fate) {
	if f != holds {
		p.drop()
	}
	p.fate = f
	p.writable.Broadcast()
}

// release frees the buffers of a pipe whose ends are both closed.
func (p *pipe) release() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.fate = severed
	p.queue, p.arrived, p.flight = ring{}, 0, flight{}
}
