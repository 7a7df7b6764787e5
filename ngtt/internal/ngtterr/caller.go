package ngtterr

import (
	"context"
	"log/slog"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// InvalidCredentialsError reports a device's certificate or key that cannot be used.
type InvalidCredentialsError struct {
	errkit.Info
	Field string // "certificate", "key", "device_id", "environment" or "validity"
}

// Credentials returns a *[InvalidCredentialsError] of op for field. The cause must not hold any of the key.
func Credentials(op, field string, cause error) error {
	return &InvalidCredentialsError{
		Info: errkit.Info{Class: ErrInvalidCredentials, Op: op, Err: errkit.CleanCause(cause)}, Field: field,
	}
}

func (e *InvalidCredentialsError) Error() string { return errkit.Message(&e.Info, e.Field) }

// ErrorAttrs returns the field's name for structured logs.
func (e *InvalidCredentialsError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field)}
}

// ConfigurationError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
type ConfigurationError struct {
	errkit.Info
	Field  string // the option or argument
	Reason string // what is wrong with it; never its value
}

// Configuration returns a *[ConfigurationError] of op.
func Configuration(op, field, reason string) error {
	return &ConfigurationError{Info: errkit.Info{Class: ErrConfiguration, Op: op}, Field: field, Reason: reason}
}

func (e *ConfigurationError) Error() string { return errkit.Message(&e.Info, e.Field+": "+e.Reason) }

// ErrorAttrs returns the field's name and the reason for structured logs.
func (e *ConfigurationError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("field", e.Field), slog.String("reason", e.Reason)}
}

// Interrupted returns the error of a call that ctx has ended. Its class is [Err] itself.
func Interrupted(ctx context.Context, op, target string) error {
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: Err, Op: op, Target: target, Kind: errkit.TransportKind(cause), Err: cause,
	}}
}
