package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func ExampleDo() {
	answers := []error{errkit.Busy, errkit.Unavailable, nil} // of a device
	read := func(context.Context) error {
		err := answers[0]
		answers = answers[1:]
		return err
	}

	policy := &retry.Policy{
		Backoff: retry.Backoff{Base: 5 * time.Millisecond, Jitter: retry.JitterNone},
		Budget:  retry.NewBudget(nil), // keep one for each destination
		OnRetry: func(attempt int, delay time.Duration, err error) {
			fmt.Printf("attempt %d: %v, again in %v\n", attempt, err, delay)
		},
	}
	if err := retry.Do(context.Background(), policy, read); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("done")
	// Output:
	// attempt 1: busy, again in 5ms
	// attempt 2: unavailable, again in 10ms
	// done
}

// A call with effects is repeated only while it is certain that it did not happen.
func ExampleDo_notSentOnly() {
	answers := []error{errkit.Connection | errkit.NotSent, errkit.Timeout} // of a device
	click := func(context.Context) error {
		err := answers[0]
		answers = answers[1:]
		return err
	}

	policy := &retry.Policy{NotSentOnly: true, Backoff: retry.Backoff{Base: time.Millisecond}}
	err := retry.Do(context.Background(), policy, click)
	fmt.Println(err, len(answers))
	// Output: timeout 0
}

func ExampleDoValue() {
	policy := &retry.Policy{MaxAttempts: 2, Backoff: retry.Backoff{Base: time.Millisecond}}
	level, err := retry.DoValue(context.Background(), policy, func(context.Context) (int, error) {
		return 0, errkit.Unavailable
	})
	if e, ok := errors.AsType[*retry.ExhaustedError](err); ok {
		fmt.Println(level, e.Attempts, e.Err)
	}
	// Output: 0 2 unavailable
}

func ExampleBackoff_Delay() {
	backoff := retry.Backoff{Cap: 10 * time.Second, Jitter: retry.JitterNone}
	for attempt := 1; attempt <= 6; attempt++ {
		fmt.Print(backoff.Delay(attempt), " ")
	}
	// Output: 1s 2s 4s 8s 10s 10s
}

// The link of this example breaks as soon as it is up, so the delays grow although every dial succeeds.
func ExampleSequence() {
	delays := retry.Backoff{Base: time.Millisecond, Jitter: retry.JitterNone}.Start()
	for range 4 {
		delays.Connected()
		delay := delays.Next(errkit.Disconnected)
		fmt.Println(delays.Attempt(), delay)
		if err := retry.Wait(context.Background(), delay); err != nil {
			return
		}
	}
	// Output:
	// 2 1ms
	// 3 2ms
	// 4 4ms
	// 5 8ms
}

func ExampleBudget() {
	budget := retry.NewBudget(&retry.BudgetOptions{Tokens: 10})
	policy := &retry.Policy{Budget: budget, Backoff: retry.Backoff{Base: time.Millisecond, Jitter: retry.JitterNone}}
	attempts := 0
	for range 100 {
		err := retry.Do(context.Background(), policy, func(context.Context) error {
			attempts++
			return errkit.Unavailable
		})
		if !errors.Is(err, retry.ErrBudget) {
			fmt.Println(err)
		}
	}
	fmt.Println(attempts, "attempts for 100 calls")
	// Output: 102 attempts for 100 calls
}
