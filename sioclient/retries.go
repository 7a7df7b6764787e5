package sioclient

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// retries are events that are sent one after the other, each until it is acknowledged. The manager's lock guards them.
type retries struct {
	s     *Socket
	items []*retried
	bytes int
}

// retried is an event that is sent until it is acknowledged.
type retried struct {
	name   string
	args   packet.Args
	size   int
	plain  bool
	limit  time.Duration // of one try; 0 for none
	done   event.AckFunc // nil if nobody waits
	tries  int
	flying bool // whether a try is under way
	id     uint64
	timer  *time.Timer
	over   bool
}

func (r *retries) add(it *retried) error {
	l := r.s.buffer.limits
	if len(r.items) > 0 && (len(r.items) >= l.Messages || r.bytes+it.size > l.Bytes) {
		return &BufferFullError{
			Info:     errkit.Info{Class: ErrBufferFull, Op: "emit", Kind: errkit.NotSent},
			Messages: len(r.items), Bytes: r.bytes,
		}
	}
	r.items = append(r.items, it)
	r.bytes += it.size
	r.next()
	return nil
}

// next sends the first event if it is not on its way already. The caller holds the lock.
func (r *retries) next() {
	s := r.s
	if s.link == nil || len(r.items) == 0 || r.items[0].flying {
		return
	}
	it := r.items[0]
	it.flying = true
	it.tries++
	it.id = s.acks.Reserve()
	id := it.id
	enc, err := s.m.opts.Parser.Encode(&packet.Packet{
		Type: packet.Event, Namespace: s.nsp, Name: it.name, ID: id, HasID: true, Args: it.args,
	})
	if err == nil {
		s.acks.AddID(id, func(args packet.Args, err error) { r.ended(it, args, err) })
		if it.limit > 0 {
			it.timer = time.AfterFunc(it.limit, func() {
				s.acks.Fail(id, timeoutError("emit", s.m.target, it.name, it.limit, nil))
			})
		}
		e := newEntry(enc, it.plain)
		e.id, e.hasID = id, true
		if err = s.deliver(e, true); err == nil {
			return
		}
		s.acks.Remove(id)
	}
	if it.tries > 1 {
		err = perhapsSent(err)
	}
	it.tries = s.opts.Retries + 1                         // it will not get better
	s.m.wg.Go(func() { r.ended(it, packet.Args{}, err) }) // not in the queue: a handler may be waiting for it
}

// ended is told how a try ended. The lock is not held.
func (r *retries) ended(it *retried, args packet.Args, err error) {
	m := r.s.m
	m.mu.Lock()
	if it.over {
		m.mu.Unlock()
		return
	}
	it.stop()
	r.s.buffer.remove(it.id)
	if err != nil && it.tries <= r.s.opts.Retries {
		r.next()
		m.mu.Unlock()
		return
	}
	r.remove(it)
	r.next()
	m.mu.Unlock()
	if it.done != nil {
		it.done(args, err)
	} else if err != nil {
		m.counters.dropped.Add(1)
		r.s.report(err)
	}
}

// cancel removes an event for which nobody waits any more. It reports whether it was still there. The lock is not held.
func (r *retries) cancel(it *retried) bool {
	r.s.m.mu.Lock()
	defer r.s.m.mu.Unlock()
	if it.over {
		return false
	}
	if it.flying {
		r.s.acks.Remove(it.id)
		r.s.buffer.remove(it.id)
	}
	it.stop()
	r.remove(it)
	r.next()
	return true
}

func (r *retries) remove(it *retried) {
	it.over = true
	for i, other := range r.items {
		if other == it {
			r.items = append(r.items[:i:i], r.items[i+1:]...)
			r.bytes -= it.size
			return
		}
	}
}

// clear forgets everything and returns the events for which somebody waits, and how many the others are.
func (r *retries) clear() (waiting []*retried, silent int) {
	for _, it := range r.items {
		it.stop()
		it.over = true
		if it.done != nil {
			waiting = append(waiting, it)
		} else {
			silent++
		}
	}
	r.items, r.bytes = nil, 0
	return waiting, silent
}

func (it *retried) stop() {
	it.flying = false
	if it.timer != nil {
		it.timer.Stop()
		it.timer = nil
	}
}
