package wserr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Direction says which way a message went.
type Direction string

const (
	// Inbound is from the peer.
	Inbound Direction = "in"
	// Outbound is to the peer.
	Outbound Direction = "out"
)

// QueueFullError reports that a bounded queue had no room. Info.Op is "receive" or "send"; a message that was to be
// sent is certain not to have been.
//
// From a receiving call it is a gap: DroppedCount messages are missing at this place, and the call after it goes on
// with the next one.
type QueueFullError struct {
	errkit.Info
	QueueSize    int       // room of the queue, in messages
	DroppedCount uint64    // messages lost
	Direction    Direction // which queue; empty if there is only one, as with a log on disk
	Bytes        int64     // what the queue held, in bytes; 0 if not known
}

func (e *QueueFullError) Error() string {
	return errkit.Message(&e.Info, "size "+strconv.Itoa(e.QueueSize)+", dropped "+strconv.FormatUint(e.DroppedCount, 10))
}

// ErrorAttrs returns the queue's size and losses for structured logs.
func (e *QueueFullError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("queue_size", e.QueueSize), slog.Uint64("dropped_count", e.DroppedCount),
		slog.String("direction", string(e.Direction)), slog.Int64("bytes", e.Bytes),
	}
}

// DrainError reports that a shutdown ended before everything was sent. The cause is that of the context that ended it,
// or what ended the connection.
type DrainError struct {
	errkit.Info
	Unsent  int // messages that were not written
	Unacked int // messages that were written and not acknowledged
}

func (e *DrainError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Unsent)+" unsent, "+strconv.Itoa(e.Unacked)+" unacknowledged")
}

// ErrorAttrs returns the numbers of messages for structured logs.
func (e *DrainError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("unsent", e.Unsent), slog.Int("unacked", e.Unacked)}
}
