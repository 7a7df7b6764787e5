package retry_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

const forever = time.Duration(math.MaxInt64)

// always is a random source that knows one number.
func always(r float64) func() float64 { return func() float64 { return r } }

// seeded is a random source that gives the same numbers in every run.
func seeded(seed uint64) func() float64 { return rand.New(rand.NewPCG(seed, 1)).Float64 }

func TestDelay(t *testing.T) {
	t.Parallel()
	const s = time.Second
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, tc := range []struct {
		name    string
		backoff retry.Backoff
		want    []time.Duration // after the attempts 1, 2, ...
	}{
		{
			name:    "defaults without jitter",
			backoff: retry.Backoff{Jitter: retry.JitterNone},
			want:    []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s},
		},
		{
			name:    "defaults, longest draw",
			backoff: retry.Backoff{Rand: always(1)},
			want:    []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s},
		},
		{
			name:    "defaults, middle draw",
			backoff: retry.Backoff{Rand: always(0.5)},
			want:    []time.Duration{ms(500), s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s},
		},
		{
			name:    "defaults, shortest draw is the floor",
			backoff: retry.Backoff{Rand: always(0)},
			want:    []time.Duration{ms(100), ms(100), ms(100)},
		},
		{
			name:    "a draw below the floor moves to the widths above it",
			backoff: retry.Backoff{Rand: always(0.05)},
			want:    []time.Duration{ms(200), ms(100), ms(200), ms(400)},
		},
		{
			name:    "no floor",
			backoff: retry.Backoff{Floor: -1, Rand: always(0)},
			want:    []time.Duration{0, 0, 0},
		},
		{
			name:    "a base below the floor stays",
			backoff: retry.Backoff{Base: ms(40), Rand: always(0)},
			want:    []time.Duration{ms(40), ms(80), ms(100), ms(100)},
		},
		{
			name:    "equal jitter, shortest draw",
			backoff: retry.Backoff{Jitter: retry.JitterEqual, Rand: always(0)},
			want:    []time.Duration{ms(500), s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s},
		},
		{
			name:    "equal jitter, longest draw",
			backoff: retry.Backoff{Jitter: retry.JitterEqual, Rand: always(1)},
			want:    []time.Duration{s, 2 * s, 4 * s, 8 * s},
		},
		{
			name:    "decorrelated, shortest draw is the base",
			backoff: retry.Backoff{Jitter: retry.JitterDecorrelated, Rand: always(0)},
			want:    []time.Duration{s, s, s, s},
		},
		{
			name:    "decorrelated, longest draw",
			backoff: retry.Backoff{Jitter: retry.JitterDecorrelated, Rand: always(1)},
			want:    []time.Duration{3 * s, 9 * s, 27 * s, 60 * s, 60 * s},
		},
		{
			name:    "other base, cap and multiplier",
			backoff: retry.Backoff{Base: ms(200), Cap: s, Multiplier: 1.5, Jitter: retry.JitterNone},
			want:    []time.Duration{ms(200), ms(300), ms(450), ms(675), s, s},
		},
		{
			name:    "multiplier 1 is a fixed delay",
			backoff: retry.Backoff{Base: ms(50), Multiplier: 1, Jitter: retry.JitterNone},
			want:    []time.Duration{ms(50), ms(50), ms(50)},
		},
		{
			name:    "a multiplier below 1 does not shrink",
			backoff: retry.Backoff{Multiplier: 0.5, Jitter: retry.JitterNone},
			want:    []time.Duration{s, s, s},
		},
		{
			name:    "a multiplier that is no number",
			backoff: retry.Backoff{Multiplier: math.NaN(), Jitter: retry.JitterNone},
			want:    []time.Duration{s, s, s},
		},
		{
			name:    "infinite multiplier",
			backoff: retry.Backoff{Multiplier: math.Inf(1), Jitter: retry.JitterNone},
			want:    []time.Duration{s, 60 * s, 60 * s},
		},
		{
			name:    "no delays",
			backoff: retry.Backoff{Base: -1, Multiplier: math.Inf(1)},
			want:    []time.Duration{0, 0, 0},
		},
		{
			name:    "the cap limits the base",
			backoff: retry.Backoff{Base: 90 * s, Jitter: retry.JitterNone},
			want:    []time.Duration{60 * s, 60 * s},
		},
		{
			name:    "a cap below zero is the default",
			backoff: retry.Backoff{Base: 50 * s, Cap: -1, Jitter: retry.JitterNone},
			want:    []time.Duration{50 * s, 60 * s},
		},
		{
			name:    "a mode that does not exist is full jitter",
			backoff: retry.Backoff{Jitter: 99, Rand: always(0.5)},
			want:    []time.Duration{ms(500), s},
		},
		{
			name:    "a random source above its range",
			backoff: retry.Backoff{Rand: always(17)},
			want:    []time.Duration{s, 2 * s},
		},
		{
			name:    "a random source below its range",
			backoff: retry.Backoff{Rand: always(-0.1)},
			want:    []time.Duration{s, 2 * s},
		},
		{
			name:    "a random source that gives no number",
			backoff: retry.Backoff{Rand: always(math.NaN())},
			want:    []time.Duration{s, 2 * s},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []time.Duration
			for n := range tc.want {
				got = append(got, tc.backoff.Delay(n+1))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("delays\n got %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestDelayOfExtremeAttempts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		backoff retry.Backoff
		attempt int
		want    time.Duration
	}{
		{name: "attempt 0 counts as 1", attempt: 0, want: time.Second},
		{name: "negative attempt counts as 1", attempt: math.MinInt, want: time.Second},
		{name: "attempt 64", attempt: 64, want: time.Minute},
		{name: "attempt 65", attempt: 65, want: time.Minute},
		{name: "attempt 1e6", attempt: 1e6, want: time.Minute},
		{name: "last attempt", attempt: math.MaxInt, want: time.Minute},
		{name: "longest cap", backoff: retry.Backoff{Cap: forever}, attempt: 1e6, want: forever},
		{name: "longest base", backoff: retry.Backoff{Base: forever, Cap: forever}, attempt: 1, want: forever},
		{name: "longest floor", backoff: retry.Backoff{Floor: forever, Cap: forever}, attempt: 1e6, want: forever},
	} {
		for _, jitter := range []retry.Jitter{retry.JitterNone, retry.JitterFull, retry.JitterEqual} {
			t.Run(tc.name+"/"+jitter.String(), func(t *testing.T) {
				t.Parallel()
				b := tc.backoff
				b.Jitter, b.Rand = jitter, always(1)
				if got := b.Delay(tc.attempt); got != tc.want {
					t.Errorf("Delay(%d) = %v, want %v", tc.attempt, got, tc.want)
				}
			})
		}
	}
	b := retry.Backoff{Jitter: retry.JitterDecorrelated, Rand: always(1)}
	if got := b.Delay(1e6); got != time.Minute {
		t.Errorf("decorrelated Delay(1e6) = %v, want 1m", got)
	}
}

// Whatever the options: a delay is neither negative nor above the cap, and with the modes that promise it not
// below the floor.
func TestDelayStaysInItsBounds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	pick := func() time.Duration {
		switch random.IntN(6) {
		case 0:
			return 0
		case 1:
			return -time.Duration(random.Int64N(math.MaxInt64))
		case 2:
			return time.Duration(random.Int64N(math.MaxInt64))
		}
		return time.Duration(random.Int64N(int64(time.Minute)))
	}
	multipliers := []float64{0, 1, 1.5, 2, 3, 10, -2, 0.1, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64}
	for range 20_000 {
		b := retry.Backoff{
			Base: pick(), Cap: pick(), Floor: pick(),
			Multiplier: multipliers[random.IntN(len(multipliers))],
			Jitter:     retry.Jitter(random.IntN(5)),
			Rand:       random.Float64,
		}
		limit := b.Cap
		if limit <= 0 {
			limit = time.Minute
		}
		highest := b
		highest.Rand = always(1)
		floor := b.Floor
		if floor == 0 {
			floor = 100 * time.Millisecond
		}
		for _, attempt := range []int{1, 2, 3, 10, 63, 64, 65, 1e6} {
			got, high := b.Delay(attempt), highest.Delay(attempt)
			if got < 0 || got > limit || got > high || got < min(floor, high) {
				t.Fatalf("%+v: Delay(%d) = %v; cap %v, longest %v, floor %v", b, attempt, got, limit, high, floor)
			}
		}
	}
}

func TestFullJitterIsEven(t *testing.T) {
	t.Parallel()
	for _, attempt := range []int{1, 2, 3, 7, 1e6} {
		b := retry.Backoff{Rand: seeded(uint64(attempt))}
		raw := retry.Backoff{Jitter: retry.JitterNone}.Delay(attempt)
		const draws = 10_000
		var sum time.Duration
		for range draws {
			d := b.Delay(attempt)
			if d < 100*time.Millisecond || d > raw {
				t.Fatalf("Delay(%d) = %v, want between 100ms and %v", attempt, d, raw)
			}
			sum += d
		}
		if mean := sum / draws; (mean - raw/2).Abs() > raw/20 {
			t.Errorf("attempt %d: mean %v, want within 5%% of %v", attempt, mean, raw/2)
		}
	}
}

// A thousand clients that lose one peer at the same moment come back spread over the window.
func TestFirstDelaysOfAHerdAreSpread(t *testing.T) {
	t.Parallel()
	for _, mode := range []retry.Jitter{retry.JitterFull, retry.JitterEqual, retry.JitterDecorrelated} {
		var buckets [10]int
		instants := map[time.Duration]int{}
		for client := range 1000 {
			s := retry.Backoff{Jitter: mode, Rand: seeded(uint64(client)), StableAfter: -1}.Start()
			s.Connected()
			d := s.Next(nil)
			instants[d]++
			buckets[min(int(d/(100*time.Millisecond)), len(buckets)-1)]++
		}
		if most := slices.Max(buckets[:]); most > 200 {
			t.Errorf("%v: %d of 1000 clients in one tenth of a second: %v", mode, most, buckets)
		}
		for d, n := range instants {
			if n > 2 {
				t.Errorf("%v: %d clients at %v", mode, n, d)
			}
		}
	}
}

func TestJitterString(t *testing.T) {
	t.Parallel()
	for jitter, want := range map[retry.Jitter]string{
		retry.JitterFull: "full", retry.JitterEqual: "equal", retry.JitterDecorrelated: "decorrelated",
		retry.JitterNone: "none", 9: "jitter 9",
	} {
		if got := jitter.String(); got != want {
			t.Errorf("Jitter(%d).String() = %q, want %q", int(jitter), got, want)
		}
	}
}
