//go:build !js

package wsclient

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Receive returns the next message. It waits for one in every state, also while there is no connection. Several calls
// may wait; each message goes to one of them. Errors:
//   - *[QueueFullError]: messages are missing at this place, DroppedCount of them, because nobody received in time. The
//     next call goes on.
//   - *[TimeoutError], or an error that matches context.Canceled: ctx is done. No message is lost by that, and the
//     connection stays as it is.
//   - *[ReconnectError], *[ConnectionError], *[TimeoutError]: the manager gave up, and what had arrived before has been
//     received. Every further call returns the same, until the manager is told to connect again.
//   - *[ClosedError]: the manager was closed, and what had arrived before has been received.
//   - an error that matches [ErrState]: messages go to a handler.
func (m *Manager) Receive(ctx context.Context) (Message, error) {
	var limit time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	msg, gap, err := m.next(ctx)
	if gap.Dropped > 0 {
		err = m.gapError(gap)
	}
	if err != nil {
		return Message{}, m.receiveError(ctx, limit, err)
	}
	return msg, nil
}

// next takes what comes next out of the queue.
func (m *Manager) next(ctx context.Context) (Message, inbox.Gap, error) {
	if m.opts.Receive.handled() {
		return Message{}, inbox.Gap{}, wserr.ErrState.Wrap(opReceive, m.target, errHandled)
	}
	return m.inbox.Get(ctx)
}

var errHandled = errors.New("messages go to a handler")

// gapError makes the error of messages that are missing.
func (m *Manager) gapError(gap inbox.Gap) error {
	return &QueueFullError{
		Info:      errkit.Info{Class: wserr.ErrQueueFull, Op: opReceive, Target: m.target},
		QueueSize: max(m.opts.Receive.MaxMessages, 0), DroppedCount: gap.Dropped, Direction: Inbound,
	}
}

// receiveError makes the error of a call from that of the queue, which is the caller's context's or of this module. The
// caller had limit left when it called; 0 if it did not say.
func (m *Manager) receiveError(ctx context.Context, limit time.Duration, err error) error {
	if errors.Is(err, Err) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &TimeoutError{
			Info:  errkit.Info{Class: wserr.ErrTimeout, Op: opReceive, Target: m.target, Err: errkit.FromContext(ctx)},
			Limit: max(limit, 0),
		}
	}
	return wserr.Err.Wrap(opReceive, m.target, errkit.FromContext(ctx))
}

// isClean reports whether a terminal error says that the owner closed the manager.
func isClean(err error) bool {
	e, ok := err.(*ClosedError) //nolint:errorlint // what wraps such an error is no clean end
	return ok && e.Kinds().Has(errkit.Closed)
}
