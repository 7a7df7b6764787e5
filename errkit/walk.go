package errkit

import "iter"

// maxLayers bounds every walk: an error whose Unwrap leads back to itself ends a walk instead of hanging it.
const maxLayers = 1 << 16

// Walk yields err and everything below it, an error before its causes and the causes in order, following
// Unwrap() error and Unwrap() []error. It needs no recursion and stops after 65,536 errors.
func Walk(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		var waiting []error // siblings to visit, the next one last
		for range maxLayers {
			if err == nil {
				if len(waiting) == 0 {
					return
				}
				err, waiting = waiting[len(waiting)-1], waiting[:len(waiting)-1]
				continue
			}
			if !yield(err) {
				return
			}
			next, members := unwrap(err)
			for i := len(members) - 1; i >= 0; i-- {
				waiting = append(waiting, members[i])
			}
			err = next
		}
	}
}

// All yields every error of the chain that is an E, outermost first, also those that their As method offers.
// [errors.AsType] gives only the first.
func All[E error](err error) iter.Seq[E] {
	return func(yield func(E) bool) {
		for e := range Walk(err) {
			found, ok := e.(E)
			if !ok {
				x, can := e.(interface{ As(any) bool })
				ok = can && x.As(&found)
			}
			if ok && !yield(found) {
				return
			}
		}
	}
}

// unwrap returns the cause or the causes of err.
func unwrap(err error) (cause error, causes []error) {
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		return x.Unwrap(), nil
	case interface{ Unwrap() []error }:
		return nil, x.Unwrap()
	}
	return nil, nil
}
