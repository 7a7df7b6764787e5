package smokerr

import (
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of readings and writings of a pathpoint that failed. An [OperationFailedError] carries them.
var (
	// ErrOperationFailed: a pathpoint could not be read or written.
	ErrOperationFailed = Err.New("operation", "operation failed", 0)

	// ErrMalformed: the device behind the pathpoint answered nonsense.
	ErrMalformed = ErrOperationFailed.New("malformed", "malformed answer", errkit.Protocol)

	// ErrOperationTimeout: the device behind the pathpoint did not answer in time.
	ErrOperationTimeout = ErrOperationFailed.New("timeout", "no answer in time", errkit.Timeout)

	// ErrBadPathpoint: the device behind the pathpoint knows nothing of it.
	ErrBadPathpoint = ErrOperationFailed.New("invalid", "no such pathpoint", errkit.NotFound)

	// ErrType: the value does not fit the type of the pathpoint.
	ErrType = ErrOperationFailed.New("type", "value of a wrong type", errkit.Invalid)

	// ErrNotRead: the pathpoint was never read. See [NotReadError].
	ErrNotRead = ErrOperationFailed.New("notread", "never read", errkit.NotReady)
)

// Reason says why an operation on a pathpoint failed, as the hub spells it. Unknown ones are kept.
type Reason string

// The reasons.
const (
	ReasonMalformed Reason = "malformed" // the device behind the pathpoint answered nonsense
	ReasonTimeout   Reason = "timeout"   // it did not answer in time
	ReasonInvalid   Reason = "invalid"   // it knows nothing of this pathpoint
	ReasonType      Reason = "type"      // the value does not fit the type
)

// class returns the class of the reason, and the kinds that an unknown one has.
func (r Reason) class() (*errkit.Class, errkit.Kind) {
	switch r {
	case ReasonMalformed:
		return ErrMalformed, 0
	case ReasonTimeout:
		return ErrOperationTimeout, 0
	case ReasonInvalid:
		return ErrBadPathpoint, 0
	case ReasonType:
		return ErrType, 0
	}
	return ErrOperationFailed, errkit.Protocol
}

// OperationFailedError reports that a pathpoint, Info.Target, could not be read or written. It takes the place of a value
// in the pathpoint's history. Make one with [OperationFailed], which classifies it by its reason.
type OperationFailedError struct {
	errkit.Info
	Reason Reason
	Time   time.Time // of the failure; zero if it is not known
}

// OperationFailed returns the error of a pathpoint that could not be read or written at the given time. The cause may be
// nil.
func OperationFailed(op, pathpoint string, reason Reason, at time.Time, cause error) *OperationFailedError {
	class, kind := reason.class()
	return &OperationFailedError{
		Info:   errkit.Info{Class: class, Op: op, Target: pathpoint, Kind: kind, Err: errkit.CleanCause(cause)},
		Reason: reason, Time: at,
	}
}

// Error returns one line with the reason.
func (e *OperationFailedError) Error() string { return errkit.Message(&e.Info, string(e.Reason)) }

// ErrorAttrs returns the reason, and the time in milliseconds since 1970 if it is known, for logs and reports.
func (e *OperationFailedError) ErrorAttrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("reason", string(e.Reason))}
	if !e.Time.IsZero() {
		attrs = append(attrs, slog.Int64("timestamp", e.Time.UnixMilli()))
	}
	return attrs
}

// NotReadError reports that a pathpoint was never read. It is an [OperationFailedError] without a reason.
type NotReadError struct{ OperationFailedError }

// NotRead returns a *[NotReadError].
func NotRead(op, pathpoint string) error {
	return &NotReadError{OperationFailedError{Info: errkit.Info{Class: ErrNotRead, Op: op, Target: pathpoint}}}
}

// As lets errors.As find the [OperationFailedError] that every NotReadError is.
func (e *NotReadError) As(target any) bool {
	p, ok := target.(**OperationFailedError)
	if ok {
		*p = &e.OperationFailedError
	}
	return ok
}
