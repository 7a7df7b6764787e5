package retry_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func TestDoTellsOnRetry(t *testing.T) {
	t.Parallel()
	type told struct {
		at, delay time.Duration
		attempt   int
		err       error
	}
	synctest.Test(t, func(t *testing.T) {
		var got []told
		begin := time.Now()
		errs := []error{errkit.Busy, errkit.Full, errkit.Timeout}
		want := []told{
			{0, time.Second, 1, errkit.Busy},
			{time.Second, 2 * time.Second, 2, errkit.Full},
		}
		policy := &retry.Policy{
			MaxAttempts: 3,
			Backoff:     retry.Backoff{Jitter: retry.JitterNone},
			OnRetry: func(attempt int, delay time.Duration, err error) {
				got = append(got, told{time.Since(begin), delay, attempt, err})
			},
		}
		calls := 0
		_ = retry.Do(t.Context(), policy, func(context.Context) error {
			calls++
			return errs[calls-1]
		})
		if !slices.Equal(got, want) {
			t.Errorf("OnRetry\n got %v\nwant %v", got, want)
		}
	})
}

// Do may share one policy between goroutines: it copies it.
func TestDoSharesAPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := retry.Policy{MaxAttempts: 3, Budget: retry.NewBudget(nil)}
		results := make(chan error)
		for range 16 {
			go func() {
				calls := 0
				results <- retry.Do(t.Context(), &policy, func(context.Context) error {
					if calls++; calls < 3 {
						return errkit.Busy
					}
					return nil
				})
			}()
		}
		for range 16 {
			if err := <-results; err != nil {
				t.Errorf("Do = %v", err)
			}
		}
		// Each call paid for two retries and got the price of the second one back.
		if got := policy.Budget.Tokens(); got != 500-16*5 {
			t.Errorf("%d tokens left, want %d", got, 500-16*5)
		}
	})
}
