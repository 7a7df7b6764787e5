package outbox

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

const opSend = "send"

func errCanceled() error { return wserr.ErrCanceled.Wrap(opSend, "", nil) }

func errExpired() error { return wserr.ErrExpired.Wrap(opSend, "", nil) }

func errSealed() error {
	return &wserr.ClosedError{Info: errkit.Info{Class: wserr.ErrShuttingDown, Op: opSend}}
}

// errContext returns the error of a call whose context is done and that did nothing.
func errContext(ctx context.Context) error {
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: wserr.Err, Op: opSend, Kind: errkit.TransportKind(cause) | errkit.NotSent, Err: cause,
	}}
}

// errFull returns the error for a message that has no room. mu is held.
func (b *Box) errFull() error {
	return &wserr.QueueFullError{
		Info:      errkit.Info{Class: wserr.ErrQueueFull, Op: opSend, Kind: errkit.NotSent},
		QueueSize: b.cfg.MaxMessages, DroppedCount: b.stats.Dropped, Direction: wserr.Outbound,
		Bytes: b.wait.bytes + b.flight.bytes,
	}
}

func errTooBig(size int, limit int64) error {
	return &wserr.MessageTooBigError{
		ProtocolError: wserr.ProtocolError{Info: errkit.Info{
			Class: wserr.ErrMessageTooBig, Op: opSend, Kind: errkit.Invalid | errkit.NotSent,
		}},
		Size: int64(size), Limit: limit, Direction: wserr.Outbound,
	}
}

func errAckTimeout(limit time.Duration) error {
	return &wserr.TimeoutError{Info: errkit.Info{Class: wserr.ErrTimeout, Op: "ack"}, Limit: limit}
}

// fact is an error made of words alone.
type fact string

func (f fact) Error() string { return string(f) }

func errRefused() error { return wserr.ErrRefused.Wrap(opSend, "", nil) }

func errUnsendable(problem string) error { return wserr.Config(opSend, "Wrap", problem) }
