package errkit

import (
	"context"
	"net/url"
)

// FromContext returns why ctx is done: nil if it is not, otherwise an error that matches ctx.Err(), the
// [context.Cause] and the kind [Canceled] or [Timeout].
//
// When a call fails and ctx is done, the context is the reason, whatever the layers below report: a read that
// was interrupted says "use of closed network connection".
func FromContext(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	return &contextError{err: err, cause: context.Cause(ctx)}
}

type contextError struct{ err, cause error }

func (e *contextError) Error() string {
	if e.cause == e.err {
		return e.err.Error()
	}
	return e.err.Error() + ": " + e.cause.Error()
}

func (e *contextError) Unwrap() []error { return []error{e.err, e.cause} }

// Kinds speaks of the context alone: the cause says why the caller ended it, not what went wrong.
func (e *contextError) Kinds() Kind {
	if e.err == context.DeadlineExceeded {
		return Timeout
	}
	return Canceled
}

func (e *contextError) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && e.Kinds().Has(k)
}

// CleanCause returns what is inside a *[url.Error]: its text holds the full address, query included, and
// method and address are in Op and Target already. An error of url.Parse is replaced by [Invalid], since all of
// its text is input. The search ends at the first error of this house; errors without a *url.Error come back
// as they are.
func CleanCause(err error) error {
	clean := err
	e := err
	for range maxLayers {
		if e == nil {
			break
		}
		if _, ok := ownKinds(e); ok {
			break
		}
		if u, ok := e.(*url.Error); ok {
			if u.Op == "parse" {
				return Invalid
			}
			clean = u.Err
		}
		e, _ = unwrap(e)
	}
	return clean
}
