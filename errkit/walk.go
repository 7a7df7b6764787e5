package errkit

import "iter"

// maxLayers bounds every walk: an error whose Unwrap leads back to itself ends a walk instead of hanging it.
const maxLayers = 1 << 14

// Walk yields err and everything below it, an error before its causes and the causes in order, following
// Unwrap() error and Unwrap() []error. It needs no recursion and stops after 16,384 errors.
func Walk(err error) iter.Seq[error] {
	return func(yield func(error) bool) {
		var w walker
		for ; err != nil; err = w.below(err) {
			if !yield(err) {
				return
			}
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

// walker goes through a tree of errors in pre-order. It allocates only for joined errors.
type walker struct {
	waiting []error // members of joined errors still to visit, the next one last
	steps   int
	linked  bool // above in the present branch is a failed read or write; see classify
}

// below returns what follows err: its cause, the first of its causes, or what follows the branch that it ends.
func (w *walker) below(err error) error {
	members, cause := unwrap(err)
	if cause != nil {
		return w.step(cause)
	}
	for i := len(members) - 1; i >= 0; i-- {
		if members[i] != nil {
			w.waiting = append(w.waiting, members[i])
		}
	}
	return w.aside()
}

// aside returns what follows the present branch, without what is below in it.
func (w *walker) aside() error {
	w.linked = false
	last := len(w.waiting) - 1
	if last < 0 {
		return nil
	}
	err := w.waiting[last]
	w.waiting = w.waiting[:last]
	return w.step(err)
}

func (w *walker) step(err error) error {
	w.steps++
	if w.steps >= maxLayers {
		return nil
	}
	return err
}

// unwrap returns the cause or the causes of err.
func unwrap(err error) (members []error, cause error) {
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		return nil, x.Unwrap()
	case interface{ Unwrap() []error }:
		return x.Unwrap(), nil
	}
	return nil, nil
}
