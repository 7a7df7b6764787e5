package retry

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Wait blocks for d, or until ctx is done: then it returns [errkit.FromContext], and so it does at once when ctx
// is done already. It leaves no timer behind.
func Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return errkit.FromContext(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errkit.FromContext(ctx)
	}
}
