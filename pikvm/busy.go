package pikvm

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Pace of asking a busy device again: the shortest press keeps a line busy for about a second.
const (
	busyBase = 200 * time.Millisecond
	busyCap  = 2 * time.Second
)

// whileBusy repeats do while the device answers that it is busy, for at most limit. That is safe for anything:
// a busy device did nothing. Any other failure ends it at once.
func (c *Client) whileBusy(ctx context.Context, op string, limit time.Duration, do func(context.Context) error) error {
	var other error
	err := c.repeat(ctx, op, &retry.Policy{
		MaxAttempts: -1,
		MaxElapsed:  limit,
		Backoff:     retry.Backoff{Base: busyBase, Cap: busyCap},
		Budget:      c.budget,
	}, func(ctx context.Context) error {
		err := do(ctx)
		if errors.Is(err, ErrBusy) {
			return err
		}
		other = err
		return nil
	})
	if other != nil {
		return other
	}
	return err
}
