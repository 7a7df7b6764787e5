package pikvm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrScreen reports that the screen did not show what [Client.Screenshot], [Client.WaitForText] and the like waited for:
// [ScreenError].
var ErrScreen = Err.New("screen", "not seen on the screen", 0)

// ScreenError reports that the screen did not show in time what was waited for (kind Timeout), or that the caller's context
// was canceled before (kind Canceled); the error of a context that has ended matches. What the device refuses for good keeps
// its own type.
//
// The cause, if there is one, is the last trouble that was met on the way: without a picture this is mostly
// [ErrUnavailable].
type ScreenError struct {
	errkit.Info
	Want   string        // what was waited for, such as "a picture"
	Reason string        // what there was instead
	Limit  time.Duration // that passed; 0 if the caller's context ended
	Text   string        // what was read last, for [Client.WaitForText]
}

// Error returns one line with what was wanted and what there was. It does not repeat what the screen shows.
func (e *ScreenError) Error() string {
	detail := e.Want + ": " + e.Reason
	if e.Limit > 0 {
		detail += " after " + e.Limit.Round(time.Millisecond).String()
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports, but for the text.
func (e *ScreenError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("want", e.Want), slog.String("reason", e.Reason), slog.Duration("limit", e.Limit),
	}
}

// ended returns the error of a wait that is over: the client was closed, the caller's context ended, or the limit passed.
func (v *viewing) ended(reason string, limit time.Duration) error {
	if v.client.life.Err() != nil {
		return closedError(v.name, v.client.target, 0)
	}
	e := &ScreenError{
		Info: errkit.Info{Class: ErrScreen, Op: v.name, Target: v.client.target, Kind: errkit.Timeout, Err: v.trouble},
		Want: v.want, Reason: reason, Limit: limit,
	}
	if err := v.caller.Err(); err != nil {
		e.Limit = 0
		e.Err = errors.Join(errkit.FromContext(v.caller), v.trouble)
		if errors.Is(err, context.Canceled) {
			e.Kind = errkit.Canceled
		}
	}
	return e
}
