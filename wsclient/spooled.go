//go:build !js

package wsclient

import (
	"context"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// Spool keeps messages that are to be sent where they survive the process, in the order of their numbers. It is
// implemented by *[spool.Spool]; see there for what the methods must do. The spool belongs to one manager alone, which
// does not close it.
type Spool interface {
	Append(ctx context.Context, e spool.Entry) (seq uint64, err error)
	PeekFrom(seq uint64, n int) ([]spool.Record, error)
	Remove(upTo uint64) error
	Quarantine(seq uint64, reason string) error
	Stats() spool.Stats
}

// SpoolFailure says what happens to a message that the spool does not take because the disk fails: no space, read-only,
// an input or output error.
type SpoolFailure int

const (
	// SpoolRefuse returns the *SpoolError to the sender, and the message is not accepted.
	SpoolRefuse SpoolFailure = iota
	// SpoolFallback keeps messages in memory, within [SendOptions.MaxMessages] and MaxBytes, where they do not survive
	// the process. Order is kept: they come behind all that is in the spool, and what is accepted after them comes
	// behind them. At most once a second a message that is accepted has the disk tried again; if it works, those in
	// memory that are not being sent yet move to the spool first. So they do when the manager is closed.
	SpoolFallback
)
