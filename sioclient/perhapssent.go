package sioclient

import (
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// perhapsSent hides that err says of some last step that nothing was sent: what it is the cause of may have been sent
// before.
func perhapsSent(err error) error {
	if !errors.Is(err, errkit.NotSent) {
		return err
	}
	return &perhapsSentError{err}
}

type perhapsSentError struct{ err error }

func (e *perhapsSentError) Error() string { return e.err.Error() }

func (e *perhapsSentError) Is(target error) bool {
	if k, ok := target.(errkit.Kind); ok && k.Has(errkit.NotSent) {
		return false
	}
	return errors.Is(e.err, target)
}

func (e *perhapsSentError) As(target any) bool { return errors.As(e.err, target) }

// Kinds and ClassCode are what package errkit asks.
func (e *perhapsSentError) Kinds() errkit.Kind { return errkit.KindOf(e.err) &^ errkit.NotSent }

func (e *perhapsSentError) ClassCode() string { return errkit.CodeOf(e.err) }
