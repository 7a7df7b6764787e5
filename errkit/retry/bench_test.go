package retry_test

import (
	"context"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func BenchmarkDelay(b *testing.B) {
	for _, jitter := range []retry.Jitter{retry.JitterFull, retry.JitterEqual, retry.JitterDecorrelated, retry.JitterNone} {
		b.Run(jitter.String(), func(b *testing.B) {
			b.ReportAllocs()
			backoff := retry.Backoff{Jitter: jitter}
			for n := 1; b.Loop(); n++ {
				_ = backoff.Delay(n)
			}
		})
	}
}

func BenchmarkSequence(b *testing.B) {
	b.ReportAllocs()
	sequence := retry.Backoff{}.Start()
	for b.Loop() {
		sequence.Connected()
		_ = sequence.Next(errkit.Disconnected)
	}
}

func BenchmarkDo(b *testing.B) {
	b.ReportAllocs()
	policy := &retry.Policy{Budget: retry.NewBudget(nil)}
	ctx := context.Background()
	for b.Loop() {
		if err := retry.Do(ctx, policy, succeed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBudget(b *testing.B) {
	b.ReportAllocs()
	budget := retry.NewBudget(nil)
	for b.Loop() {
		paid, err := budget.Withdraw(errkit.Timeout)
		if err != nil {
			b.Fatal(err)
		}
		budget.Deposit(paid)
	}
}

func succeed(context.Context) error { return nil }

// The benchmarks show times; that nothing is allocated is a promise.
func TestNothingIsAllocated(t *testing.T) {
	var (
		backoff  retry.Backoff
		sequence = retry.Backoff{}.Start()
		budget   = retry.NewBudget(nil)
		policy   = &retry.Policy{Budget: budget}
		ctx      = context.Background()
	)
	for name, f := range map[string]func(){
		"Delay": func() { _ = backoff.Delay(7) },
		"Next": func() {
			sequence.Connected()
			_ = sequence.Next(errkit.Disconnected)
		},
		"Do":      func() { _ = retry.Do(ctx, policy, succeed) },
		"DoValue": func() { _, _ = retry.DoValue(ctx, policy, func(context.Context) (int, error) { return 1, nil }) },
		"Budget": func() {
			paid, _ := budget.Withdraw(errkit.Timeout)
			budget.Deposit(paid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, f); got != 0 {
				t.Errorf("%v allocations, want none", got)
			}
		})
	}
}
