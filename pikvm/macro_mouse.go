package pikvm

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
)

// MacroButton presses or releases a button of the mouse: "mouse_button".
type MacroButton struct {
	Button  MouseButton
	Pressed bool
}

// Type returns "mouse_button".
func (MacroButton) Type() string { return "mouse_button" }

func readMacroButton(e *macroEvent) MacroStep {
	return MacroButton{MouseButton(e.text("button")), e.flag("state")}
}

func (s MacroButton) event() any {
	return struct {
		Button MouseButton `json:"button"`
		State  bool        `json:"state"`
	}{s.Button, s.Pressed}
}

func (s MacroButton) check(r *macroReport) {
	r.require(s.Button.valid(), "button is none that there is")
}

func (s MacroButton) run(ctx context.Context, r *macroRun) error {
	return r.held.button(ctx, s.Button, s.Pressed)
}

// MacroMove puts an absolute mouse somewhere: "mouse_move". See [HID.MoveTo].
type MacroMove struct{ X, Y int }

// Type returns "mouse_move".
func (MacroMove) Type() string { return "mouse_move" }

func readMacroMove(e *macroEvent) MacroStep {
	x, y := e.point("to")
	return MacroMove{x, y}
}

func (s MacroMove) event() any { return map[string]MouseStep{"to": {s.X, s.Y}} }

func (s MacroMove) check(r *macroReport) {
	r.require(checkPosition("", s.X, s.Y) == nil, "to is not within -32768 to 32767")
}

func (s MacroMove) run(ctx context.Context, r *macroRun) error { return r.input.MoveTo(ctx, s.X, s.Y) }

// MacroRandomMove puts an absolute mouse anywhere, with each of X and Y between the two: "mouse_move_random".
type MacroRandomMove struct{ Min, Max int }

// Type returns "mouse_move_random".
func (MacroRandomMove) Type() string { return "mouse_move_random" }

func readMacroRandomMove(e *macroEvent) MacroStep {
	var s MacroRandomMove
	e.object("range", func(e *macroEvent) { s.Min, s.Max = e.number("min"), e.number("max") })
	return s
}

func (s MacroRandomMove) event() any { return newMacroRange(int64(s.Min), int64(s.Max)) }

func (s MacroRandomMove) check(r *macroReport) {
	r.require(s.Min >= math.MinInt16 && s.Max <= math.MaxInt16, "range is not within -32768 to 32767")
	r.require(s.Min <= s.Max, "range.min is over range.max")
}

func (s MacroRandomMove) run(ctx context.Context, r *macroRun) error {
	anywhere := func() int { return s.Min + rand.IntN(s.Max-s.Min+1) } //nolint:gosec // no secret
	return r.input.MoveTo(ctx, anywhere(), anywhere())
}

// MacroMoveBy moves a relative mouse: "mouse_relative". With Squash the device may take several steps at once, which over
// REST makes no difference.
type MacroMoveBy struct {
	Steps  []MouseStep
	Squash bool
}

// Type returns "mouse_relative".
func (MacroMoveBy) Type() string { return "mouse_relative" }

func readMacroMoveBy(e *macroEvent) MacroStep {
	s := MacroMoveBy{Squash: e.flag("squash")}
	var deltas []json.RawMessage
	if !e.member("delta", "an array", &deltas) {
		return s
	}
	for i, raw := range deltas {
		name := "delta." + strconv.Itoa(i)
		x, y := (&macroEvent{report: e.report, members: map[string]json.RawMessage{name: raw}}).point(name)
		s.Steps = append(s.Steps, MouseStep{x, y})
	}
	return s
}

func (s MacroMoveBy) event() any {
	return struct {
		Delta  []MouseStep `json:"delta"`
		Squash bool        `json:"squash"`
	}{append([]MouseStep{}, s.Steps...), s.Squash}
}

func (s MacroMoveBy) check(r *macroReport) {
	for i, step := range s.Steps {
		r.require(checkStep("", step.X, step.Y) == nil, "delta."+strconv.Itoa(i)+" is not within -127 to 127")
	}
}

func (s MacroMoveBy) run(ctx context.Context, r *macroRun) error {
	if session, ok := r.input.(*Session); ok {
		return session.MoveByAll(ctx, s.Steps, s.Squash)
	}
	for _, step := range s.Steps {
		if err := r.input.MoveBy(ctx, step.X, step.Y); err != nil {
			return err
		}
	}
	return nil
}

// MacroWheel turns the wheel: "mouse_wheel". See [HID.Wheel].
type MacroWheel struct{ X, Y int }

// Type returns "mouse_wheel".
func (MacroWheel) Type() string { return "mouse_wheel" }

func readMacroWheel(e *macroEvent) MacroStep {
	x, y := e.point("delta")
	return MacroWheel{x, y}
}

func (s MacroWheel) event() any { return map[string]MouseStep{"delta": {s.X, s.Y}} }

func (s MacroWheel) check(r *macroReport) {
	r.require(checkStep("", s.X, s.Y) == nil, "delta is not within -127 to 127")
}

func (s MacroWheel) run(ctx context.Context, r *macroRun) error { return r.input.Wheel(ctx, s.X, s.Y) }
