package outbox

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

const opSend = "send"

func (b *Box) errCanceled() error { return wserr.ErrCanceled.Wrap(opSend, b.cfg.Target, nil) }

func (b *Box) errExpired() error { return wserr.ErrExpired.Wrap(opSend, b.cfg.Target, nil) }

func (b *Box) errSealed() error {
	return &wserr.ClosedError{Info: errkit.Info{Class: wserr.ErrShuttingDown, Op: opSend, Target: b.cfg.Target}}
}

// errContext returns the error of a call whose context is done and that did nothing.
func (b *Box) errContext(ctx context.Context) error {
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: wserr.Err, Op: opSend, Target: b.cfg.Target, Kind: errkit.TransportKind(cause) | errkit.NotSent, Err: cause,
	}}
}

// errFull returns the error for a message that has no room. mu is held.
func (b *Box) errFull() error {
	return &wserr.QueueFullError{
		Info:      errkit.Info{Class: wserr.ErrQueueFull, Op: opSend, Target: b.cfg.Target, Kind: errkit.NotSent},
		QueueSize: b.cfg.MaxMessages, DroppedCount: b.stats.Dropped, Direction: wserr.Outbound,
		Bytes: b.wait.bytes + b.flight.bytes,
	}
}

func (b *Box) errTooBig(size int, limit int64) error {
	return &wserr.MessageTooBigError{
		ProtocolError: wserr.ProtocolError{Info: errkit.Info{
			Class: wserr.ErrMessageTooBig, Op: opSend, Target: b.cfg.Target, Kind: errkit.Invalid | errkit.NotSent,
		}},
		Size: int64(size), Limit: limit, Direction: wserr.Outbound,
	}
}

func (b *Box) errAckTimeout(limit time.Duration) error {
	return &wserr.TimeoutError{Info: errkit.Info{Class: wserr.ErrTimeout, Op: "ack", Target: b.cfg.Target}, Limit: limit}
}

// fact is an error made of words alone.
type fact string

func (f fact) Error() string { return string(f) }

func (b *Box) errRefused() error { return wserr.ErrRefused.Wrap(opSend, b.cfg.Target, nil) }

func errUnsendable(problem string) error { return wserr.Config(opSend, "Send.Ack.Wrap", problem) }
