package retry_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	wrappedTimeout := lamp.Wrap("on", "", context.DeadlineExceeded)
	for _, tc := range []struct {
		name    string
		opts    *retry.BudgetOptions
		cause   error
		full    int
		cost    int
		retries int // that a full bucket pays for
	}{
		{name: "defaults", cause: errkit.Busy, full: 500, cost: 5, retries: 100},
		{name: "zero options", opts: &retry.BudgetOptions{}, cause: errkit.Busy, full: 500, cost: 5, retries: 100},
		{name: "timeout", cause: errkit.Timeout, full: 500, cost: 10, retries: 50},
		{name: "timeout inside", cause: wrappedTimeout, full: 500, cost: 10, retries: 50},
		{name: "no cause", full: 500, cost: 5, retries: 100},
		{name: "own numbers", opts: &retry.BudgetOptions{Tokens: 10, RetryCost: 3}, cause: errkit.Busy, full: 10, cost: 3, retries: 3},
		{name: "timeout is twice the own number", opts: &retry.BudgetOptions{Tokens: 20, RetryCost: 3}, cause: errkit.Timeout, full: 20, cost: 6, retries: 3},
		{name: "own number for a timeout", opts: &retry.BudgetOptions{TimeoutCost: 100}, cause: errkit.Timeout, full: 500, cost: 100, retries: 5},
		{name: "no retry at all", opts: &retry.BudgetOptions{Tokens: -1}, cause: errkit.Busy, full: 0, cost: 5, retries: 0},
		{name: "a retry dearer than the bucket", opts: &retry.BudgetOptions{Tokens: 4}, cause: errkit.Busy, full: 4, cost: 5, retries: 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(tc.opts)
			if got := b.Tokens(); got != tc.full {
				t.Errorf("full bucket has %d tokens, want %d", got, tc.full)
			}
			for n := range tc.retries {
				if cost, err := b.Withdraw(tc.cause); cost != tc.cost || err != nil {
					t.Fatalf("retry %d: Withdraw = %d, %v, want %d", n+1, cost, err, tc.cost)
				}
			}
			left := tc.full - tc.retries*tc.cost
			cost, err := b.Withdraw(tc.cause)
			e, ok := errors.AsType[*retry.BudgetError](err)
			if cost != 0 || !ok {
				t.Fatalf("empty bucket: Withdraw = %d, %v, want a BudgetError", cost, err)
			}
			if e.Tokens != left || e.Cost != tc.cost || b.Tokens() != left {
				t.Errorf("BudgetError has %d tokens and cost %d with %d left, want %d, %d, %[4]d", e.Tokens, e.Cost, b.Tokens(), left, tc.cost)
			}
		})
	}
}

func TestBudgetRefill(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		opts     retry.BudgetOptions
		spend    int // retries at 5 tokens
		deposits []int
		want     int
	}{
		{name: "a success brings one", spend: 2, deposits: []int{0}, want: 491},
		{name: "a success on a retry brings its price", spend: 2, deposits: []int{5}, want: 495},
		{name: "never more than full", spend: 1, deposits: []int{5, 5, 0, 0}, want: 500},
		{name: "the last one in part", spend: 1, deposits: []int{4, 4}, want: 500},
		{name: "huge deposits do not overflow", spend: 1, deposits: []int{math.MaxInt, math.MaxInt}, want: 500},
		{name: "a negative price counts as none", spend: 2, deposits: []int{-100}, want: 491},
		{name: "own refill", opts: retry.BudgetOptions{SuccessRefill: 3}, spend: 2, deposits: []int{0, 0}, want: 496},
		{name: "no refill", opts: retry.BudgetOptions{SuccessRefill: -1}, spend: 2, deposits: []int{0, 0}, want: 490},
		{name: "free retries", opts: retry.BudgetOptions{RetryCost: -1}, spend: 1000, want: 500},
		{name: "from empty", spend: 100, deposits: []int{0, 0, 0}, want: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := retry.NewBudget(&tc.opts)
			for range tc.spend {
				if _, err := b.Withdraw(errkit.Busy); err != nil {
					t.Fatal(err)
				}
			}
			for _, paid := range tc.deposits {
				b.Deposit(paid)
			}
			if got := b.Tokens(); got != tc.want {
				t.Errorf("%d tokens, want %d", got, tc.want)
			}
		})
	}
}

func TestNilBudgetPaysForEverything(t *testing.T) {
	t.Parallel()
	var b *retry.Budget
	for range 1000 {
		if cost, err := b.Withdraw(errkit.Timeout); cost != 0 || err != nil {
			t.Fatalf("Withdraw = %d, %v", cost, err)
		}
	}
	b.Deposit(0)
	b.Deposit(5)
	if got := b.Tokens(); got != 0 {
		t.Errorf("Tokens = %d, want 0", got)
	}
}

func TestDoPaysFromTheBudget(t *testing.T) {
	t.Parallel()
	busy, timeout := error(errkit.Busy), error(errkit.Timeout)
	for _, tc := range []struct {
		name   string
		tokens int
		cancel time.Duration // 0 means never
		limit  time.Duration // MaxElapsed
		errs   []error
		calls  int
		left   int
		is     error // nil means success
	}{
		{name: "success without a retry", tokens: 20, errs: []error{nil}, calls: 1, left: 20},
		{name: "success on the second attempt returns the price", tokens: 20, errs: []error{busy, nil}, calls: 2, left: 20},
		{name: "success on the third attempt returns the last price", tokens: 20, errs: []error{busy, timeout, nil}, calls: 3, left: 15},
		{name: "failures return nothing", tokens: 20, errs: []error{busy}, calls: 4, left: 5, is: retry.ErrExhausted},
		{name: "an error that stays returns nothing", tokens: 20, errs: []error{busy, errkit.NotFound}, calls: 2, left: 15, is: errkit.NotFound},
		{name: "an error that stays costs nothing", tokens: 20, errs: []error{errkit.NotFound}, calls: 1, left: 20, is: errkit.NotFound},
		{name: "empty after one retry", tokens: 8, errs: []error{busy}, calls: 2, left: 3, is: retry.ErrBudget},
		{name: "empty for a timeout", tokens: 8, errs: []error{timeout}, calls: 1, left: 8, is: retry.ErrBudget},
		{name: "empty from the beginning", tokens: -1, errs: []error{busy}, calls: 1, left: 0, is: retry.ErrBudget},
		{name: "canceled before the retry returns the price", tokens: 20, cancel: 500 * time.Millisecond, errs: []error{busy}, calls: 1, left: 20, is: context.Canceled},
		{name: "no time costs nothing", tokens: 20, limit: 1, errs: []error{busy}, calls: 1, left: 20, is: retry.ErrExhausted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.cancel > 0 {
					defer time.AfterFunc(tc.cancel, cancel).Stop()
				}
				budget := retry.NewBudget(&retry.BudgetOptions{Tokens: tc.tokens})
				calls := 0
				err := retry.Do(ctx, &retry.Policy{
					MaxElapsed: tc.limit,
					Backoff:    retry.Backoff{Jitter: retry.JitterNone},
					Budget:     budget,
				}, func(context.Context) error {
					calls++
					return tc.errs[min(calls, len(tc.errs))-1]
				})
				if calls != tc.calls || budget.Tokens() != tc.left {
					t.Errorf("%d calls and %d tokens left, want %d and %d", calls, budget.Tokens(), tc.calls, tc.left)
				}
				if (err != nil) != (tc.is != nil) || tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("Do = %v, want a match of %v", err, tc.is)
				}
				if e, ok := errors.AsType[*retry.BudgetError](err); ok && (e.Attempts != tc.calls || e.Tokens != tc.left || !errors.Is(err, tc.errs[0])) {
					t.Errorf("BudgetError has %d attempts, %d tokens and cause %v", e.Attempts, e.Tokens, e.Err)
				}
			})
		})
	}
}

func TestBudgetIsSafeForSeveralGoroutines(t *testing.T) {
	t.Parallel()
	t.Run("spends every token once", func(t *testing.T) {
		t.Parallel()
		b := retry.NewBudget(&retry.BudgetOptions{Tokens: 1_000_000})
		var paid atomic.Int64
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				<-start
				for range 20_000 {
					if _, err := b.Withdraw(errkit.Busy); err == nil {
						paid.Add(1)
					}
				}
			})
		}
		close(start)
		wg.Wait()
		if paid.Load() != 200_000 || b.Tokens() != 0 {
			t.Errorf("paid for %d retries with %d tokens left, want 200000 and 0", paid.Load(), b.Tokens())
		}
	})
	t.Run("stays between empty and full", func(t *testing.T) {
		t.Parallel()
		b := retry.NewBudget(&retry.BudgetOptions{Tokens: 40})
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				for n := range 500 {
					cost, err := b.Withdraw(errkit.Busy)
					if have := b.Tokens(); have < 0 || have > 40 {
						t.Errorf("%d tokens in a bucket of 40", have)
						return
					}
					if err == nil && (g+n)%3 > 0 {
						b.Deposit(cost)
					} else {
						b.Deposit(0)
					}
				}
			})
		}
		wg.Wait()
		for range 40 {
			b.Deposit(0)
		}
		if got := b.Tokens(); got != 40 {
			t.Errorf("%d tokens after refilling, want 40", got)
		}
	})
}
