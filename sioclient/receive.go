package sioclient

import (
	"context"
	"errors"
	"iter"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Receive returns the next event for whose name there is no handler. It waits for one, also while the socket connects.
// Events that came before the call are kept, as many as SocketOptions.InboxMessages. Several calls may wait; each event
// goes to one of them. A handler that waits here waits in vain, since events come one after the other. Errors:
//   - *[BufferFullError]: at this place events are missing, Messages of them, because nobody received in time. The next
//     call goes on.
//   - *[TimeoutError], or one that matches [Err] and context.Canceled: ctx is done.
//   - *[DisconnectedError]: the socket was disconnected for good, by one of the ends or because the attempts to connect are
//     used up, and what came before was received.
//   - *[ConnectionError] or *[ConnectionRefusedError]: it never came to a connection.
//   - one that matches [ErrClosed]: the manager was closed.
func (s *Socket) Receive(ctx context.Context) (*Event, error) {
	e, dropped, err := s.inbox.get(ctx)
	switch {
	case dropped > 0:
		return nil, &BufferFullError{
			Info:     errkit.Info{Class: ErrBufferFull, Op: "receive", Target: s.m.target},
			Messages: dropped,
		}
	case err == nil:
		return e, nil
	case errors.Is(err, Err):
		return nil, err
	case errors.Is(err, context.DeadlineExceeded):
		return nil, timeoutError("receive", s.m.target, "", 0, errkit.FromContext(ctx))
	}
	return nil, &errkit.Basic{Info: errkit.Info{
		Class: sioerr.Err, Op: "receive", Target: s.m.target, Err: errkit.FromContext(ctx),
	}}
}

// Events returns the events that [Socket.Receive] would. A *[BufferFullError] comes with a nil event and more may follow;
// any other error is the last pair. After Disconnect or Close there is none.
func (s *Socket) Events(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			e, err := s.Receive(ctx)
			if err != nil && wanted(err) {
				return
			}
			goesOn := err == nil || errors.Is(err, ErrBufferFull)
			if !yield(e, err) || !goesOn {
				return
			}
		}
	}
}

// wanted reports whether an error tells of an end that this side wanted.
func wanted(err error) bool {
	return errors.Is(err, ErrClosed) || reasonOf(err) == IOClientDisconnect
}
