package retry_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// opinionated is an error with a judgement of its own.
type opinionated struct {
	errkit.Basic
	transient bool
}

func (e *opinionated) Transient() bool { return e.transient }

const unsent = errkit.Connection | errkit.NotSent

func TestDo(t *testing.T) {
	t.Parallel()
	const s = time.Second
	exact := retry.Backoff{Jitter: retry.JitterNone}
	for _, tc := range []struct {
		name     string
		policy   *retry.Policy
		deadline time.Duration // of the context, 0 means none
		cancel   time.Duration // when the context is canceled, 0 means never
		lasts    time.Duration // one attempt
		errs     []error       // of the attempts, the last one again and again

		starts   []time.Duration // of the attempts
		ends     time.Duration
		same     bool    // the error is the last attempt's own
		is, not  []error // what the error matches and what it does not
		attempts int     // that the error tells, if it is not the last attempt's own
		elapsed  time.Duration
	}{
		{
			name: "success at once",
			errs: []error{nil}, starts: []time.Duration{0},
		},
		{
			name:   "success on the third attempt",
			policy: &retry.Policy{Backoff: exact},
			errs:   []error{errkit.Busy, errkit.Timeout, nil},
			starts: []time.Duration{0, s, 3 * s}, ends: 3 * s,
		},
		{
			name: "an error that stays", policy: &retry.Policy{Backoff: exact},
			errs: []error{errkit.NotFound}, starts: []time.Duration{0},
			same: true, is: []error{errkit.NotFound}, not: []error{retry.Err, errkit.Exhausted},
		},
		{
			name: "an error of unknown kind", policy: &retry.Policy{Backoff: exact},
			errs: []error{errors.New("?")}, starts: []time.Duration{0}, same: true,
		},
		{
			name: "an error that stays after one that does not", policy: &retry.Policy{Backoff: exact},
			errs: []error{errkit.Busy, errFatal}, starts: []time.Duration{0, s}, ends: s,
			same: true, is: []error{errFatal}, not: []error{retry.Err, errkit.Busy},
		},
		{
			name: "four attempts by default", policy: &retry.Policy{Backoff: exact},
			errs:   []error{errkit.Timeout, errkit.Busy, errkit.Busy, lamp.Wrap("on", "", io.ErrUnexpectedEOF)},
			starts: []time.Duration{0, s, 3 * s, 7 * s}, ends: 7 * s, attempts: 4, elapsed: 7 * s,
			is:  []error{retry.Err, retry.ErrExhausted, errkit.Exhausted, errkit.Err, errkit.Disconnected, lamp, io.ErrUnexpectedEOF},
			not: []error{retry.ErrBudget, errkit.Timeout, context.DeadlineExceeded, context.Canceled},
		},
		{
			name: "other number of attempts", policy: &retry.Policy{MaxAttempts: 2, Backoff: exact},
			errs: []error{errkit.Busy}, starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errkit.Busy},
		},
		{
			name: "one attempt adds nothing", policy: &retry.Policy{MaxAttempts: 1},
			errs: []error{errkit.Busy}, starts: []time.Duration{0}, same: true, not: []error{retry.Err},
		},
		{
			name: "no limit of attempts", policy: &retry.Policy{MaxAttempts: -1, Backoff: retry.Backoff{Base: s, Multiplier: 1, Jitter: retry.JitterNone}},
			errs: append(slices.Repeat([]error{errkit.Busy}, 10), nil), ends: 10 * s,
			starts: []time.Duration{0, s, 2 * s, 3 * s, 4 * s, 5 * s, 6 * s, 7 * s, 8 * s, 9 * s, 10 * s},
		},
		{
			name: "the attempts' own time is part of it", policy: &retry.Policy{MaxAttempts: 2, Backoff: exact}, lasts: 3 * s,
			errs: []error{errkit.Busy}, starts: []time.Duration{0, 4 * s}, ends: 7 * s, attempts: 2, elapsed: 7 * s,
		},
		{
			name: "the peer says when", policy: &retry.Policy{Backoff: exact},
			errs: []error{askedFor(20 * s), nil}, starts: []time.Duration{0, 20 * s}, ends: 20 * s,
		},
		{
			name: "the peer says soon", policy: &retry.Policy{Backoff: exact},
			errs: []error{askedFor(time.Millisecond), nil}, starts: []time.Duration{0, s}, ends: s,
		},

		{
			name: "an error judges itself: not transient", policy: &retry.Policy{Backoff: exact},
			errs:   []error{&opinionated{errkit.Basic{Info: errkit.Info{Class: errBusy}}, false}},
			starts: []time.Duration{0}, same: true,
		},
		{
			name: "an error judges itself: transient", policy: &retry.Policy{MaxAttempts: 2, Backoff: exact},
			errs:   []error{&opinionated{errkit.Basic{Info: errkit.Info{Class: errFatal}}, true}},
			starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errFatal},
		},

		{
			name: "not to be repeated blindly", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{errkit.Timeout}, starts: []time.Duration{0}, same: true, not: []error{retry.Err},
		},
		{
			name: "certainly not sent", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{unsent, unsent, nil}, starts: []time.Duration{0, s, 3 * s}, ends: 3 * s,
		},
		{
			name: "not sent, then perhaps sent", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{unsent, errkit.Timeout}, starts: []time.Duration{0, s}, ends: s,
			same: true, not: []error{retry.Err, errkit.NotSent},
		},
		{
			name: "not sent and no cure", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{errkit.Invalid | errkit.NotSent}, starts: []time.Duration{0},
			same: true, is: []error{errkit.NotSent},
		},
		{
			name: "one of several not sent", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{errors.Join(errkit.Timeout, unsent)}, starts: []time.Duration{0},
			is: []error{errkit.Timeout, errkit.Connection}, not: []error{retry.Err, errkit.NotSent},
		},
		{
			name: "one of several not sent, given up", policy: &retry.Policy{MaxAttempts: 2, Backoff: exact},
			errs: []error{errors.Join(unsent, errkit.Timeout)}, starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errkit.Timeout}, not: []error{errkit.NotSent},
		},
		{
			name: "none of several sent", policy: &retry.Policy{NotSentOnly: true, Backoff: exact},
			errs: []error{errors.Join(unsent, lamp.Wrap("dial", "", unsent)), nil}, starts: []time.Duration{0, s}, ends: s,
		},
		{
			name: "never sent", policy: &retry.Policy{NotSentOnly: true, MaxAttempts: 2, Backoff: exact},
			errs: []error{unsent}, starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errkit.NotSent, errkit.Connection, unsent},
		},
		{
			name: "perhaps sent, then certainly not", policy: &retry.Policy{MaxAttempts: 2, Backoff: exact},
			errs:   []error{errkit.Timeout, lamp.Wrap("dial", "", errkit.NotSent|errkit.Connection)},
			starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errkit.Connection, lamp}, not: []error{errkit.NotSent, unsent, errkit.Timeout},
		},
		{
			name: "perhaps sent, then refused before sending", policy: &retry.Policy{Backoff: exact},
			errs:   []error{errkit.Timeout, errFatal.Wrap("dial", "", errkit.NotSent)},
			starts: []time.Duration{0, s}, ends: s,
			is: []error{errFatal, errkit.Invalid}, not: []error{retry.Err, errkit.NotSent},
		},

		{
			name: "no time for the third attempt", policy: &retry.Policy{MaxElapsed: 2500 * time.Millisecond, Backoff: exact},
			errs: []error{errkit.Busy}, starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{retry.ErrExhausted, errkit.Busy}, not: []error{context.DeadlineExceeded, errkit.Timeout},
		},
		{
			name: "just time enough", policy: &retry.Policy{MaxElapsed: 3 * s, Backoff: exact},
			errs: []error{errkit.Busy}, starts: []time.Duration{0, s, 3 * s}, ends: 3 * s, attempts: 3, elapsed: 3 * s,
		},
		{
			name: "the first attempt takes all the time", policy: &retry.Policy{MaxElapsed: s, Backoff: exact}, lasts: 5 * s,
			errs: []error{errkit.Busy}, starts: []time.Duration{0}, ends: 5 * s, attempts: 1, elapsed: 5 * s,
		},

		{
			name: "deadline before the next attempt", policy: &retry.Policy{Backoff: exact}, deadline: 6 * s,
			errs:   []error{errBusy.Wrap("on", "", nil)},
			starts: []time.Duration{0, s, 3 * s}, ends: 3 * s, attempts: 3, elapsed: 3 * s,
			is:  []error{retry.ErrExhausted, context.DeadlineExceeded, errkit.Timeout, errBusy},
			not: []error{context.Canceled, errkit.Canceled},
		},
		{
			name: "deadline at the next attempt", policy: &retry.Policy{Backoff: exact}, deadline: 3 * s,
			errs: []error{errkit.Busy}, starts: []time.Duration{0, s}, ends: s, attempts: 2, elapsed: s,
			is: []error{context.DeadlineExceeded},
		},
		{
			name: "the peer asks beyond the deadline", policy: &retry.Policy{Backoff: exact}, deadline: 6 * s,
			errs: []error{askedFor(time.Minute)}, starts: []time.Duration{0}, attempts: 1,
			is: []error{context.DeadlineExceeded, errBusy},
		},
		{
			name: "deadline during the only attempt", deadline: 2 * s, lasts: 5 * s,
			errs: []error{nil}, starts: []time.Duration{0}, ends: 2 * s,
			same: true, is: []error{context.DeadlineExceeded, errkit.Timeout}, not: []error{retry.Err},
		},
		{
			name: "deadline during a further attempt", policy: &retry.Policy{Backoff: exact}, deadline: 6 * s, lasts: 2 * s,
			errs:   []error{errkit.Busy, errkit.Timeout},
			starts: []time.Duration{0, 3 * s}, ends: 5 * s, attempts: 2, elapsed: 5 * s,
			is: []error{retry.ErrExhausted, context.DeadlineExceeded},
		},
		{
			name: "deadline during a further attempt whose error says so", policy: &retry.Policy{Backoff: exact}, deadline: 4 * s, lasts: 2 * s,
			errs:   []error{errkit.Busy, nil},
			starts: []time.Duration{0, 3 * s}, ends: 4 * s, attempts: 2, elapsed: 4 * s,
			is: []error{retry.ErrExhausted, context.DeadlineExceeded},
		},
		{
			name: "deadline passed before", deadline: -1,
			errs: []error{nil}, is: []error{context.DeadlineExceeded, errkit.Timeout}, not: []error{retry.Err},
		},
		{
			name: "canceled while waiting", policy: &retry.Policy{Backoff: exact}, cancel: 2 * s,
			errs: []error{errkit.Busy}, starts: []time.Duration{0, s}, ends: 2 * s, attempts: 2, elapsed: 2 * s,
			is:  []error{retry.ErrExhausted, context.Canceled, errkit.Canceled, errkit.Busy},
			not: []error{context.DeadlineExceeded, errkit.Timeout},
		},
		{
			name: "canceled during an attempt whose error does not say so", policy: &retry.Policy{Backoff: exact}, cancel: s, lasts: 3 * s,
			errs: []error{errkit.Disconnected}, starts: []time.Duration{0}, ends: s, attempts: 1, elapsed: s,
			is: []error{retry.ErrExhausted, context.Canceled, errkit.Canceled, errkit.Disconnected},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.deadline != 0 {
					limited, cancel := context.WithTimeout(ctx, tc.deadline)
					defer cancel()
					ctx = limited
				}
				if tc.cancel > 0 {
					limited, cancel := context.WithCancel(ctx)
					defer cancel()
					defer time.AfterFunc(tc.cancel, cancel).Stop()
					ctx = limited
				}
				var (
					begin  = time.Now()
					starts []time.Duration
					last   error
				)
				err := retry.Do(ctx, tc.policy, func(ctx context.Context) error {
					last = tc.errs[min(len(starts), len(tc.errs)-1)]
					starts = append(starts, time.Since(begin))
					if done := retry.Wait(ctx, tc.lasts); done != nil && last == nil {
						last = done
					}
					return last
				})

				if ends := time.Since(begin); ends != tc.ends {
					t.Errorf("Do took %v, want %v", ends, tc.ends)
				}
				if !slices.Equal(starts, tc.starts) {
					t.Errorf("attempts at\n got %v\nwant %v", starts, tc.starts)
				}
				if failed := tc.same || tc.is != nil || tc.not != nil || tc.attempts > 0; failed != (err != nil) {
					t.Fatalf("Do = %v", err)
				}
				if tc.same && err != last {
					t.Errorf("Do = %#v, want the error of the last attempt %#v", err, last)
				}
				for _, target := range tc.is {
					if !errors.Is(err, target) {
						t.Errorf("Do = %v, want a match of %v", err, target)
					}
				}
				for _, target := range tc.not {
					if errors.Is(err, target) {
						t.Errorf("Do = %v, which matches %v", err, target)
					}
				}
				e, ok := errors.AsType[*retry.ExhaustedError](err)
				if ok != (tc.attempts > 0) {
					t.Fatalf("Do = %T", err)
				}
				if ok && (e.Attempts != tc.attempts || e.Elapsed != tc.elapsed) {
					t.Errorf("%d attempts in %v, want %d in %v", e.Attempts, e.Elapsed, tc.attempts, tc.elapsed)
				}
				if ok && errkit.Transient(err) {
					t.Errorf("Transient(%v) = true", err)
				}
			})
		})
	}
}

func TestDoValue(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		errs []error
		want int
		err  error
	}{
		{name: "value of the attempt that succeeds", errs: []error{errkit.Busy, errkit.Busy, nil}, want: 3},
		{name: "value of the last attempt with the error", errs: []error{errkit.Busy, errkit.NotFound}, want: 2, err: errkit.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				got, err := retry.DoValue(t.Context(), nil, func(context.Context) (int, error) {
					calls++
					return calls, tc.errs[calls-1]
				})
				if got != tc.want || err != tc.err {
					t.Errorf("DoValue = %d, %v, want %d, %v", got, err, tc.want, tc.err)
				}
			})
		})
	}
	t.Run("no value when the context was done before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got, err := retry.DoValue(ctx, nil, func(context.Context) (int, error) { return 1, nil })
		if got != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("DoValue = %d, %v, want 0, canceled", got, err)
		}
	})
}

// A loop around a loop makes no more attempts than the loop, also when a layer between them wraps the error.
func TestDoAroundDo(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(error) error{
		"bare":    func(err error) error { return err },
		"wrapped": func(err error) error { return lamp.Wrap("on", "", err) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := retry.Do(t.Context(), nil, func(ctx context.Context) error {
					return wrap(retry.Do(ctx, nil, func(context.Context) error {
						calls++
						return errkit.Timeout
					}))
				})
				if calls != 4 || !errors.Is(err, retry.ErrExhausted) {
					t.Errorf("%d calls, %v; want 4", calls, err)
				}
			})
		})
	}
}
