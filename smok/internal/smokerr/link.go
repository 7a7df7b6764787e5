package smokerr

import (
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
)

// Link returns the error of op on the order link, with an error of package ngtt as its cause, so that it matches both
// [Err] and ngtt.Err. It is an [InvalidCredentialsError], an [InvalidArgumentError], one of class [ErrClosed], or a
// [SyncError] of "orders". It is nil if cause is nil.
func Link(op string, cause error) error {
	if cause == nil {
		return nil
	}
	if credentials, ok := errors.AsType[*ngtt.InvalidCredentialsError](cause); ok {
		return InvalidCredentials(op, credentials.Field, cause)
	}
	if config, ok := errors.AsType[*ngtt.ConfigurationError](cause); ok {
		return InvalidArgument(op, config.Field, config.Reason, cause)
	}
	if errors.Is(cause, ngtt.ErrClosed) {
		return &errkit.Basic{Info: errkit.Info{Class: ErrClosed, Op: op, Kind: errkit.NotSent, Err: cause}}
	}
	return Sync(op, "orders", cause)
}

// lostLink reports whether err says that there is no order link.
func lostLink(err error) bool { return errors.Is(err, ngtt.ErrConnectionFailed) }

// refusedByLink reports whether err says that the hub refused what came over the order link.
func refusedByLink(err error) bool { return errors.Is(err, ngtt.ErrDataStreamSyncFailed) }
