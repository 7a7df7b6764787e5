package wserr

import (
	"errors"
	"io/fs"
	"log/slog"
	"syscall"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of the durable log.
var (
	// ErrSpool: the disk under a durable log failed. See [SpoolError].
	ErrSpool = Err.New("spool", "disk log failed", 0)

	// ErrSpoolClosed: a durable log was used after it was closed.
	ErrSpoolClosed = ErrSpool.New("closed", "disk log closed", errkit.Closed|errkit.NotSent)
)

// SpoolError reports that the disk under a durable log failed: no space, read-only, an input or output error. The
// cause keeps its type, such as *[fs.PathError] with a [syscall.Errno].
//
// The kinds follow the cause: no space is errkit.Full, which may pass; a directory that must not be written is
// errkit.Denied; the rest is errkit.Internal.
type SpoolError struct {
	errkit.Info
	Path string // the file or directory
}

// Spool returns a *[SpoolError] of op on the file or directory path.
func Spool(op, path string, cause error) error {
	return &SpoolError{
		Info: errkit.Info{Class: ErrSpool, Op: op, Kind: diskKind(cause), Err: errkit.CleanCause(cause)},
		Path: path,
	}
}

// SpoolClosed returns the error of op on a log that was closed.
func SpoolClosed(op string) error { return ErrSpoolClosed.Wrap(op, "", nil) }

func diskKind(cause error) errkit.Kind {
	switch {
	case errors.Is(cause, syscall.ENOSPC), errors.Is(cause, syscall.EDQUOT):
		return errkit.Full
	case errors.Is(cause, syscall.EROFS), errors.Is(cause, fs.ErrPermission):
		return errkit.Denied
	}
	return errkit.Internal
}

func (e *SpoolError) Error() string { return errkit.Message(&e.Info, e.Path) }

// ErrorAttrs returns the path for structured logs.
func (e *SpoolError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.String("path", e.Path)} }
