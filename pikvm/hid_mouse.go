package pikvm

import (
	"context"
	"math"
	"net/url"
	"strconv"
)

// maxMouseStep is the farthest that the mouse moves, or the wheel turns, in one event (PiKVM API).
const maxMouseStep = 127

// MoveTo puts an absolute mouse somewhere: -32768 is the left or upper edge of the screen, 0 the middle, 32767 the right
// or lower edge. See [MousePosition] for pixels.
func (h *HID) MoveTo(ctx context.Context, x, y int) error {
	const op = "hid.MoveTo"
	if err := checkPosition(op, x, y); err != nil {
		return err
	}
	return h.event(ctx, op, "send_mouse_move", url.Values{"to_x": {strconv.Itoa(x)}, "to_y": {strconv.Itoa(y)}})
}

// MoveBy moves a relative mouse, by -127 to 127 each way; positive is right and down. A device whose mouse is absolute
// accepts it and does nothing.
func (h *HID) MoveBy(ctx context.Context, dx, dy int) error {
	return h.step(ctx, "hid.MoveBy", "send_mouse_relative", dx, dy)
}

// Wheel turns the wheel, by -127 to 127 each way; positive is right and up.
func (h *HID) Wheel(ctx context.Context, dx, dy int) error {
	return h.step(ctx, "hid.Wheel", "send_mouse_wheel", dx, dy)
}

func (h *HID) step(ctx context.Context, op, endpoint string, dx, dy int) error {
	if err := checkStep(op, dx, dy); err != nil {
		return err
	}
	return h.event(ctx, op, endpoint, url.Values{"delta_x": {strconv.Itoa(dx)}, "delta_y": {strconv.Itoa(dy)}})
}

func checkPosition(op string, x, y int) error {
	for i, v := range []int{x, y} {
		if v < math.MinInt16 || v > math.MaxInt16 {
			return configurationError(op, []string{"x", "y"}[i], "not -32768 to 32767")
		}
	}
	return nil
}

func checkStep(op string, dx, dy int) error {
	for i, v := range []int{dx, dy} {
		if v < -maxMouseStep || v > maxMouseStep {
			return configurationError(op, []string{"dx", "dy"}[i], "not -127 to 127")
		}
	}
	return nil
}

// The mouse knows so many positions each way, the first of which is called -32768 (PiKVM API).
const (
	mousePositions = 65535
	mouseFirst     = math.MinInt16
)

// MousePosition returns where [HID.MoveTo] finds a pixel, counted from 0, of a screen that is size pixels wide or high.
// Pixels outside are taken for those at the edge.
func MousePosition(pixel, size int) int {
	last := size - 1
	if last < 1 {
		return 0
	}
	pixel = min(max(pixel, 0), last)
	return int(math.Round(float64(pixel)/float64(last)*mousePositions)) + mouseFirst
}

// MousePixel returns the pixel that a position means on a screen that is size pixels wide or high: the inverse of
// [MousePosition].
func MousePixel(position, size int) int {
	last := max(size-1, 0)
	position = min(max(position, mouseFirst), math.MaxInt16)
	return int(math.Round(float64(position-mouseFirst) * float64(last) / mousePositions))
}
