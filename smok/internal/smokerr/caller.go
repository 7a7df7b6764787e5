package smokerr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of what a caller asked for and cannot have.
var (
	// ErrInvalidCredentials: the device's certificate or key cannot be used. See [InvalidCredentialsError].
	ErrInvalidCredentials = Err.New("credentials", "invalid credentials", errkit.Auth|errkit.Invalid|errkit.NotSent)

	// ErrInstanceNotReady: something was used before it belonged to a device, or before its first synchronisation. See
	// [InstanceNotReadyError].
	ErrInstanceNotReady = Err.New("notready", "not ready", errkit.NotReady|errkit.NotSent)

	// ErrUnavailable: the area is switched off in this device.
	ErrUnavailable = Err.New("unavailable", "switched off in this device", errkit.Unsupported|errkit.NotSent)

	// ErrSyncDisabled: the network is switched off in this device. It is below [ErrUnavailable].
	ErrSyncDisabled = ErrUnavailable.New("sync", "the network is switched off in this device", 0)

	// ErrClosed: the device was closed. A call that was made after that has the kind NotSent; one that was under way
	// has it only if it certainly did not reach the hub.
	ErrClosed = Err.New("closed", "device closed", errkit.Closed)

	// ErrInvalidArgument: an option or an argument cannot be used. See [InvalidArgumentError].
	ErrInvalidArgument = Err.New("invalid", "invalid argument", errkit.Invalid|errkit.NotSent)

	// ErrNotFound: there is no such pathpoint, sensor, BAOB, event or metadata. See [NotFoundError].
	ErrNotFound = Err.New("notfound", "not found", errkit.NotFound)

	// ErrStale: a value is not newer than the one that the pathpoint has. Nothing changed.
	ErrStale = Err.New("stale", "not newer than the current value", errkit.Conflict|errkit.NotSent)
)

// InvalidCredentialsError reports a device's certificate or key that cannot be used.
type InvalidCredentialsError struct {
	errkit.Info
	Field string // "certificate", "key", "device_id", "environment" or "validity"
}

// InvalidCredentials returns an *[InvalidCredentialsError]. The cause must not hold any of the key.
func InvalidCredentials(op, field string, cause error) error {
	return &InvalidCredentialsError{
		Info: errkit.Info{Class: ErrInvalidCredentials, Op: op, Err: errkit.CleanCause(cause)}, Field: field,
	}
}

// Error returns one line with the field and the cause.
func (e *InvalidCredentialsError) Error() string { return errkit.Message(&e.Info, e.Field) }

// ErrorAttrs returns the fields for logs and reports.
func (e *InvalidCredentialsError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field)}
}

// InstanceNotReadyError reports the use of something before it belonged to a device, or before its first
// synchronisation. Info.Op names the method.
type InstanceNotReadyError struct{ errkit.Info }

// InstanceNotReady returns an *[InstanceNotReadyError].
func InstanceNotReady(op, target string) error {
	return &InstanceNotReadyError{errkit.Info{Class: ErrInstanceNotReady, Op: op, Target: target}}
}

// Error returns one line.
func (e *InstanceNotReadyError) Error() string { return errkit.Message(&e.Info, "") }

// InvalidArgumentError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
type InvalidArgumentError struct {
	errkit.Info
	Field  string // the option or argument
	Reason string // what is wrong with it
}

// InvalidArgument returns an *[InvalidArgumentError]. The reason must not hold a secret.
func InvalidArgument(op, field, reason string, cause error) error {
	return &InvalidArgumentError{
		Info:  errkit.Info{Class: ErrInvalidArgument, Op: op, Err: errkit.CleanCause(cause)},
		Field: field, Reason: reason,
	}
}

// Error returns one line with the field and what is wrong with it.
func (e *InvalidArgumentError) Error() string { return errkit.Message(&e.Info, e.Field+": "+e.Reason) }

// ErrorAttrs returns the fields for logs and reports.
func (e *InvalidArgumentError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field), slog.String("reason", e.Reason)}
}

// NotFoundError reports a key that nothing is stored under.
type NotFoundError struct {
	errkit.Info
	What string // "pathpoint", "sensor", "baob", "event", "metadata"
	Key  string
}

// NotFound returns a *[NotFoundError].
func NotFound(op, what, key string) error {
	return &NotFoundError{Info: errkit.Info{Class: ErrNotFound, Op: op}, What: what, Key: key}
}

// Error returns one line with the key.
func (e *NotFoundError) Error() string {
	return errkit.Message(&e.Info, e.What+" "+strconv.Quote(e.Key))
}

// ErrorAttrs returns the fields for logs and reports.
func (e *NotFoundError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("what", e.What), slog.String("key", e.Key)}
}

// Closed returns the error of a call on a device that was closed before.
func Closed(op string) error {
	return &errkit.Basic{Info: errkit.Info{Class: ErrClosed, Op: op, Kind: errkit.NotSent}}
}

// Stale returns the error of a value for the pathpoint that is not newer than the one it has.
func Stale(op, pathpoint string) error {
	return &errkit.Basic{Info: errkit.Info{Class: ErrStale, Op: op, Target: pathpoint}}
}
