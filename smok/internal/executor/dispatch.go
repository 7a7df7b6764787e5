package executor

import (
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// maxJoined is how many orders of a lane can be under way or ready at once: those of the sections that are joined.
const maxJoined = 256

// lane is what waits for one sort of owner.
type lane struct {
	queue  []*unit // sections of which not all orders are ready
	ready  []*op   // orders that run as soon as there is a slot and nothing holds their path
	joined int     // orders that became ready and have not ended, and sections with wait orders
}

// dispatch starts whatever can start. All methods of this file are called with e.mu held.
func (e *Executor) dispatch() {
	if e.opts.Replacement != nil {
		e.handOver()
		return
	}
	for {
		for e.admit() {
			continue // what has ended may be what a higher lane has waited for
		}
		o, more := e.pick()
		if o != nil {
			e.start(o)
		} else if !more {
			return
		}
	}
}

// admit makes the orders of sections ready that can be under way together, up to one that ends at once, since it has none.
// It reports whether there was one.
func (e *Executor) admit() bool {
	higher := false // whether a higher lane has sections that wait
	for i := range e.lanes {
		l := &e.lanes[i]
		for len(l.queue) > 0 {
			u := l.queue[0]
			if !u.started {
				if l.joined >= maxJoined || !e.mayStart(u, higher) {
					break
				}
				e.begin(u)
			}
			for u.next < len(u.ops) && (l.joined < maxJoined || u.ops[u.next].state == ended) {
				if o := &u.ops[u.next]; o.state == queued {
					o.state = ready
					l.ready = append(l.ready, o)
					l.joined++
				}
				u.next++
			}
			if u.next < len(u.ops) {
				break
			}
			l.queue = slices.Delete(l.queue, 0, 1)
			if u.left == 0 {
				if e.settle(u); u.finished {
					return true
				}
			}
		}
		higher = higher || len(l.queue) > 0
	}
	return false
}

// mayStart reports whether a section can start. One that runs alone keeps all others from starting as soon as no higher
// lane has any, and starts itself when those that run have ended.
func (e *Executor) mayStart(u *unit, higher bool) bool {
	if e.alone == nil && u.alone && !higher {
		e.alone = u
	}
	if u.alone {
		return e.alone == u && e.active == 0
	}
	return e.alone == nil
}

func (e *Executor) begin(u *unit) {
	u.started, u.begin = true, time.Now()
	if len(u.waits) > 0 {
		e.lanes[u.lane].joined++
	}
	e.active++
	e.queued--
	e.wake()
}

// wake wakes those who wait for room.
func (e *Executor) wake() {
	if e.room != nil {
		close(e.room)
		e.room = nil
	}
}

// pick takes an order out of a ready list that can run now. If there is none, more says whether to look again.
func (e *Executor) pick() (o *op, more bool) {
	for i := range e.lanes {
		if e.running >= e.slots[i] {
			return nil, false
		}
		l := &e.lanes[i]
		for j, o := range l.ready {
			holder := e.holders[o.key]
			if holder != nil && holder != o && !holder.overdue {
				continue
			}
			l.ready = slices.Delete(l.ready, j, j+1)
			if holder != nil && holder != o {
				e.end(o, Outcome{Status: Failed, Err: smokerr.OperationFailed(
					string(o.order.Type), o.order.Path, smokerr.ReasonTimeout, time.Now(), errBlocked,
				)})
				return nil, true
			}
			return o, false
		}
	}
	return nil, false
}

func (e *Executor) start(o *op) {
	o.state = running
	o.turn++
	if o.key != "" {
		e.holders[o.key] = o
	}
	e.running++
	e.calls++
	e.wg.Go(func() { e.run(o) })
}

// again makes an order ready whose delay is over. It goes before the others.
func (e *Executor) again(o *op) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if o.state != delayed {
		return
	}
	o.state = ready
	l := &e.lanes[o.u.lane]
	l.ready = slices.Insert(l.ready, 0, o)
	e.dispatch()
}

// end records what became of an order.
func (e *Executor) end(o *op, out Outcome) {
	if o.state != queued {
		e.lanes[o.u.lane].joined--
	}
	o.state = ended
	if e.holders[o.key] == o && !o.overdue {
		delete(e.holders, o.key)
	}
	e.record(o.out, out)
	o.u.left--
	if o.u.left == 0 {
		e.settle(o.u)
	}
}

func (e *Executor) record(to *Outcome, out Outcome) {
	*to = out
	e.totals[out.Status]++
}

// settle ends a section whose orders have ended, when its wait orders allow.
func (e *Executor) settle(u *unit) {
	if u.h.ctx.Err() != nil {
		e.finish(u, u.h.fate())
		return
	}
	rest := u.wait - time.Since(u.begin)
	if u.finished || rest <= 0 {
		e.finish(u, Done)
		return
	}
	u.timer = time.AfterFunc(rest, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.finish(u, Done)
		e.dispatch()
	})
}

// finish ends a section. The state is that of its wait orders.
func (e *Executor) finish(u *unit, waits Status) {
	if u.finished {
		return
	}
	u.finished = true
	for _, out := range u.waits {
		e.record(out, Outcome{Status: waits})
	}
	if u.started {
		e.active--
		if len(u.waits) > 0 {
			e.lanes[u.lane].joined--
		}
	} else {
		e.queued--
		e.wake()
	}
	if e.alone == u {
		e.alone = nil
	}
	h := u.h
	if h.left--; h.left == 0 {
		h.cancel()
		delete(e.handles, h)
		close(h.done)
	}
	e.quiet()
}

// quiet tells Stop when nothing is left.
func (e *Executor) quiet() {
	if !e.stopped || e.active > 0 || e.calls > 0 {
		return
	}
	select {
	case <-e.gone:
	default:
		close(e.gone)
	}
}

// drop ends whatever of a handle is not in a call. The handle was cancelled or abandoned.
func (e *Executor) drop(h *Handle) {
	for _, u := range h.units {
		e.dropUnit(u)
	}
}

// abandonQueued ends the sections of a handle that have not started.
func (e *Executor) abandonQueued(h *Handle) {
	for _, u := range h.units {
		if !u.started && !u.finished {
			h.abandoned = true
			e.dropUnit(u)
		}
	}
}

func (e *Executor) dropUnit(u *unit) {
	if u.finished || u.handed {
		return
	}
	status := u.h.fate()
	l := &e.lanes[u.lane]
	calls := 0
	for i := range u.ops {
		o := &u.ops[i]
		if o.state == running {
			calls++
		}
		if o.state == running || o.state == ended {
			continue
		}
		if o.timer != nil {
			o.timer.Stop()
		}
		if o.state != queued {
			l.joined--
		}
		if e.holders[o.key] == o {
			delete(e.holders, o.key)
		}
		o.state = ended
		e.record(o.out, Outcome{Status: status, Err: o.last, Attempts: o.attempts})
		u.left--
	}
	l.ready = slices.DeleteFunc(l.ready, func(o *op) bool { return o.state == ended })
	if calls > 0 {
		return // the last of them ends the section
	}
	if u.timer != nil {
		u.timer.Stop()
	}
	l.queue = slices.DeleteFunc(l.queue, func(q *unit) bool { return q == u })
	e.finish(u, status)
}
