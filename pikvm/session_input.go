package pikvm

import (
	"context"
	"strconv"
)

var _ Input = (*Session)(nil)

// MouseStep is a movement of a relative mouse or a turn of the wheel, by -127 to 127 each way. Positive is right and, for
// the mouse, down, for the wheel up.
type MouseStep struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// maxStepsPerFrame bounds the frames in which many steps are sent.
const maxStepsPerFrame = 1024

// Key works a key. Unlike over REST, a [Tap] of a modifier or of PrintScreen releases it as well.
//
// Input over the socket is written at once and has no answer: nil says that it is on its way on this connection. It is
// never kept for a later one. Without a connection the error is [ErrNotConnected] with kind NotSent. When a connection ends,
// the device releases all that is pressed.
//
// When a call fails, what it has pressed, or may have pressed, is released, for at most 5s after the end of ctx; a connection
// that does not take even that is given up for a new one. What is pressed when the session ends is released, too.
func (s *Session) Key(ctx context.Context, key Key, stroke Stroke) error {
	const op = "events.Key"
	if !key.Valid() {
		return configurationError(op, "key", "unknown")
	}
	return s.stroke(ctx, op, contact{inputKey, string(key)}, stroke)
}

// Button works a button of the mouse. A [Tap] is a click. See [Session.Key] for errors.
func (s *Session) Button(ctx context.Context, button MouseButton, stroke Stroke) error {
	const op = "events.Button"
	if !button.valid() {
		return configurationError(op, "button", "unknown")
	}
	return s.stroke(ctx, op, contact{inputButton, string(button)}, stroke)
}

func (s *Session) stroke(ctx context.Context, op string, c contact, stroke Stroke) error {
	if stroke < Tap || stroke > Release {
		return configurationError(op, "stroke", "unknown")
	}
	return s.input(ctx, op, func(w *inputWriter) error { return w.stroke(ctx, c, stroke) })
}

// MoveTo puts an absolute mouse somewhere: -32768 is the left or upper edge of the screen, 0 the middle, 32767 the right
// or lower edge. See [MousePosition] for pixels, and [Session.Key] for errors.
func (s *Session) MoveTo(ctx context.Context, x, y int) error {
	const op = "events.MoveTo"
	if err := checkPosition(op, x, y); err != nil {
		return err
	}
	return s.input(ctx, op, func(w *inputWriter) error {
		_, err := w.write(ctx, positionFrame(w.binary, x, y))
		return err
	})
}

// MoveBy moves a relative mouse, by -127 to 127 each way; positive is right and down. A device whose mouse is absolute
// does nothing. See [Session.Key] for errors.
func (s *Session) MoveBy(ctx context.Context, dx, dy int) error {
	return s.step(ctx, "events.MoveBy", inputMoveBy, dx, dy)
}

// Wheel turns the wheel, by -127 to 127 each way; positive is right and up. See [Session.Key] for errors.
func (s *Session) Wheel(ctx context.Context, dx, dy int) error {
	return s.step(ctx, "events.Wheel", inputWheel, dx, dy)
}

func (s *Session) step(ctx context.Context, op string, kind inputKind, dx, dy int) error {
	if err := checkStep(op, dx, dy); err != nil {
		return err
	}
	return s.steps(ctx, op, kind, []MouseStep{{dx, dy}}, false)
}

// MoveByAll moves a relative mouse by many steps at once. With squash the device adds up as many in a row as one movement
// can hold, which is 127 each way, and leaves out what adds up to nothing. See [Session.MoveBy].
func (s *Session) MoveByAll(ctx context.Context, steps []MouseStep, squash bool) error {
	return s.allSteps(ctx, "events.MoveByAll", inputMoveBy, steps, squash)
}

// WheelAll turns the wheel by many steps at once, as [Session.MoveByAll] moves the mouse.
func (s *Session) WheelAll(ctx context.Context, steps []MouseStep, squash bool) error {
	return s.allSteps(ctx, "events.WheelAll", inputWheel, steps, squash)
}

func (s *Session) allSteps(ctx context.Context, op string, kind inputKind, steps []MouseStep, squash bool) error {
	for i, step := range steps {
		if checkStep(op, step.X, step.Y) != nil {
			return configurationError(op, "steps", "step "+strconv.Itoa(i)+" is not -127 to 127")
		}
	}
	return s.steps(ctx, op, kind, steps, squash)
}

func (s *Session) steps(ctx context.Context, op string, kind inputKind, steps []MouseStep, squash bool) error {
	return s.input(ctx, op, func(w *inputWriter) error {
		for len(steps) > 0 {
			n := min(len(steps), maxStepsPerFrame)
			if _, err := w.write(ctx, stepsFrame(kind, w.binary, steps[:n], squash)); err != nil {
				return err
			}
			steps = steps[n:]
		}
		return nil
	})
}

// ReleaseAll releases all keys and buttons that were pressed over this session and are not released yet, the last one
// first. [HID.Reset] releases those that others have pressed as well. See [Session.Key] for errors.
func (s *Session) ReleaseAll(ctx context.Context) error {
	return s.input(ctx, "events.ReleaseAll", func(w *inputWriter) error { return w.releaseFrom(ctx, 0) })
}

// Shortcut presses keys in their order and releases them in reverse, with 50ms between two events: see [ParseShortcut] for
// names as people write them. When it fails or ctx ends on the way, what it has pressed is released. Input of other calls
// waits meanwhile. See [Session.Key] for errors.
func (s *Session) Shortcut(ctx context.Context, keys ...Key) error {
	const op = "events.Shortcut"
	if _, err := shortcutList(op, keys); err != nil {
		return err
	}
	return s.input(ctx, op, func(w *inputWriter) error {
		for _, key := range keys {
			if err := w.pace(ctx, shortcutPace); err != nil {
				return err
			}
			if err := w.press(ctx, contact{inputKey, string(key)}); err != nil {
				return err
			}
		}
		for i := len(keys) - 1; i >= 0; i-- {
			if err := w.pace(ctx, shortcutPace); err != nil {
				return err
			}
			if err := w.release(ctx, contact{inputKey, string(keys[i])}); err != nil {
				return err
			}
		}
		return nil
	})
}
