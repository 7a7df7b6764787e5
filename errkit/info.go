package errkit

import (
	"fmt"
	"time"
)

// Info is what every typed error carries, embedded by value. It is filled by the constructor and read-only
// from then on, so that one error value may be shared between goroutines.
//
// Info has no Error method on purpose: a type that embeds it and forgets its own is no error and does not
// compile as one.
type Info struct {
	Class      *Class        // what was raised; never nil in an error of a module
	Op         string        // what was tried: "atx.Click", "connect", "emit"
	Target     string        // with whom: URL, host, namespace, pathpoint; without secrets
	Kind       Kind          // kinds known only at run time, beside those of the class
	Attempts   int           // tries made, the failed one included; 0 if not counted
	RetryAfter time.Duration // when to try again, as the peer said; 0 if it did not
	Err        error         // the cause; nil if there is none
}

// Error is implemented by every typed error of every module.
type Error interface {
	error
	ErrorInfo() *Info
}

// ErrorInfo returns i: the common part of a typed error.
func (i *Info) ErrorInfo() *Info { return i }

// Unwrap returns the cause.
func (i *Info) Unwrap() error { return i.Err }

// Is reports whether target is the class of the error or one above it, a [Kind] whose bits the error has,
// [os.ErrDeadlineExceeded] for an error of kind [Timeout], or [net.ErrClosed] for one of kind [Closed].
// It does not look at the cause; [errors.Is] does that.
func (i *Info) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return i.Kinds().Has(t)
	case *Class:
		return i.Class.under(t)
	}
	return i.Kinds().isStandard(target)
}

// Kinds returns the kinds of the class and those of this error. It does not look at the cause.
func (i *Info) Kinds() Kind {
	if i.Class == nil {
		return i.Kind
	}
	return i.Class.kind | i.Kind
}

// Timeout reports whether the error has the kind [Timeout]. With Temporary it makes every typed error a
// [net.Error].
func (i *Info) Timeout() bool { return i.Kinds().Has(Timeout) }

// Temporary reports whether the kinds of this error say that the same call may succeed later: the rule of
// [Transient] on this layer alone.
func (i *Info) Temporary() bool { return i.Kinds().transient() }

// Basic is the typed error of classes that have no fields of their own.
type Basic struct{ Info }

// Error returns the text built by [Message].
func (e *Basic) Error() string { return Message(&e.Info, "") }

// Errorf returns a *[Basic] of class c whose text ends in the formatted message. With %w the wrapped errors
// become causes; see [CleanCause] for one that holds an address.
func (c *Class) Errorf(op, format string, a ...any) error {
	cause := CleanCause(fmt.Errorf(format, a...))
	return &Basic{Info{Class: c, Op: op, Kind: TransportKind(cause), Err: cause}}
}
