package pikvm

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// maxWaitBacklog is how many states a waiter may lag behind before it skips the oldest ones.
const maxWaitBacklog = 256

// Wait returns the first state, from the present one on, for which ok returns true. It looks at every state in
// order, so that a change that lasts for a moment only is not missed, unless ok takes so long that hundreds of
// states, or 4 MiB of events, pile up: then the oldest are skipped. States without a connection do not count; after a reconnect the state is empty and grows
// again, so ok must cope with what is missing.
//
// ok runs in the goroutine of the caller. Wait returns an error when ctx is done, when the session gives up
// (see [Session.Err]) and when it is closed ([ErrClosed]).
func (s *Session) Wait(ctx context.Context, ok func(*State) bool) (*State, error) {
	const op = "events.Wait"
	box := newMailbox[*State](maxWaitBacklog)
	s.mu.Lock()
	box.put(s.state, 0)
	if s.ended {
		box.end()
	} else {
		s.waiters[box] = struct{}{}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiters, box)
	}()
	for {
		state, _, err := box.take(ctx)
		switch {
		case errors.Is(err, errMailboxEnded):
			return nil, s.endError(op)
		case err != nil:
			return nil, contextError(ctx, op, s.client.target, nil)
		case state != nil && state.Live() && ok(state):
			return state, nil
		}
	}
}

// contextError returns the error of a call that the end of ctx interrupted; last, which may be nil, is what went
// wrong before.
func contextError(ctx context.Context, op, target string, last error) error {
	info := errkit.Info{Op: op, Target: target, Err: errkit.FromContext(ctx)}
	if last != nil {
		info.Err = errors.Join(info.Err, last)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return timeoutError(info, 0)
	}
	info.Class = Err
	info.Kind = errkit.Canceled
	return &errkit.Basic{Info: info}
}
