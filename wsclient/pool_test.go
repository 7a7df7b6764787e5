//go:build !js

package wsclient

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Three addresses: 0 is that of New.
var three = []string{"ws://one", "ws://two"}

// trip is one attempt: where it goes, and what follows.
type trip struct {
	Index int
	Delay time.Duration // before it
}

// dialAll makes attempts, of which each fails with the error of its address or, with nil, becomes a connection that is
// lost a minute later.
func dialAll(t *testing.T, p *policy, n int, outcome func(index int) error) []trip {
	t.Helper()
	var trips []trip
	for range n {
		s := p.next()
		trips = append(trips, trip{s.Index, s.Delay})
		var v verdict
		if err := outcome(s.Index); err != nil {
			v = p.failed(err)
		} else {
			p.connected()
			v = p.lost(lossAfter(time.Minute))
		}
		if v.err != nil {
			t.Fatal(v.err)
		}
		time.Sleep(v.delay)
	}
	return trips
}

func indexes(trips []trip) (list []int) {
	for _, t := range trips {
		list = append(list, t.Index)
	}
	return list
}

func TestRC20NoDelayWithinAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{URLs: three}, ReconnectOptions{Backoff: steady, MaxAttempts: Unlimited})
		got := dialAll(t, p, 8, func(int) error { return errRefused })
		want := []trip{
			{0, 0},
			{1, 0},
			{2, 0},
			{0, time.Second},
			{1, 0},
			{2, 0},
			{0, 2 * time.Second},
			{1, 0},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("attempts (-want +got):\n%s", d)
		}
	})
}

func TestRC19OtherAddressFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{URLs: three[:1]}, ReconnectOptions{Backoff: steady})
		p.next()
		p.connected()
		time.Sleep(time.Minute)
		if v := p.lost(closedBy(1013)); v != (verdict{}) {
			t.Errorf("%+v, want an attempt at once", v)
		}
		if s := p.next(); s.Index != 1 || s.url != three[0] {
			t.Errorf("the next attempt is at %s", s.url)
		}
		var later []trip // until the first address may be tried again
		for len(later) < 3 {
			v := p.failed(errRefused)
			time.Sleep(v.delay)
			later = append(later, trip{p.next().Index, v.delay})
		}
		if d := cmp.Diff([]trip{{1, time.Second}, {1, 2 * time.Second}, {0, 4 * time.Second}}, later); d != "" {
			t.Errorf("attempts after that (-want +got):\n%s", d)
		}

		p = mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: steady})
		p.next()
		p.connected()
		time.Sleep(time.Minute)
		if v := p.lost(closedBy(1013)); v.delay != 5*time.Second {
			t.Errorf("%+v, want the only address after 5 s", v)
		}
	})
}

// An address that wants to be left alone is, as long as there are others.
func TestRetryAfterOfOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{URLs: three}, ReconnectOptions{Backoff: steady, MaxAttempts: Unlimited})
		busy := refusal(503, http.Header{"Retry-After": {"4"}})
		got := dialAll(t, p, 9, func(index int) error {
			if index == 0 {
				return busy
			}
			return errRefused
		})
		want := []trip{
			{0, 0},
			{1, 0},
			{2, 0},
			{1, time.Second},
			{2, 0},
			{1, 2 * time.Second},
			{2, 0},
			{0, 4 * time.Second},
			{1, 0},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("attempts (-want +got):\n%s", d)
		}

		p = mustPolicy(t, EndpointOptions{URLs: three}, ReconnectOptions{Backoff: steady})
		got = dialAll(t, p, 4, func(int) error { return busy })
		want = []trip{{0, 0}, {1, 0}, {2, 0}, {0, 4 * time.Second}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("attempts when all are busy (-want +got):\n%s", d)
		}
	})
}

func TestOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := map[int]bool{}
		outcome := func(index int) error {
			if down[index] {
				return errRefused
			}
			return nil
		}
		start := func(o EndpointOptions, rand func() float64) *policy {
			clear(down)
			o.URLs = three
			b := steady
			b.Rand = rand
			return mustPolicy(t, o, ReconnectOptions{Backoff: b, MaxAttempts: Unlimited})
		}
		check := func(what string, want, got []int) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}

		p := start(EndpointOptions{}, nil)
		check("one that works", []int{0, 0, 0}, indexes(dialAll(t, p, 3, outcome)))
		down[0] = true
		check("the first is down", []int{0, 1, 1}, indexes(dialAll(t, p, 3, outcome)))
		down[0], down[1] = false, true
		check("the second is down", []int{1, 2, 2}, indexes(dialAll(t, p, 3, outcome)))
		down[2] = true
		check("the third is down", []int{2, 0, 0}, indexes(dialAll(t, p, 3, outcome)))
		p.begin()
		check("from the beginning", []int{0}, indexes(dialAll(t, p, 1, outcome)))

		p = start(EndpointOptions{Order: RoundRobin}, nil)
		check("in turns", []int{0, 1, 2, 0}, indexes(dialAll(t, p, 4, outcome)))
		down[1] = true
		check("in turns, one down", []int{1, 2, 0, 1, 2}, indexes(dialAll(t, p, 5, outcome)))

		p = start(EndpointOptions{Order: Random}, rand.New(rand.NewPCG(1, 2)).Float64)
		first := indexes(dialAll(t, p, 3000, outcome))
		for i := range 3 {
			if n := len(slices.DeleteFunc(slices.Clone(first), func(x int) bool { return x != i })); n < 900 || n > 1100 {
				t.Errorf("address %d was chosen %d times of 3000", i, n)
			}
		}
		down[0], down[1], down[2] = true, true, true
		p.begin()
		passes := indexes(dialAll(t, p, 300, outcome))
		for pass := range slices.Chunk(passes, 3) {
			slices.Sort(pass)
			check("a random pass", []int{0, 1, 2}, pass)
		}
	})
}

func TestFailback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{URLs: three, FailbackAfter: 90 * time.Second}, ReconnectOptions{Backoff: steady})
		refused := 3 // attempts at the first address that fail
		got := dialAll(t, p, 11, func(index int) error {
			if index == 0 && refused > 0 {
				refused--
				return errRefused
			}
			return nil
		})
		// Each connection lives for a minute: the first address is asked in every second search.
		want := []int{0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0}
		if d := cmp.Diff(want, indexes(got)); d != "" {
			t.Errorf("addresses (-want +got):\n%s", d)
		}
	})
}
