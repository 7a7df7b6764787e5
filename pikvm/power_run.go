package pikvm

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Pace of a power operation.
const (
	powerPoll     = time.Second      // between looks at the state without events
	powerPollLive = 10 * time.Second // between looks with events, in case that the socket is dead and nobody knows
)

// powerRun is one power operation under way. The events say when to look; what counts is the device's answer
// to a request for its state, which cannot be an old one.
type powerRun struct {
	atx     *ATX
	op      string
	opts    PowerOptions
	session *Session
	events  *Subscription // nil without a session, or when it has ended

	step     string
	state    *ATXState
	trouble  error // the last one
	pressed  bool  // a button was pressed, or may have been
	accepted bool  // the device said so of the last press
	blind    bool  // events since the press may have been missed
	pulsed   bool  // the reset line was seen busy since the press
}

// operate checks the state and performs an operation.
func (a *ATX) operate(ctx context.Context, op string, opts *PowerOptions, do func(context.Context, *powerRun) error) error {
	o, err := opts.withDefaults(op)
	if err != nil {
		return err
	}
	if o.Session != nil && o.Session.client != a.c {
		return configurationError(op, "Session", "of another client")
	}
	r := &powerRun{atx: a, op: op, opts: o}
	defer r.unwatch()
	r.begin("check")
	switch err := r.look(ctx); {
	case ctx.Err() != nil:
		return r.interrupted(ctx)
	case err != nil:
		return err
	}
	if err := do(ctx, r); err != nil {
		return err
	}
	r.begin("done")
	return nil
}

func (r *powerRun) on(ctx context.Context) error {
	if err := r.press(ctx, PowerOn); err != nil {
		return err
	}
	return r.waitLED(ctx, true, r.opts.OnTimeout)
}

func (r *powerRun) off(ctx context.Context) error {
	if !r.opts.Hard {
		if err := r.press(ctx, PowerOff); err != nil {
			return err
		}
		err := r.waitLED(ctx, false, r.opts.OffTimeout)
		if _, late := errors.AsType[*PowerError](err); !late || !r.opts.Escalate || ctx.Err() != nil {
			return err
		}
		r.report(err)
	}
	if err := r.press(ctx, PowerOffHard); err != nil {
		return err
	}
	return r.waitLED(ctx, false, r.opts.HardOffTimeout)
}

func (r *powerRun) reset(ctx context.Context) error {
	if err := r.press(ctx, PowerResetHard); err != nil {
		return err
	}
	return r.until(ctx, "wait reset", "reset not seen", r.opts.OnTimeout, func(state *ATXState) bool {
		if lineBusy(state, PowerResetHard) {
			r.pulsed = true
			return false
		}
		return state.LEDs.Power && (r.pulsed || r.blind && r.accepted)
	})
}

func (r *powerRun) waitLED(ctx context.Context, on bool, limit time.Duration) error {
	step, reason := "wait off", "the power LED is still on"
	if on {
		step, reason = "wait on", "the power LED is still off"
	}
	return r.until(ctx, step, reason, limit, func(state *ATXState) bool { return state.LEDs.Power == on })
}

// press performs an action once the line is free, unless the LED says meanwhile that there is nothing left to do.
// It presses again only what was certainly not pressed.
func (r *powerRun) press(ctx context.Context, action PowerAction) error {
	if err := r.watch(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(r.opts.BusyTimeout)
	delays := retry.Backoff{Base: busyBase, Cap: busyCap}.Start()
	for {
		if err := r.waitIdle(ctx, action, deadline); err != nil {
			return err
		}
		switch {
		case action == PowerResetHard && !r.state.LEDs.Power:
			return r.conflict("the host is off")
		case action != PowerResetHard && r.state.LEDs.Power == (action == PowerOn):
			return nil // somebody else did it
		}
		r.begin("press " + string(action))
		r.forget()
		err := r.request(ctx, func(ctx context.Context) error { return r.atx.Power(ctx, action, nil) })
		busy := errors.Is(err, ErrBusy)
		switch {
		case err == nil:
			r.pressed, r.accepted = true, true
			return nil
		case ctx.Err() != nil:
			r.pressed = r.pressed || !errors.Is(err, errkit.NotSent)
			return r.interrupted(ctx)
		case busy && !time.Now().Before(deadline):
			r.report(err)
			return r.late(reasonBusy, r.opts.BusyTimeout)
		case busy || passing(err) && time.Now().Before(deadline):
			r.report(err)
		case refused(err):
			return err
		default:
			r.pressed = true // or not: the LED will show
			r.report(err)
			return nil
		}
		if retry.Wait(ctx, delays.Next(err)) != nil {
			return r.interrupted(ctx)
		}
		if err := r.look(ctx); err != nil {
			r.report(err)
		}
	}
}

// waitIdle waits until the line of an action is free.
func (r *powerRun) waitIdle(ctx context.Context, action PowerAction, deadline time.Time) error {
	free := func(state *ATXState) bool { return !lineBusy(state, action) }
	if free(r.state) {
		return nil
	}
	err := r.until(ctx, "wait idle", reasonBusy, max(time.Until(deadline), 1), free)
	if late, ok := errors.AsType[*PowerError](err); ok && late.Limit > 0 {
		late.Limit = r.opts.BusyTimeout // all of it, and not what was left
	}
	return err
}

// pause leaves the host off for a while.
func (r *powerRun) pause(ctx context.Context) error {
	r.begin("pause")
	if retry.Wait(ctx, r.opts.OffTime) != nil {
		return r.interrupted(ctx)
	}
	return nil
}

// lineBusy reports whether the button of an action is being pressed. Devices before version 4.88 tell only that
// some button is.
func lineBusy(state *ATXState, action PowerAction) bool {
	mine, other := state.Acts.Power, state.Acts.Reset
	if action == PowerResetHard {
		mine, other = other, mine
	}
	return state.Busy && (mine || !other)
}

// passing reports whether a press did not reach the device and may do so later.
func passing(err error) bool { return errors.Is(err, errkit.NotSent) && errkit.Transient(err) }

// refused reports whether a failed press certainly did not happen.
func refused(err error) bool {
	if isFinal(err) || errors.Is(err, errkit.NotSent) {
		return true
	}
	api, ok := errors.AsType[*APIError](err)
	return ok && api.StatusCode >= 300 && api.StatusCode < 500
}
