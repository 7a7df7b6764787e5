package retry

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Policy says what [Do] repeats, how often and how fast. The zero value is ready to use. Do copies it.
type Policy struct {
	// MaxAttempts limits the attempts, the first one included. Zero means 4, negative means no limit: then the
	// context or MaxElapsed should set one.
	MaxAttempts int

	// MaxElapsed limits the time from the beginning of the call to the beginning of its last attempt. Zero or
	// less means no limit. It does not cut an attempt short; the context does that.
	MaxElapsed time.Duration

	// Backoff gives the delays between the attempts.
	Backoff Backoff

	// Budget pays for the retries. It belongs to the destination: share it between all calls to the same one.
	// Nil means that retries are free.
	Budget *Budget

	// NotSentOnly is for calls that must not be repeated blindly, such as the press of a power button: they are
	// repeated only after errors that match [errkit.NotSent], which say for certain that nothing happened. Of joined
	// errors all have to.
	NotSentOnly bool

	// OnRetry, if not nil, is called before the wait for each retry with the number of the attempt that failed,
	// the delay and the error of the attempt. It runs on the goroutine of the caller of Do.
	OnRetry func(attempt int, delay time.Duration, err error)
}

// Do calls fn until it succeeds, fails in a way that another attempt cannot cure, or the policy or ctx set an end.
// A nil policy means the defaults.
//
// It repeats after errors for which [errkit.Transient] holds, and those alone of them that [Policy].NotSentOnly
// leaves. Any other error comes back as fn returned it (but see below). So does that of a single attempt: if
// MaxAttempts is 1, or if ctx ended the first one and the error says so. When Do gives up on a call that it would
// have repeated, it returns an *[ExhaustedError], or a *[BudgetError] if the budget is empty, with the number of
// attempts and the error of the last one.
//
// A context that is done before the first attempt gives [errkit.FromContext], and fn is not called. Do never
// sleeps past the deadline of ctx: if the delay would, it gives up at once. That error matches
// [context.DeadlineExceeded], since the caller's deadline is the reason, although it is still to come.
//
// An error matches [errkit.NotSent] only if none of the attempts can have reached the peer.
func Do(ctx context.Context, policy *Policy, fn func(ctx context.Context) error) error {
	_, err := DoValue(ctx, policy, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) })
	return err
}

// DoValue is [Do] for a function that also returns a value: that of the last attempt.
func DoValue[T any](ctx context.Context, policy *Policy, fn func(ctx context.Context) (T, error)) (T, error) {
	if err := errkit.FromContext(ctx); err != nil {
		var none T
		return none, err
	}
	c := begin(policy)
	for {
		value, err := fn(ctx)
		if err == nil {
			c.policy.Budget.Deposit(c.paid)
			return value, nil
		}
		if err := c.again(ctx, err); err != nil {
			return value, err
		}
	}
}

// call is one run of Do.
type call struct {
	policy   Policy
	began    time.Time
	pacer    pacer
	attempts int
	paid     int  // for the retry under way
	arrived  bool // an attempt may have reached the peer
}

func begin(policy *Policy) call {
	c := call{began: time.Now()}
	if policy != nil {
		c.policy = *policy
	}
	if c.policy.MaxAttempts == 0 {
		c.policy.MaxAttempts = 4
	}
	c.pacer = c.policy.Backoff.pacer()
	return c
}

// again waits until the next attempt is due after one that failed with err, and returns nil; or it returns the
// error of the call.
func (c *call) again(ctx context.Context, err error) error {
	c.attempts++
	c.arrived = c.arrived || !notSent(err)
	if c.arrived && errors.Is(err, errkit.NotSent) {
		err = &unsure{errkit.CleanCause(err)}
	}
	switch {
	case !errkit.Transient(err) || c.policy.NotSentOnly && c.arrived:
		return err
	case ctx.Err() != nil:
		if c.attempts == 1 && errors.Is(err, ctx.Err()) {
			return err
		}
		return c.ended(err, errkit.FromContext(ctx))
	case c.policy.MaxAttempts == 1:
		return err
	case c.attempts == c.policy.MaxAttempts:
		return c.exhausted(err, "")
	}

	delay := c.pacer.next(err)
	if limit := c.policy.MaxElapsed; limit > 0 && delay > limit-time.Since(c.began) {
		return c.exhausted(err, "no time left of "+limit.String())
	}
	if deadline, ok := ctx.Deadline(); ok && delay >= time.Until(deadline) {
		return c.ended(err, context.DeadlineExceeded)
	}
	cost, left, ok := c.policy.Budget.take(err)
	if !ok {
		return &BudgetError{ExhaustedError: c.gaveUp(ErrBudget, err), Tokens: left, Cost: cost}
	}
	c.paid = cost
	if c.policy.OnRetry != nil {
		c.policy.OnRetry(c.attempts, delay, err)
	}
	if done := Wait(ctx, delay); done != nil {
		c.policy.Budget.put(int64(cost)) // the retry is not made
		return c.ended(err, done)
	}
	return nil
}

// notSent reports whether err matches [errkit.NotSent], as [errors.Is] does, except that of joined errors all have to.
func notSent(err error) bool {
	for err != nil {
		if x, ok := err.(interface{ Is(error) bool }); ok && x.Is(errkit.NotSent) {
			return true
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			members := joined.Unwrap()
			return len(members) > 0 && !slices.ContainsFunc(members, func(m error) bool { return !notSent(m) })
		}
		err = errors.Unwrap(err)
	}
	return false
}

func (c *call) exhausted(err error, limit string) error {
	e := c.gaveUp(ErrExhausted, err)
	e.limit = limit
	return &e
}

// ended is for a call that the caller's context ends, with the error done.
func (c *call) ended(err, done error) error {
	e := c.gaveUp(ErrExhausted, err)
	e.Kind |= errkit.KindOf(done)
	e.limit, e.done = done.Error(), done
	return &e
}

func (c *call) gaveUp(class *errkit.Class, err error) ExhaustedError {
	e := gaveUp(class, err)
	e.Attempts, e.Elapsed = c.attempts, time.Since(c.began)
	return e
}
