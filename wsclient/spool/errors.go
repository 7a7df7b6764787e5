package spool

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// The errors of the package. They are those of package wsclient and match its Err.
type (
	// SpoolError reports that the disk failed: no space, read-only, an input or output error.
	SpoolError = wserr.SpoolError
	// ConfigError reports an option or an argument that cannot be used, and a directory that is open already.
	ConfigError = wserr.ConfigError
	// QueueFullError reports that there is no room.
	QueueFullError = wserr.QueueFullError
	// MessageTooBigError reports a payload above [MaxPayload] or above [Options.MaxBytes].
	MessageTooBigError = wserr.MessageTooBigError
)

// The sentinels of the package. ErrClosed is below Err.
var (
	// Err is matched by every failure of the disk.
	Err = wserr.ErrSpool
	// ErrClosed is returned by every call after Close.
	ErrClosed = wserr.ErrSpoolClosed
	// ErrConfig is matched by every *[ConfigError].
	ErrConfig = wserr.ErrConfig
	// ErrQueueFull is matched by every *[QueueFullError].
	ErrQueueFull = wserr.ErrQueueFull
	// ErrMessageTooBig is matched by every *[MessageTooBigError].
	ErrMessageTooBig = wserr.ErrMessageTooBig
)

// errLocked is the error for a second opener.
func errLocked(op, dir string) error {
	return &ConfigError{
		Info:  errkit.Info{Class: ErrConfig, Op: op, Target: dir, Kind: errkit.Conflict, Err: fact("open already")},
		Field: "dir",
	}
}

func errTooBig(size, limit int64) error {
	return &MessageTooBigError{
		ProtocolError: wserr.ProtocolError{Info: errkit.Info{
			Class: ErrMessageTooBig, Op: "spool.append", Kind: errkit.Invalid | errkit.NotSent,
		}},
		Size: size, Limit: limit,
	}
}

// fact is an error made of words alone.
type fact string

func (f fact) Error() string { return string(f) }
