package executor

import (
	"context"
	"errors"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Replacement carries out sections in place of the executor, which then only queues them, lane by lane.
type Replacement interface {
	// ExecuteSection takes a section on. It is called for one section at a time, may return before the section has ended,
	// and must see to it that done is called once when it has: with what became of each order, or nil if all were carried
	// out. The context ends when the section is cancelled, and when the executor gives up.
	ExecuteSection(ctx context.Context, section order.Section, done func([]Outcome))

	// SyncSections returns when all sections have ended that were taken on before. It is called before a section that
	// cannot be joined; the next one is handed over when that one has ended.
	SyncSections(ctx context.Context) error
}

// handOver gives the next section to the replacement. It is called with e.mu held.
func (e *Executor) handOver() {
	if e.handing || e.alone != nil || e.active >= e.opts.Queue {
		return
	}
	for i := range e.lanes {
		l := &e.lanes[i]
		if len(l.queue) == 0 {
			continue
		}
		u := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		e.begin(u)
		u.handed = true
		if u.alone {
			e.alone = u
		}
		e.handing = true
		e.calls++
		e.wg.Go(func() { e.hand(u) })
		return
	}
}

// hand is the goroutine that gives a section to the replacement.
func (e *Executor) hand(u *unit) {
	w := &handed{e: e, u: u}
	err := smokerr.Panic("execute", errExited) // unless the goroutine gets to the end
	defer func() {
		if err != nil {
			w.fail(err)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.handing = false
		e.calls--
		e.dispatch()
		e.quiet()
	}()
	err = e.call("execute", func() error { return e.replace(u, w) })
}

func (e *Executor) replace(u *unit, w *handed) error {
	ctx := u.h.ctx
	if len(u.ops) > 0 {
		if err := e.acknowledge(ctx, &u.ops[0]); err != nil {
			return err
		}
	}
	if u.alone {
		if err := e.opts.Replacement.SyncSections(ctx); err != nil {
			return err
		}
	}
	section := order.Section{CannotJoin: u.alone}
	for i := range u.ops {
		o := &u.ops[i]
		if err := e.tellBegin(ctx, u.h, &o.order); err != nil {
			w.set(o, outcomeOf(err))
			continue
		}
		w.ops = append(w.ops, o)
		section.Orders = append(section.Orders, o.order)
	}
	if len(u.waits) > 0 {
		section.Orders = append(section.Orders, order.Order{Type: order.Wait, Wait: u.wait})
	}
	if len(section.Orders) == 0 {
		w.done(nil)
		return nil
	}
	e.opts.Replacement.ExecuteSection(ctx, section, w.done)
	return nil
}

func outcomeOf(err error) Outcome {
	if skip, ok := errors.AsType[*SkipError](err); ok {
		return Outcome{Status: Skipped, Reason: skip.Reason}
	}
	return Outcome{Status: Failed, Err: err}
}

// handed is a section that the replacement has.
type handed struct {
	e    *Executor
	u    *unit
	once sync.Once
	ops  []*op // those that the replacement got, in this order
}

// set records what became of an order that the replacement does not get.
func (w *handed) set(o *op, out Outcome) {
	w.e.tellEnd(w.u.h, &o.order, &out, 0)
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	w.record(o, out)
}

// done ends the section, once.
func (w *handed) done(outcomes []Outcome) {
	w.once.Do(func() {
		for i, o := range w.ops {
			w.end(o, outcomeAt(outcomes, i))
		}
		w.finish(Done)
	})
}

// outcomeAt returns the outcome of an order. Without any outcomes all orders were carried out.
func outcomeAt(outcomes []Outcome, i int) Outcome {
	switch {
	case outcomes == nil:
		return Outcome{Status: Done, Attempts: 1}
	case i >= len(outcomes) || outcomes[i].Status <= Pending || outcomes[i].Status > Abandoned:
		return Outcome{Status: Failed, Err: smokerr.InvalidArgument("execute", "outcome", "is missing", nil)}
	}
	return outcomes[i]
}

// fail ends the section after it could not be handed over.
func (w *handed) fail(err error) {
	w.once.Do(func() {
		for i := range w.u.ops {
			w.end(&w.u.ops[i], Outcome{Status: Failed, Err: err})
		}
		w.finish(Failed)
	})
}

func (w *handed) end(o *op, out Outcome) {
	h := w.u.h
	if out.Status == Failed && (h.ctx.Err() != nil || w.e.acknowledgeFailed(h)) {
		out.Status = h.fate()
	}
	if out.Status < Cancelled {
		w.e.tellEnd(h, &o.order, &out, out.Attempts)
	}
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	if out.Status == Abandoned {
		h.abandoned = true
	}
	w.record(o, out)
}

// record is called with e.mu held.
func (w *handed) record(o *op, out Outcome) {
	if o.state == ended || w.u.finished {
		return
	}
	o.state = ended
	w.e.record(o.out, out)
}

// finish ends the section, with the status of its wait orders.
func (w *handed) finish(waits Status) {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	if w.u.h.ctx.Err() != nil {
		waits = w.u.h.fate()
	}
	w.e.finish(w.u, waits)
	w.e.dispatch()
}

func (e *Executor) acknowledgeFailed(h *Handle) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return h.err != nil
}

// detachUnit ends a section that the replacement does not give back. It is called with e.mu held.
func (e *Executor) detachUnit(u *unit) {
	for i := range u.ops {
		if o := &u.ops[i]; o.state != ended {
			o.state = ended
			e.record(o.out, Outcome{Status: u.h.fate()})
		}
	}
	e.finish(u, u.h.fate())
}
