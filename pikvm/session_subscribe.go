package pikvm

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
)

// Subscription collects the events of a [Session] for one reader, from [Session.Subscribe] on.
type Subscription struct {
	session *Session
	types   []EventType // none means all
	box     *mailbox[Event]
	behind  bool // events are being dropped; guarded by session.mu
}

// Subscribe starts to collect the events of the given types, all of them if none is given. What is not read in
// time is dropped, oldest first: see [EventOptions].Buffer. The session itself never waits for a reader. End it
// with [Subscription.Close].
func (s *Session) Subscribe(types ...EventType) *Subscription {
	sub := &Subscription{session: s, types: slices.Clone(types), box: newMailbox[Event](s.opts.Buffer)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		sub.box.end()
		return sub
	}
	s.readers[sub] = struct{}{}
	return sub
}

// Next returns the next event, waiting for it. After an overflow it is first of all an [EventDropped] that tells
// how many are missing, whatever the types. When the session has ended, Next returns the events that are left, and
// then the error of [Session.Err], or [ErrClosed] if the owner closed the session or the subscription.
func (sub *Subscription) Next(ctx context.Context) (Event, error) {
	const op = "events.Next"
	ev, lost, err := sub.box.take(ctx)
	switch {
	case errors.Is(err, errMailboxEnded):
		return Event{}, sub.session.endError(op)
	case err != nil:
		return Event{}, contextError(ctx, op, sub.session.client.target, nil)
	case lost > 0:
		return Event{Type: EventDropped, Dropped: lost}, nil
	}
	ev.Data = bytes.Clone(ev.Data) // the other readers have the same
	return ev, nil
}

// Close ends the subscription. It may be called more than once and always returns nil.
func (sub *Subscription) Close() error {
	s := sub.session
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.readers, sub)
	sub.box.end()
	return nil
}

func (sub *Subscription) wants(t EventType) bool {
	return len(sub.types) == 0 || slices.Contains(sub.types, t)
}

// Events iterates over the events of the given types, all of them if none is given, from the moment that the loop
// begins; [Session.State] tells what was before. Leaving the loop ends nothing but the loop. When ctx is done or
// the session gives up, the last pair has the error; when the owner closes the session, the loop just ends. A
// reader that is too slow finds an [EventDropped] where events are missing.
func (s *Session) Events(ctx context.Context, types ...EventType) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		sub := s.Subscribe(types...)
		defer sub.Close()
		for {
			ev, err := sub.Next(ctx)
			if errors.Is(err, ErrClosed) && s.Err() == nil {
				return
			}
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}
