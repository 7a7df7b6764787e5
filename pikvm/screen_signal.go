package pikvm

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// WaitSignalOptions are the optional settings of [Client.WaitSignal]. The zero value is ready to use.
type WaitSignalOptions struct {
	// Session is as in [ScreenshotOptions], but the operation always needs one: nil means that it opens one for its own
	// time.
	Session *Session

	// Hold is for how long it must stay so before it counts: hosts change the signal several times while they boot, and a
	// streamer that has just been started has none. Zero means 2s, negative means that the first moment counts.
	Hold time.Duration
}

const defaultSignalHold = 2 * time.Second

// WaitSignal returns when the host gives a video signal, or gives none, as wanted. It keeps the streamer running meanwhile, as
// without it nobody can tell. The context limits the time; when it ends, the error is a [ScreenError]. What cannot pass is the
// error of [Client.Events]. Nil options are the defaults.
func (c *Client) WaitSignal(ctx context.Context, on bool, opts *WaitSignalOptions) error {
	const op = "screen.WaitSignal"
	var o WaitSignalOptions
	if opts != nil {
		o = *opts
	}
	if o.Hold == 0 {
		o.Hold = defaultSignalHold
	}
	want := "no signal"
	if on {
		want = "a signal"
	}
	v, err := c.view(ctx, op, want, o.Session)
	if err != nil {
		return err
	}
	defer v.close()
	err = v.untilSignal(on, o.Hold)
	if err != nil && v.ctx.Err() != nil {
		return v.ended(v.signal(), 0)
	}
	return err
}

func (v *viewing) untilSignal(on bool, hold time.Duration) error {
	ctx := v.ctx
	delays := retry.Backoff{Base: viewBase, Cap: viewCap, Jitter: retry.JitterNone}.Start()
	for v.session == nil {
		if err := v.watch(ctx); err != nil {
			return err
		}
		if v.session == nil && retry.Wait(ctx, delays.Next(v.trouble)) != nil {
			return ctx.Err()
		}
	}
	v.trouble = nil
	is := func(s *State) bool {
		state, ok := s.Streamer()
		return ok && s.Live() && state.Process != nil && state.Process.Online == on
	}
	for {
		if _, err := v.session.Wait(ctx, is); err != nil || hold < 0 {
			return err
		}
		err := v.await(ctx, hold, func(s *State) bool { return !is(s) })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil: // not for long
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		case is(v.session.State()):
			return nil
		}
	}
}

// signal says what there is of a signal.
func (v *viewing) signal() string {
	if v.session != nil && showsPicture(v.session.State()) {
		return "there is one"
	}
	return v.missing()
}
