package pikvm

import (
	"context"
	"time"
)

// Defaults of [PowerOptions].
const (
	defaultOnTimeout      = 30 * time.Second
	defaultOffTimeout     = 2 * time.Minute
	defaultHardOffTimeout = 20 * time.Second
	defaultBusyTimeout    = 15 * time.Second
	defaultOffTime        = 3 * time.Second
)

// PowerOptions configures the power operations that look at the LED: [ATX.PowerOn], [ATX.PowerOff],
// [ATX.PowerCycle], [ATX.ForceReset] and [ATX.WaitPower]. The zero value is ready to use.
type PowerOptions struct {
	// Session tells of the LED. Nil means that the operation opens one for its own time; while there is no
	// connection, and if none can be made, the operation asks for the state every second instead.
	Session *Session

	// Hard cuts the power by a long press instead of asking the operating system to shut down.
	Hard bool

	// Escalate cuts the power by a long press when the operating system has not shut down within OffTimeout.
	Escalate bool

	// OnTimeout is how long the LED may take to light after the press. Zero means 30s.
	OnTimeout time.Duration

	// OffTimeout is how long the operating system may take to shut down. Zero means 2min.
	OffTimeout time.Duration

	// HardOffTimeout is how long the LED may take to go out in a long press, which takes 5.5s. Zero means 20s.
	HardOffTimeout time.Duration

	// BusyTimeout is how long the line may be busy with another press. Zero means 15s.
	BusyTimeout time.Duration

	// OffTime is how long PowerCycle leaves the host without power. Zero means 3s, negative means not at all.
	OffTime time.Duration

	// OnStep is called for every step and for every trouble on the way, in order, from the goroutine of the
	// caller.
	OnStep func(PowerStep)
}

// PowerStep tells how a power operation goes on.
type PowerStep struct {
	// Op is the operation: "power.On", "power.Off", "power.Cycle", "power.Reset" or "power.Wait".
	Op string

	// Name is the step that begins or, with Err, goes on: "check", "wait idle", "press on", "press off",
	// "press off_hard", "press reset_hard", "wait on", "wait off", "wait reset", "pause" or "done".
	Name string

	// State is the last state known, nil if there is none.
	State *ATXState

	// Err is trouble that the operation copes with: a busy line, a lost connection, an answer that did not
	// come. It is nil when a step begins.
	Err error
}

// PowerOn switches the host on and returns when its power LED is on. If it is on already, nothing is done.
//
// A success was seen, not assumed: the last look at the LED is a fresh answer of the device. An LED that is not
// wired never lights, and the operation ends in a [PowerError].
//
// A press whose answer is lost may have happened: it is not repeated, the LED decides. A busy line is waited for
// and asked again, since a refused press did not happen. When the caller's context ends, a press may have been
// made; [PowerError].Pressed and the kind NotSent of other errors tell what is certain. Nil options mean the
// defaults; a device without ATX control is [ErrDisabled] before anything is pressed.
func (a *ATX) PowerOn(ctx context.Context, opts *PowerOptions) error {
	return a.operate(ctx, "power.On", opts, func(ctx context.Context, r *powerRun) error {
		if r.state.LEDs.Power {
			return nil
		}
		return r.on(ctx)
	})
}

// PowerOff switches the host off and returns when its power LED is off. If it is off already, nothing is done.
// By default it asks the operating system to shut down, as a short press of the button does; see
// [PowerOptions].Hard and Escalate for one that does not listen. Everything else is as for [ATX.PowerOn]. An LED
// that is not wired looks like a host that is off.
func (a *ATX) PowerOff(ctx context.Context, opts *PowerOptions) error {
	return a.operate(ctx, "power.Off", opts, func(ctx context.Context, r *powerRun) error {
		if !r.state.LEDs.Power {
			return nil
		}
		return r.off(ctx)
	})
}

// PowerCycle switches the host off, as [ATX.PowerOff] does, leaves it off for a while and switches it on again. A
// host that is off is only switched on.
func (a *ATX) PowerCycle(ctx context.Context, opts *PowerOptions) error {
	return a.operate(ctx, "power.Cycle", opts, func(ctx context.Context, r *powerRun) error {
		if r.state.LEDs.Power {
			if err := r.off(ctx); err != nil {
				return err
			}
			if err := r.pause(ctx); err != nil {
				return err
			}
		}
		return r.on(ctx)
	})
}

// ForceReset presses the reset button of a host that is on; one that is off is a [PowerError] of kind Conflict.
//
// The power LED stays lit in a reset. What can be seen is that the device works the reset line and that the LED is
// on afterwards, and that is what ForceReset waits for. If the event socket was down at that moment, the device's
// word that it accepted the press, and the LED, must do; if that word was lost, too, the outcome is a [PowerError].
// That the host boots cannot be seen here.
func (a *ATX) ForceReset(ctx context.Context, opts *PowerOptions) error {
	return a.operate(ctx, "power.Reset", opts, func(ctx context.Context, r *powerRun) error {
		if !r.state.LEDs.Power {
			return r.conflict("the host is off")
		}
		return r.reset(ctx)
	})
}

// WaitPower returns when the power LED is on, or off, as wanted, without pressing anything. Of the options only
// Session and OnStep matter; the context limits the time.
func (a *ATX) WaitPower(ctx context.Context, on bool, opts *PowerOptions) error {
	return a.operate(ctx, "power.Wait", opts, func(ctx context.Context, r *powerRun) error {
		if r.state.LEDs.Power == on {
			return nil
		}
		return r.waitLED(ctx, on, 0)
	})
}

// withDefaults returns a checked copy of o with its zero values replaced; o may be nil.
func (o *PowerOptions) withDefaults(op string) (PowerOptions, error) {
	var opts PowerOptions
	if o != nil {
		opts = *o
	}
	for _, d := range []struct {
		field     string
		value     *time.Duration
		byDefault time.Duration
	}{
		{"OnTimeout", &opts.OnTimeout, defaultOnTimeout},
		{"OffTimeout", &opts.OffTimeout, defaultOffTimeout},
		{"HardOffTimeout", &opts.HardOffTimeout, defaultHardOffTimeout},
		{"BusyTimeout", &opts.BusyTimeout, defaultBusyTimeout},
	} {
		switch {
		case *d.value < 0:
			return opts, configurationError(op, d.field, "negative")
		case *d.value == 0:
			*d.value = d.byDefault
		}
	}
	if opts.OffTime == 0 {
		opts.OffTime = defaultOffTime
	}
	return opts, nil
}
