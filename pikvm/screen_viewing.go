package pikvm

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Pace of looking at the screen.
const (
	defaultLookEvery = time.Second            // between two looks
	viewBase         = 250 * time.Millisecond // after a failed look although there is a picture; doubles
	viewCap          = 2 * time.Second
	viewPatience     = 3 * time.Second // for events that tell of a picture, before the next look
)

// viewing is one operation on the screen under way. It makes the device start its streamer when there is no picture, and
// not before: opening an event socket releases all keys that are pressed.
type viewing struct {
	*operation
	want    string   // for errors
	session *Session // nil until it is needed, or when given
	own     bool     // session is to be closed
	trouble error    // the last one, nil after a look
}

// view begins an operation; v.close must be called at its end. The session may be nil.
func (c *Client) view(ctx context.Context, op, want string, session *Session) (*viewing, error) {
	switch {
	case session == nil:
	case session.client != c:
		return nil, configurationError(op, "Session", "of another client")
	case !session.opts.Stream:
		return nil, configurationError(op, "Session", "not opened with Stream")
	}
	o, err := c.beginLimited(ctx, op, 0)
	if err != nil {
		return nil, err
	}
	return &viewing{operation: o, want: want, session: session}, nil
}

func (v *viewing) close() {
	if v.own {
		_ = v.session.Close() // never fails
	}
	v.end()
}

// look performs one request for a picture, or for what is on it, until there is one. It returns the error of what cannot
// pass, and that of ctx.
func (v *viewing) look(ctx context.Context, take func(context.Context) error) error {
	delays := retry.Backoff{Base: viewBase, Cap: viewCap, Jitter: retry.JitterNone}.Start()
	for {
		err := v.request(ctx, take)
		if err == nil {
			v.trouble = nil
			return nil
		}
		if err := v.cope(ctx, err); err != nil {
			return err
		}
		if errors.Is(err, ErrUnavailable) { // there is no picture, which a viewer may change
			if err := v.watch(ctx); err != nil {
				return err
			}
		}
		if v.session != nil && !showsPicture(v.session.State()) {
			err = v.await(ctx, viewPatience, showsPicture)
		} else {
			err = retry.Wait(ctx, delays.Next(err))
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return err
		}
	}
}

// watch makes the device run its streamer. That it cannot be told now is no failure.
func (v *viewing) watch(ctx context.Context) error {
	if v.session != nil {
		return nil
	}
	var session *Session
	err := v.request(ctx, func(ctx context.Context) (err error) {
		session, err = v.client.Events(ctx, &EventOptions{Stream: true})
		return err
	})
	if err != nil {
		return v.cope(ctx, err)
	}
	v.session, v.own = session, true
	return nil
}

// await waits for a state, for limit at most; then the error matches that of a deadline, but ctx has not ended.
func (v *viewing) await(ctx context.Context, limit time.Duration, ok func(*State) bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := v.session.Wait(ctx, ok)
	return err
}

// cope returns the error of ctx if that has ended, err if it cannot pass, and otherwise keeps it in mind.
func (v *viewing) cope(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case isFinal(err) || !errkit.Transient(err):
		return err
	}
	v.trouble = err
	return nil
}

// request makes one request, or opens one socket, under the limit of the client: the deadline of ctx would replace that.
func (v *viewing) request(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := withoutDeadline(ctx)
	defer cancel()
	return do(limited)
}

// instead says what there is instead of what was wanted: a picture that is not the one, or none.
func (v *viewing) instead(seen bool, reason string) string {
	if seen && v.trouble == nil {
		return reason
	}
	return v.missing()
}

// missing says why there is no picture.
func (v *viewing) missing() string {
	if v.session != nil {
		if state, ok := v.session.State().Streamer(); ok {
			switch {
			case state.Process == nil:
				return "the streamer does not run"
			case !state.Process.Online:
				return "no signal from the host"
			}
		}
	}
	return "no picture"
}

// showsPicture reports whether the streamer runs and has a signal.
func showsPicture(s *State) bool {
	state, ok := s.Streamer()
	return ok && s.Live() && state.Process != nil && state.Process.Online
}
