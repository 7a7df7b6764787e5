package pikvm

import "context"

// Input takes what a keyboard and a mouse would send to the host: [HID] over REST, one request a call; [Session] over
// the event socket, without waiting for an answer. What is written for an Input works over both. Both refuse the same
// arguments before anything is sent.
type Input interface {
	Key(ctx context.Context, key Key, stroke Stroke) error
	Button(ctx context.Context, button MouseButton, stroke Stroke) error
	MoveTo(ctx context.Context, x, y int) error
	MoveBy(ctx context.Context, dx, dy int) error
	Wheel(ctx context.Context, dx, dy int) error
}

var _ Input = (*HID)(nil)
