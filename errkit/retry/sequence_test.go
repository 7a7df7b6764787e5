package retry_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

var (
	lamp     = errkit.NewClass("lamp", "", 0)
	errBusy  = lamp.New("busy", "busy", errkit.Busy)
	errFatal = lamp.New("broken", "broken", errkit.Invalid)
)

// askedFor is a busy error of a peer that says when to come back.
func askedFor(d time.Duration) error {
	return &errkit.Basic{Info: errkit.Info{Class: errBusy, RetryAfter: d}}
}

// step of the life of a link: a dial that fails, or one that succeeds and holds for up.
type step struct {
	up    time.Duration // 0 means that the dial failed
	reset bool          // while up, or after the failure
	err   error
}

func TestSequence(t *testing.T) {
	t.Parallel()
	const s = time.Second
	exact := retry.Backoff{Jitter: retry.JitterNone}
	fail := step{}
	for _, tc := range []struct {
		name     string
		backoff  retry.Backoff
		steps    []step
		want     []time.Duration
		attempts []int // that Attempt gives after each step; nil means not compared
	}{
		{
			name: "peer down from the beginning", backoff: exact,
			steps:    []step{fail, fail, fail, fail, fail, fail, fail, fail},
			want:     []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s},
			attempts: []int{2, 3, 4, 5, 6, 7, 8, 9},
		},
		{
			name: "lost after a stable period", backoff: exact,
			steps:    []step{{up: time.Hour}, fail, fail, {up: time.Hour}, fail},
			want:     []time.Duration{0, s, 2 * s, 0, s},
			attempts: []int{1, 2, 3, 1, 2},
		},
		{
			name: "lost after a stable period, with jitter", backoff: retry.Backoff{Rand: always(0.5)},
			steps: []step{{up: time.Hour}, fail, fail},
			want:  []time.Duration{s / 2, s / 2, s},
		},
		{
			name: "the first delay has full jitter in every mode with jitter", backoff: retry.Backoff{Jitter: retry.JitterEqual, Rand: always(0.2)},
			steps: []step{{up: time.Hour}, fail},
			want:  []time.Duration{s / 5, 600 * time.Millisecond},
		},
		{
			name: "the cap limits the first delay too", backoff: retry.Backoff{Base: 50 * s, Cap: 20 * s, Rand: always(0.5)},
			steps: []step{{up: time.Hour}, fail},
			want:  []time.Duration{10 * s, 10 * s},
		},
		{
			name: "accepted and dropped: delays keep growing", backoff: exact,
			steps:    []step{{up: s}, {up: s}, fail, {up: s}, {up: 9 * s}, {up: 11 * s}, fail, fail},
			want:     []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 0, s, 2 * s},
			attempts: []int{2, 3, 4, 5, 6, 1, 2, 3},
		},
		{
			name: "stable at exactly ten seconds", backoff: exact,
			steps: []step{fail, fail, {up: 10*s - 1}, {up: 10 * s}},
			want:  []time.Duration{s, 2 * s, 4 * s, 0},
		},
		{
			name: "other stable period", backoff: retry.Backoff{Jitter: retry.JitterNone, StableAfter: 30 * s},
			steps: []step{fail, {up: 29 * s}, {up: 30 * s}},
			want:  []time.Duration{s, 2 * s, 0},
		},
		{
			name: "every connection is stable", backoff: retry.Backoff{Jitter: retry.JitterNone, StableAfter: -1},
			steps: []step{fail, fail, {up: 1}, {up: 1}},
			want:  []time.Duration{s, 2 * s, 0, 0},
		},
		{
			name: "reset while the link is up makes it stable", backoff: exact,
			steps: []step{fail, fail, {up: s, reset: true}, fail},
			want:  []time.Duration{s, 2 * s, 0, s},
		},
		{
			name: "reset during an outage starts the delays again", backoff: exact,
			steps:    []step{fail, {reset: true}, fail},
			want:     []time.Duration{s, s, 2 * s},
			attempts: []int{2, 2, 3},
		},
		{
			name: "the peer asks for more", backoff: exact,
			steps: []step{{err: askedFor(7 * s)}, {err: askedFor(7 * s)}, {err: askedFor(7 * s)}, {err: askedFor(7 * s)}},
			want:  []time.Duration{7 * s, 7 * s, 7 * s, 8 * s},
		},
		{
			name: "the peer asks for too much", backoff: exact,
			steps: []step{{err: askedFor(24 * time.Hour)}, fail},
			want:  []time.Duration{5 * time.Minute, 2 * s},
		},
		{
			name: "the peer asks below a wrapped error", backoff: exact,
			steps: []step{{err: lamp.Wrap("dial", "", askedFor(7*s))}},
			want:  []time.Duration{7 * s},
		},
		{
			name: "the peer asks when a stable link ends", backoff: exact,
			steps: []step{{up: time.Hour, err: askedFor(3 * s)}},
			want:  []time.Duration{3 * s},
		},
		{
			name: "other limit for the peer", backoff: retry.Backoff{Jitter: retry.JitterNone, MaxRetryAfter: 3 * s},
			steps: []step{{err: askedFor(time.Hour)}, fail, fail},
			want:  []time.Duration{3 * s, 2 * s, 4 * s},
		},
		{
			name: "the peer is not asked", backoff: retry.Backoff{Jitter: retry.JitterNone, MaxRetryAfter: -1},
			steps: []step{{err: askedFor(time.Hour)}},
			want:  []time.Duration{s},
		},
		{
			name: "negative wishes are ignored", backoff: exact,
			steps: []step{{err: askedFor(-time.Hour)}},
			want:  []time.Duration{s},
		},
		{
			name: "decorrelated delays grow from the previous one", backoff: retry.Backoff{Jitter: retry.JitterDecorrelated, Rand: always(0.5)},
			steps: []step{fail, fail, fail, {up: time.Hour}, fail},
			want:  []time.Duration{2 * s, 3500 * time.Millisecond, 5750 * time.Millisecond, s / 2, 2 * s},
		},
		{
			name: "what the peer asked for does not make decorrelated delays longer", backoff: retry.Backoff{Jitter: retry.JitterDecorrelated, Rand: always(0.5)},
			steps: []step{{err: askedFor(50 * s)}, fail},
			want:  []time.Duration{50 * s, 3500 * time.Millisecond},
		},
		{
			name: "no delays", backoff: retry.Backoff{Base: -1},
			steps: []step{fail, {up: time.Hour}, {err: askedFor(s)}},
			want:  []time.Duration{0, 0, s},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sequence := tc.backoff.Start()
				if got := sequence.Attempt(); got != 1 {
					t.Errorf("Attempt = %d before the first one, want 1", got)
				}
				var got []time.Duration
				var attempts []int
				for _, step := range tc.steps {
					if step.up > 0 {
						sequence.Connected()
						time.Sleep(step.up)
					}
					if step.reset {
						sequence.Reset()
					}
					d := sequence.Next(step.err)
					got, attempts = append(got, d), append(attempts, sequence.Attempt())
					time.Sleep(d)
				}
				if !slices.Equal(got, tc.want) {
					t.Errorf("delays\n got %v\nwant %v", got, tc.want)
				}
				if tc.attempts != nil && !slices.Equal(attempts, tc.attempts) {
					t.Errorf("attempts\n got %v\nwant %v", attempts, tc.attempts)
				}
			})
		})
	}
}

func TestSequenceIsSafeForSeveralGoroutines(t *testing.T) {
	t.Parallel()
	sequence := retry.Backoff{}.Start()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				sequence.Connected()
				if d := sequence.Next(errkit.Busy); d < 0 || d > time.Minute {
					t.Errorf("Next = %v", d)
				}
				sequence.Attempt()
				sequence.Reset()
			}
		})
	}
	wg.Wait()
	if got := sequence.Attempt(); got != 1 {
		t.Errorf("Attempt = %d after Reset, want 1", got)
	}
}
