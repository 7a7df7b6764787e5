package executor

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

var (
	errOverdue = errors.New("the call goes on after its time")
	errBlocked = errors.New("the call before has not returned")
	errExited  = errors.New("the goroutine ended")
)

// run makes one attempt at an order, on a goroutine of its own.
func (e *Executor) run(o *op) {
	// What counts if the program's function ends the goroutine.
	out, delay := Outcome{Status: Failed, Err: smokerr.Panic(string(o.order.Type), errExited)}, time.Duration(0)
	defer func() { e.leave(o, out, delay) }()
	out, delay = e.attempt(o)
	if out.Status != Pending {
		e.tellEnd(o.u.h, &o.order, &out, o.attempts)
	}
}

// tellBegin asks the owner of a submission whether an order may run.
func (e *Executor) tellBegin(ctx context.Context, h *Handle, o *order.Order) error {
	if h.began == nil {
		return nil
	}
	return e.call("begin", func() error { return h.began(ctx, o) })
}

// tellEnd tells the owner of a submission what became of an order, unless it ends since the submission does.
func (e *Executor) tellEnd(h *Handle, o *order.Order, out *Outcome, attempts int) {
	if h.ended == nil || out.Status == Failed && h.ctx.Err() != nil {
		return
	}
	end := *out
	end.Attempts = attempts
	_ = e.call("end", func() error { h.ended(o, end); return nil }) // which has reported a panic
}

// leave records an attempt and goes on with what can run now.
func (e *Executor) leave(o *op, out Outcome, delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls--
	defer e.quiet()
	if o.overdue { // its outcome is known
		e.stuck--
		if e.holders[o.key] == o {
			delete(e.holders, o.key)
		}
		e.dispatch()
		return
	}
	e.running--
	h := o.u.h
	if out.Status == Pending && h.ctx.Err() == nil {
		o.state = delayed
		o.last = out.Err
		o.timer = time.AfterFunc(delay, func() { e.again(o) })
		e.dispatch()
		return
	}
	out.Attempts = o.attempts
	if out.Status == Pending || out.Status == Failed && (h.ctx.Err() != nil || h.err != nil) {
		out.Status = h.fate()
	}
	e.end(o, out)
	e.dispatch()
}

// attempt makes one attempt. A pending outcome asks for another one after the delay.
func (e *Executor) attempt(o *op) (Outcome, time.Duration) {
	if stale := o.order.StaleAfter; !stale.IsZero() && !time.Now().Before(stale) {
		return Outcome{Status: Stale, Err: o.last}, 0
	}
	var call func(ctx context.Context) error
	limit, attempts := e.opts.AttemptTimeout, 1
	switch o.order.Type {
	case order.Read, order.Write:
		if o.target == nil {
			if out := e.lookup(o); out.Status != Pending {
				return out, 0
			}
		}
		call = func(ctx context.Context) error { return o.target.Read(ctx, o.order.Advise) }
		if o.order.Type == order.Write {
			call = func(ctx context.Context) error { return o.target.Write(ctx, o.order.Value, o.order.Advise) }
		}
		if o.order.Advise == order.Force {
			attempts = e.opts.ForceAttempts
		}
	case order.Message:
		if e.opts.Message == nil {
			return Outcome{Status: Skipped, Reason: "messages are switched off"}, 0
		}
		call = func(ctx context.Context) error { return e.opts.Message(ctx, o.order.UUID) }
		attempts = e.opts.MessageAttempts
	case order.Sysctl:
		if e.opts.Sysctl == nil {
			return Outcome{Status: Skipped, Reason: unknownSysctl}, 0
		}
		call = func(ctx context.Context) error {
			handled, err := e.opts.Sysctl(ctx, o.order.OpType, o.order.OpArgs)
			if err == nil && !handled {
				return Skip(unknownSysctl)
			}
			return err
		}
		limit = e.opts.SysctlTimeout
	}
	err := e.limited(o, limit, func(ctx context.Context) error {
		if err := e.first(ctx, o); err != nil {
			return err
		}
		e.mu.Lock()
		o.attempts++
		e.mu.Unlock()
		return call(ctx)
	})
	if err == nil {
		return Outcome{Status: Done}, 0
	}
	if skip, ok := errors.AsType[*SkipError](err); ok {
		return Outcome{Status: Skipped, Reason: skip.Reason}, 0
	}
	if o.begun && o.attempts < attempts && curable(o, err) {
		return Outcome{Err: err}, e.delay(o, err)
	}
	return Outcome{Status: Failed, Err: err}, 0
}

// first does what comes before the first attempt.
func (e *Executor) first(ctx context.Context, o *op) error {
	if err := e.acknowledge(ctx, o); err != nil || o.begun {
		return err
	}
	if err := e.tellBegin(ctx, o.u.h, &o.order); err != nil {
		return err
	}
	o.begun = true
	return nil
}

const unknownSysctl = "nobody knows this sysctl"

// lookup finds the target. Its outcome is pending if there is one.
func (e *Executor) lookup(o *op) Outcome {
	if e.opts.Lookup == nil {
		return Outcome{Status: Skipped, Reason: "pathpoints are switched off"}
	}
	err := e.call("lookup", func() (err error) {
		o.target, err = e.opts.Lookup(o.order.Path)
		return err
	})
	switch {
	case errors.Is(err, smokerr.ErrNotFound) || err == nil && o.target == nil:
		return Outcome{Status: Skipped, Reason: "no such pathpoint"}
	case err != nil:
		return Outcome{Status: Failed, Err: err}
	}
	return Outcome{}
}

// limited makes a call with a time limit and watches whether it keeps it.
func (e *Executor) limited(o *op, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(order.WithID(o.u.h.ctx, o.order.ID), limit)
	defer cancel()
	turn := o.turn
	watch := time.AfterFunc(limit+e.opts.Overdue, func() { e.giveUp(o, turn) })
	defer watch.Stop()
	err := e.call(string(o.order.Type), func() error { return call(ctx) })
	if err == nil || ctx.Err() == nil || o.u.h.ctx.Err() != nil {
		return err
	}
	if _, ok := errors.AsType[*smokerr.OperationFailedError](err); ok {
		return err
	}
	return smokerr.OperationFailed(string(o.order.Type), o.order.Path, smokerr.ReasonTimeout, time.Now(), err)
}

// giveUp ends an order whose call goes on after its time. The call keeps its path.
func (e *Executor) giveUp(o *op, turn int) {
	err := smokerr.OperationFailed(string(o.order.Type), o.order.Path, smokerr.ReasonTimeout, time.Now(), errOverdue)
	e.mu.Lock()
	if o.state != running || o.overdue || o.turn != turn {
		e.mu.Unlock()
		return
	}
	e.detach(o, err)
	e.dispatch()
	e.mu.Unlock()
	e.report(err)
}

// detach ends an order whose call goes on. The caller holds e.mu.
func (e *Executor) detach(o *op, err error) {
	o.overdue = true
	e.stuck++
	e.running--
	out := Outcome{Status: Failed, Err: err, Attempts: o.attempts}
	if o.u.h.ctx.Err() != nil {
		out.Status = o.u.h.fate()
	}
	e.end(o, out)
}

// acknowledge lets the submission of a disruptive order be acknowledged, once. If that fails, the submission is abandoned.
func (e *Executor) acknowledge(ctx context.Context, o *op) error {
	h := o.u.h
	if !o.u.disruptive || h.acknowledge == nil {
		return h.err
	}
	acknowledge := h.acknowledge
	h.acknowledge = nil
	err := e.call("acknowledge", func() error { return acknowledge(ctx) })
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		h.abandoned, h.err = true, err
	}
	return err
}

// curable reports whether another attempt may succeed.
func curable(o *op, err error) bool {
	if o.order.Type == order.Message {
		if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
			return response.Retryable()
		}
		return errkit.Transient(err)
	}
	return !errors.Is(err, errkit.Invalid) && !errors.Is(err, errkit.Unsupported) && !errors.Is(err, smokerr.ErrPanic)
}

// maxRetryAfter limits how long the hub can ask to wait.
const maxRetryAfter = 5 * time.Minute

func (e *Executor) delay(o *op, err error) time.Duration {
	if o.order.Type != order.Message {
		return e.opts.ForceBackoff.Delay(o.attempts)
	}
	after, _ := errkit.RetryAfter(err)
	return max(e.opts.MessageBackoff.Delay(o.attempts), min(after, maxRetryAfter))
}

// call calls a function of the program and makes an error of its panic.
func (e *Executor) call(op string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = smokerr.Panic(op, v)
			e.report(err)
		}
	}()
	return fn()
}

// report tells the program. If that panics as well, there is nobody left to tell.
func (e *Executor) report(err error) {
	if e.opts.Report == nil {
		return
	}
	defer func() { _ = recover() }()
	e.opts.Report(err)
}
