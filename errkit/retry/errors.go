package retry

import (
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of the errors that this package makes itself. All of them have the kind [errkit.Exhausted], so
// that [errkit.Transient] is false: a loop around the loop does not multiply the attempts.
var (
	// Err is the class of all of them.
	Err = errkit.NewClass("retry", "gave up", errkit.Exhausted)
	// ErrExhausted says that no attempt or no time is left. The type is *[ExhaustedError].
	ErrExhausted = Err.New("exhausted", "gave up", 0)
	// ErrBudget says that the [Budget] could not pay for a retry. The type is *[BudgetError].
	ErrBudget = ErrExhausted.New("budget", "no budget", 0)
)

// ExhaustedError reports a call that failed although another attempt might have succeeded. Its Attempts are those
// that were made, its Err is the error of the last one.
//
// When the caller's context was the reason, because it ended or because its deadline would have passed before the
// next attempt, the error also matches what the context says: [context.Canceled] or [context.DeadlineExceeded],
// and [errkit.Canceled] or [errkit.Timeout].
type ExhaustedError struct {
	errkit.Info
	Elapsed time.Duration // from the beginning of the call to its end

	limit string // what ran out, for the text
	done  error  // the context's own error; nil if it was not the reason
}

func gaveUp(class *errkit.Class, cause error) ExhaustedError {
	return ExhaustedError{Info: errkit.Info{
		Class: class,
		Kind:  errkit.TransportKind(cause),
		Err:   errkit.CleanCause(cause),
	}}
}

// Error returns the text built by [errkit.Message].
func (e *ExhaustedError) Error() string { return errkit.Message(&e.Info, e.limit) }

// ErrorAttrs returns the fields of the error for logs and reports.
func (e *ExhaustedError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Duration("elapsed", e.Elapsed)}
}

// Unwrap returns the error of the last attempt and, if there is one, that of the context.
func (e *ExhaustedError) Unwrap() []error {
	if e.done == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.done}
}

// BudgetError is an ExhaustedError: the retry was not made because too many went before it.
type BudgetError struct {
	ExhaustedError
	Tokens int // left in the bucket
	Cost   int // of the retry
}

// Error returns the text built by [errkit.Message].
func (e *BudgetError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Tokens)+" tokens left, a retry costs "+strconv.Itoa(e.Cost))
}

// ErrorAttrs returns the fields of the error for logs and reports.
func (e *BudgetError) ErrorAttrs() []slog.Attr {
	return append(e.ExhaustedError.ErrorAttrs(), slog.Int("tokens", e.Tokens), slog.Int("cost", e.Cost))
}

// As makes a BudgetError an *[ExhaustedError] for [errors.As].
func (e *BudgetError) As(target any) bool {
	p, ok := target.(**ExhaustedError)
	if ok {
		*p = &e.ExhaustedError
	}
	return ok
}

// unsure hides the kind NotSent of an attempt's error when an attempt before it, or another of the joined errors, says
// that the peer may have been reached: of the call as a whole NotSent is not certain.
type unsure struct{ err error }

func (e *unsure) Error() string { return e.err.Error() }

func (e *unsure) Is(target error) bool {
	if k, ok := target.(errkit.Kind); ok && k&errkit.NotSent != 0 {
		return false
	}
	return errors.Is(e.err, target)
}

func (e *unsure) As(target any) bool { return errors.As(e.err, target) }

// Kinds, ClassCode, Transient and RetryAfter are what package errkit asks.
func (e *unsure) Kinds() errkit.Kind { return errkit.KindOf(e.err) &^ errkit.NotSent }

func (e *unsure) ClassCode() string { return errkit.CodeOf(e.err) }

func (e *unsure) Transient() bool { return errkit.Transient(e.err) }

func (e *unsure) RetryAfter() time.Duration {
	d, _ := errkit.RetryAfter(e.err)
	return d
}
