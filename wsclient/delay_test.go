//go:build !js

package wsclient

import (
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

func TestRC01DelaysWithoutJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: steady, MaxAttempts: Unlimited})
		if v := connectFor(p, time.Minute); v.delay != 0 || v.err != nil {
			t.Errorf("after the loss: %+v, want an attempt at once", v)
		}
		got, _ := refuse(p, 8, errRefused)
		if d := cmp.Diff(seconds(1, 2, 4, 8, 16, 32, 60, 60), got); d != "" {
			t.Errorf("delays (-want +got):\n%s", d)
		}
	})
}

func TestRC02ImmediateAndFixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			strategy Strategy
			backoff  retry.Backoff
			want     []time.Duration
		}{
			{Immediate, retry.Backoff{}, seconds(0, 0, 0)},
			{Fixed, retry.Backoff{Base: 50 * time.Millisecond}, seconds(0.05, 0.05, 0.05)},
			{Fixed, retry.Backoff{Base: 50 * time.Millisecond, Jitter: retry.JitterNone, Multiplier: 3}, seconds(0.05, 0.05, 0.05)},
			{Fixed, retry.Backoff{Base: -1}, seconds(0, 0, 0)},
			{Fixed, retry.Backoff{}, seconds(1, 1, 1)},
		} {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Strategy: c.strategy, Backoff: c.backoff})
			got, _ := refuse(p, 3, errRefused)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%v %+v: delays (-want +got):\n%s", c.strategy, c.backoff, d)
			}
		}
	})
}

func TestRC08FullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const draws, raw = 10_000, 10 * time.Second
		draw := func(r func() float64) []time.Duration {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{
				Backoff: retry.Backoff{Base: raw, Cap: raw, Rand: r}, MaxAttempts: Unlimited,
			})
			delays, _ := refuse(p, draws, errRefused)
			return delays
		}
		delays := draw(rand.New(rand.NewPCG(1, 2)).Float64)
		var sum time.Duration
		for _, d := range delays {
			sum += d
		}
		if low := slices.Min(delays); low < 100*time.Millisecond {
			t.Errorf("shortest delay %v, less than the floor", low)
		}
		if high := slices.Max(delays); high > raw {
			t.Errorf("longest delay %v, want at most %v", high, raw)
		}
		if mean := sum / draws; mean < raw/2*95/100 || mean > raw/2*105/100 {
			t.Errorf("mean delay %v, want %v", mean, raw/2)
		}
		if slices.Equal(draw(nil), draw(nil)) {
			t.Error("two managers wait alike")
		}
	})
}

func TestRC09ManyAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const attempts = 1_000_000
		for _, b := range []retry.Backoff{steady, {Jitter: retry.JitterNone, Multiplier: 1e300, Cap: time.Hour}} {
			want := max(b.Cap, time.Minute)
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: b, MaxAttempts: Unlimited})
			delays, _ := refuse(p, 10_000, errRefused)
			if last := delays[len(delays)-1]; last != want || b.Delay(attempts) != want {
				t.Errorf("delays %v and %v, want %v", last, b.Delay(attempts), want)
			}
			p.dials = attempts - 1 // as if it had gone on for so long
			if n := p.next().Number; n != attempts {
				t.Errorf("attempt %d", n)
			}
			if v := p.failed(errRefused); v.delay != want || v.err != nil {
				t.Errorf("%+v, want %v", v, want)
			}
		}
	})
}

// The first attempt after the loss of a stable connection is not made at once, lest all clients of a server do so.
func TestFirstDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := func() float64 { return 0.5 }
		for _, c := range []struct {
			name    string
			options ReconnectOptions
			want    time.Duration
		}{
			{"drawn up to Base", ReconnectOptions{Backoff: retry.Backoff{Base: 4 * time.Second, Rand: half}}, 2 * time.Second},
			{"given", ReconnectOptions{Backoff: retry.Backoff{Rand: half}, FirstDelay: 8 * time.Second}, 4 * time.Second},
			{"given, above the cap", ReconnectOptions{Backoff: retry.Backoff{Rand: half, Cap: time.Second}, FirstDelay: 8 * time.Second}, 4 * time.Second},
			{"none", ReconnectOptions{Backoff: retry.Backoff{Rand: half}, FirstDelay: -1}, 0},
			{"without jitter", ReconnectOptions{Backoff: steady}, 0},
			{"fixed", ReconnectOptions{Strategy: Fixed, FirstDelay: time.Hour}, time.Second},
		} {
			p := mustPolicy(t, EndpointOptions{}, c.options)
			if v := connectFor(p, time.Minute); v.delay != c.want || v.err != nil {
				t.Errorf("%s: %+v, want %v", c.name, v, c.want)
			}
		}
	})
}

func TestRC26CallbackGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		var asked []Attempt
		options := ReconnectOptions{Strategy: Callback, Delay: func(a Attempt) (time.Duration, error) {
			asked = append(asked, a)
			if a.Number > 3 {
				return 0, enough
			}
			return time.Duration(a.Number) * time.Minute, nil
		}}
		p := mustPolicy(t, EndpointOptions{}, options)
		got, err := refuse(p, 10, errRefused)
		if d := cmp.Diff(seconds(120, 180), got); d != "" {
			t.Errorf("delays (-want +got):\n%s", d)
		}
		if e, ok := errors.AsType[*ConnectionError](err); !ok || e.Attempts != 3 || !errors.Is(err, enough) {
			t.Errorf("the first connection: %#v", err)
		}
		if len(asked) != 3 || asked[0].Number != 2 || asked[0].LastErr != errRefused || asked[0].Endpoint != testURL {
			t.Errorf("asked for %+v", asked)
		}

		p.begin()
		got = []time.Duration{connectFor(p, time.Minute).delay}
		more, err := refuse(p, 10, errRefused)
		if d := cmp.Diff(seconds(60, 120, 180), append(got, more...)); d != "" {
			t.Errorf("delays (-want +got):\n%s", d)
		}
		if e, ok := errors.AsType[*ReconnectError](err); !ok || e.Attempts != 3 || !e.Terminal || !errors.Is(err, enough) ||
			!errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("an outage: %#v", err)
		}
		if v := mustPolicy(t, EndpointOptions{}, ReconnectOptions{
			Strategy: Callback, Delay: func(Attempt) (time.Duration, error) { return -time.Second, nil },
		}); v.failed(errRefused).delay != 0 {
			t.Error("a negative delay is not none")
		}
	})
}

// The callback is asked before the first attempt, too.
func TestRC26AtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Strategy: Callback, Delay: func(Attempt) (time.Duration, error) {
			return 0, enough
		}})
		err := connectFor(p, time.Minute).err
		if e, ok := errors.AsType[*ReconnectError](err); !ok || e.Attempts != 0 || !errors.Is(err, enough) ||
			!errors.Is(err, syscall.ECONNRESET) || len(e.Unwrap()) != 2 {
			t.Errorf("%#v", err)
		}
	})
}
