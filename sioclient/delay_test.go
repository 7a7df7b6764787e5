package sioclient

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDelays(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		jitter float64
		rand   float64
		want   []time.Duration // before the attempts 1, 2, 3, 4
	}{
		{"none", 0, 0.9, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		{"shortest", 0.5, 0, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}},
		{"middle", 0.5, 0.5, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		{"nearly longest, cut last", 0.5, 1, []time.Duration{1500 * time.Millisecond, 3 * time.Second, 5 * time.Second, 5 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := delays{base: time.Second, limit: 5 * time.Second, jitter: tc.jitter, rand: func() float64 { return tc.rand }}
			var got []time.Duration
			for n := range tc.want {
				got = append(got, d.before(n+1))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("delays (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDelaysDoNotOverflow(t *testing.T) {
	t.Parallel()
	d := delays{base: time.Second, limit: math.MaxInt64, jitter: 0.5}
	for _, n := range []int{-1, 0, 60, 64, 1000, math.MaxInt} {
		if got := d.before(n); got <= 0 {
			t.Errorf("before(%d) = %v", n, got)
		}
	}
	d.limit = 5 * time.Second
	for range 1000 {
		if got := d.before(1); got < 500*time.Millisecond || got > 1500*time.Millisecond {
			t.Errorf("before(1) = %v, want 0.5s to 1.5s", got)
		}
	}
}
