package pikvm

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// MacroOptions are the optional settings of [Client.RunMacro]. The zero value is ready to use.
type MacroOptions struct {
	// Session takes keys and the mouse over its event socket, which is much faster than a request for each. If it was opened
	// with [EventOptions].Stream, the steps that look at the screen use it as well. Nil means REST.
	Session *Session

	// Speed divides the delays between the steps: 2 is twice as fast. Zero means 1.
	Speed float64

	// Loops is how often the macro runs. Zero means once, negative means until ctx ends.
	Loops int

	// DryRun tells OnStep of every step of one loop and does nothing else: no request, no delay.
	DryRun bool

	// Strict refuses the extensions, which the web interface does not know.
	Strict bool

	// OnStep is called before each step, from the goroutine of the caller.
	OnStep func(MacroProgress)

	// Picture takes the pictures of [MacroScreenshot], from the goroutine of the caller; its error stops the macro. Without it,
	// a macro with such steps is refused.
	Picture func(name string, picture *Snapshot) error
}

// MacroProgress tells how far a macro is.
type MacroProgress struct {
	Loop  int       // counted from 1
	Path  string    // of the step: see [MacroProblem]
	Index int       // of the step in the macro, counted from 0; within a repetition, that of the repetition
	Total int       // steps of the macro, of which a repetition is one
	Step  MacroStep // what comes now
}

// RunMacro runs a macro. It is validated first: what is wrong is an [InvalidMacroError], and nothing is sent.
//
// A step begins when the one before has ended: a print when the device has typed everything, a click when the line was free.
// At the end, and when ctx ends or a step fails, everything that the macro has pressed is released, for at most 5s after the
// end of ctx. What stops a macro is a [MacroError] that tells the step, with the reason as its cause. Nothing is repeated: the
// device may have done what has no answer. Nil options are the defaults.
func (c *Client) RunMacro(ctx context.Context, m Macro, opts *MacroOptions) error {
	const op = "macro.Run"
	var o MacroOptions
	if opts != nil {
		o = *opts
	}
	if err := o.validate(op, c); err != nil {
		return err
	}
	if err := m.validate(op, &o); err != nil {
		return err
	}
	run, err := c.beginLimited(ctx, op, 0)
	if err != nil {
		return err
	}
	defer run.end()
	var input Input = c.HID
	if o.Session != nil {
		input = o.Session
	}
	r := &macroRun{client: c, operation: run, opts: &o, input: input, held: holder{input: input}, total: len(m)}
	return r.end(ctx, r.loops(run.ctx, m))
}

// validate checks the options and fills defaults in.
func (o *MacroOptions) validate(op string, c *Client) error {
	switch {
	case o.Session != nil && o.Session.client != c:
		return configurationError(op, "Session", "of another client")
	case o.Speed < 0 || math.IsNaN(o.Speed) || math.IsInf(o.Speed, 0):
		return configurationError(op, "Speed", "not a positive number")
	case o.Speed == 0:
		o.Speed = 1
	}
	if o.DryRun || o.Loops == 0 {
		o.Loops = 1
	}
	return nil
}

// macroRun is a macro under way.
type macroRun struct {
	client    *Client
	operation *operation
	opts      *MacroOptions
	input     Input
	held      holder

	acted bool // a step had an effect, or may have had one
	loop  int
	total int
	index int
	path  string // of the step that runs, or ran last
	kind  string
	base  string // path of the repetition that runs, with a dot
}

// loops runs the macro as often as it is to.
func (r *macroRun) loops(ctx context.Context, m Macro) error {
	for loop := 1; r.opts.Loops < 0 || loop <= r.opts.Loops; loop++ {
		r.loop = loop
		if err := r.steps(ctx, m); err != nil {
			return err
		}
		if len(m) == 0 {
			break // however often
		}
	}
	return nil
}

// steps runs the steps of the macro or of a repetition.
func (r *macroRun) steps(ctx context.Context, m Macro) error {
	base := r.base
	for i, step := range m {
		if base == "" {
			r.index = i
		}
		r.path, r.kind = base+strconv.Itoa(i), step.Type()
		if ctx.Err() != nil {
			return r.operation.failure(nil, r.acted)
		}
		if r.opts.OnStep != nil {
			r.opts.OnStep(MacroProgress{Loop: r.loop, Path: r.path, Index: r.index, Total: r.total, Step: step})
		}
		if err := r.step(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// step runs a step.
func (r *macroRun) step(ctx context.Context, step MacroStep) error {
	repeat, nested := step.(MacroRepeat)
	switch {
	case nested:
		base := r.base
		r.base = r.path + "."
		defer func() { r.base = base }()
		if r.opts.DryRun {
			return r.steps(ctx, repeat.Steps) // once shows them all
		}
		return repeat.run(ctx, r)
	case r.opts.DryRun:
		return nil
	}
	err := step.run(ctx, r)
	switch step.(type) {
	case MacroDelay, MacroRandomDelay, MacroWaitText, MacroWaitPower, MacroScreenshot:
		return err
	}
	r.acted = r.acted || !neverHappened(err)
	return err
}

// pause waits as long as the speed says.
func (r *macroRun) pause(ctx context.Context, d time.Duration) error {
	wait := min(float64(d)/r.opts.Speed, math.MaxInt64/2)
	if retry.Wait(ctx, time.Duration(wait)) != nil {
		return r.operation.failure(nil, r.acted)
	}
	return nil
}

// viewer returns the session that keeps the streamer running, nil if there is none.
func (r *macroRun) viewer() *Session {
	if s := r.opts.Session; s != nil && s.opts.Stream {
		return s
	}
	return nil
}

// end releases what is pressed and returns the error of the macro.
func (r *macroRun) end(ctx context.Context, err error) error {
	keys, buttons := r.held.release(ctx)
	if err == nil && len(keys)+len(buttons) == 0 {
		return nil
	}
	e := &MacroError{
		Info: errkit.Info{Class: ErrMacro, Op: r.operation.name, Target: r.client.target, Kind: errkit.KindOf(err), Err: err},
		Loop: r.loop, Path: r.path, Type: r.kind, Stuck: keys, StuckButtons: buttons,
	}
	if r.acted && err != nil {
		e.Kind &^= errkit.NotSent
		e.Err = &lastKeyOnly{err}
	}
	return e
}
