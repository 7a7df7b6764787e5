package pikvm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrPower reports that [ATX.PowerOn] and the like did not reach their end: [PowerError].
var ErrPower = Err.New("power", "power operation failed", 0)

// PowerError reports that a power operation did not reach its end although the device did its part: the LED did not
// change in time (kind Timeout), the line stayed busy (kinds Timeout and Busy, [ErrBusy] matches too), the host is
// in a state in which the operation makes no sense (kind Conflict), or the caller's context ended (the context's
// error matches). What the device refuses keeps its own type.
//
// It has the kind NotSent if certainly nothing was pressed. The cause, if there is one, is the last trouble that
// was met on the way.
type PowerError struct {
	errkit.Info
	Step    string        // what was going on, such as "wait off": see [PowerStep]
	Reason  string        // what is wrong
	Limit   time.Duration // that passed; 0 if none did
	State   *ATXState     // the last one known; nil if there is none
	Pressed bool          // a button was pressed, or may have been: repeating presses it again
}

// Error returns one line with the step and the reason.
func (e *PowerError) Error() string {
	detail := e.Step + ": " + e.Reason
	if e.Limit > 0 {
		detail += " after " + e.Limit.Round(time.Millisecond).String()
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *PowerError) ErrorAttrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("step", e.Step), slog.String("reason", e.Reason), slog.Duration("limit", e.Limit),
		slog.Bool("pressed", e.Pressed),
	}
	if e.State != nil {
		attrs = append(attrs, slog.Bool("led", e.State.LEDs.Power), slog.Bool("busy", e.State.Busy))
	}
	return attrs
}

// reasonBusy is why a press could not be made.
const reasonBusy = "the line is still busy"

// late returns the error of a limit that passed.
func (r *powerRun) late(reason string, limit time.Duration) error {
	kind, cause := errkit.Timeout, r.trouble
	if reason == reasonBusy {
		kind |= errkit.Busy
		if !errors.Is(cause, ErrBusy) {
			cause = errors.Join(ErrBusy, cause) // seen in the state, not in an answer
		}
	}
	return r.failure(reason, limit, kind, cause)
}

// conflict returns the error of an operation that makes no sense.
func (r *powerRun) conflict(reason string) error {
	return r.failure(reason, 0, errkit.Conflict, nil)
}

// interrupted returns the error of a caller's context that has ended.
func (r *powerRun) interrupted(ctx context.Context) error {
	kind := errkit.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = errkit.Timeout
	}
	return r.failure("interrupted", 0, kind, errkit.FromContext(ctx))
}

// disabled returns the error that the device would have given for a press.
func (r *powerRun) disabled() error {
	info := errkit.Info{Class: ErrDisabled, Op: r.op, Target: r.atx.c.target}
	if !r.pressed {
		info.Kind = errkit.NotSent
	}
	return &APIError{Info: info, Code: "AtxDisabledError", Message: "ATX is disabled"}
}

func (r *powerRun) failure(reason string, limit time.Duration, kind errkit.Kind, cause error) error {
	if !r.pressed {
		kind |= errkit.NotSent
	}
	return &PowerError{
		Info:    errkit.Info{Class: ErrPower, Op: r.op, Target: r.atx.c.target, Kind: kind, Err: cause},
		Step:    r.step,
		Reason:  reason,
		Limit:   limit,
		State:   r.state,
		Pressed: r.pressed,
	}
}
