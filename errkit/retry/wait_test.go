package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func TestWait(t *testing.T) {
	t.Parallel()
	errStop := errors.New("switched off")
	background := func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }
	within := func(d time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), d)
		}
	}
	canceledAfter := func(d time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			timer := time.AfterFunc(d, func() { cancel(errStop) })
			return ctx, func() { timer.Stop(); cancel(nil) }
		}
	}
	for _, tc := range []struct {
		name string
		ctx  func() (context.Context, context.CancelFunc)
		d    time.Duration
		want []error // that the error matches; nil means no error
		took time.Duration
	}{
		{name: "the whole time", ctx: background, d: time.Hour, took: time.Hour},
		{name: "no time", ctx: background, d: 0},
		{name: "negative time", ctx: background, d: -time.Hour},
		{name: "within the deadline", ctx: within(time.Hour), d: time.Minute, took: time.Minute},
		{
			name: "deadline", ctx: within(time.Minute), d: time.Hour, took: time.Minute,
			want: []error{context.DeadlineExceeded, errkit.Timeout},
		},
		{
			name: "canceled", ctx: canceledAfter(time.Minute), d: time.Hour, took: time.Minute,
			want: []error{context.Canceled, errkit.Canceled, errStop},
		},
		{name: "deadline passed before", ctx: within(-1), d: time.Hour, want: []error{context.DeadlineExceeded, errkit.Timeout}},
		{name: "deadline passed before, no time", ctx: within(-1), d: 0, want: []error{context.DeadlineExceeded}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tc.ctx()
				defer cancel()
				start := time.Now()
				err := retry.Wait(ctx, tc.d)
				if took := time.Since(start); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				if (err != nil) != (tc.want != nil) {
					t.Errorf("Wait = %v", err)
				}
				for _, want := range tc.want {
					if !errors.Is(err, want) {
						t.Errorf("Wait = %v, want a match of %v", err, want)
					}
				}
			})
		})
	}
}
