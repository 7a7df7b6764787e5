package errkit

import (
	"context"
	"errors"
	"net/url"
)

// FromContext returns why ctx is done: nil if it is not, otherwise an error that matches ctx.Err(), the
// [context.Cause], and the kind [Canceled] or [Timeout] with what stands for it (see [Info.Is]).
//
// When a call fails and ctx is done, the context is the reason, whatever the layers below report: a read that
// was interrupted says "use of closed network connection".
func FromContext(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		cause = nil // nothing beyond err
	}
	return &contextError{err: err, cause: cause}
}

type contextError struct{ err, cause error }

func (e *contextError) Error() string {
	if e.cause == nil {
		return e.err.Error()
	}
	return e.err.Error() + ": " + e.cause.Error()
}

func (e *contextError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.err}
	}
	return []error{e.err, e.cause}
}

// Kinds speaks of the context alone: the cause says why the caller ended it, not what went wrong.
func (e *contextError) Kinds() Kind {
	if e.err == context.DeadlineExceeded {
		return Timeout
	}
	return Canceled
}

func (e *contextError) Is(target error) bool { return e.Kinds().Is(target) }

// CleanCause returns what is inside a *[url.Error]: its text holds the full address, query included, and
// method and address are in Op and Target already. Texts that were built around it go with it. An error of
// url.Parse is replaced by [Invalid], since all of its text is input. Of joined errors each is cleaned. The
// search ends at the first error of this house; errors without a *url.Error come back as they are.
func CleanCause(err error) error {
	if !hasAddress(err) {
		return err
	}
	return cleanCause(err, 0)
}

// hasAddress reports whether there is a *url.Error above the errors of this house.
func hasAddress(err error) bool {
	var w walker
	for err != nil {
		if _, own := ownKinds(err); own {
			err = w.aside()
			continue
		}
		if _, ok := err.(*url.Error); ok {
			return true
		}
		err = w.below(err)
	}
	return false
}

// maxJoins is how deep CleanCause looks into joined errors inside joined errors.
const maxJoins = 8

func cleanCause(err error, joins int) error {
	clean := err
	for range maxLayers {
		if _, own := ownKinds(err); own || err == nil {
			break
		}
		if u, ok := err.(*url.Error); ok {
			if u.Op == "parse" {
				return Invalid
			}
			if clean = u.Err; clean == nil {
				return Kind(0)
			}
		}
		members, cause := unwrap(err)
		if members != nil && hasAddress(err) {
			return cleanMembers(members, joins)
		}
		err = cause
	}
	return clean
}

func cleanMembers(members []error, joins int) error {
	clean := make([]error, len(members))
	for i, m := range members {
		switch {
		case !hasAddress(m):
			clean[i] = m
		case joins == maxJoins:
			clean[i] = KindOf(m) // too deep: kinds have no text of others
		default:
			clean[i] = cleanCause(m, joins+1)
		}
	}
	return errors.Join(clean...)
}
