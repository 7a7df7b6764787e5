//go:build !js

package wsclient

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

const testURL = "wss://feed.example/ws"

// steady is a backoff without chance.
var steady = retry.Backoff{Jitter: retry.JitterNone}

func mustPolicy(t *testing.T, e EndpointOptions, r ReconnectOptions) *policy {
	t.Helper()
	return withRefresh(t, e, r, false)
}

func withRefresh(t *testing.T, e EndpointOptions, r ReconnectOptions, refresh bool) *policy {
	t.Helper()
	p, err := newPolicy(testURL, &e, &r, refresh)
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	return p
}

// dialError is how an attempt at a host that refuses fails.
func dialError(cause error) error {
	return &ConnectionError{Info: errkit.Info{
		Class: ErrConnection, Op: "connect", Target: testURL, Kind: errkit.TransportKind(cause), Err: cause,
	}, URL: testURL}
}

var errRefused = dialError(syscall.ECONNREFUSED)

// lossAfter is a connection that the network ended after a time.
func lossAfter(uptime time.Duration) CloseInfo {
	time.Sleep(uptime)
	return CloseInfo{Code: 1006, Remote: true, Why: ReasonNetworkError, Uptime: uptime, Err: syscall.ECONNRESET}
}

// connectFor lets the next attempt succeed and the connection end after a time.
func connectFor(p *policy, uptime time.Duration) verdict {
	p.next()
	p.connected()
	return p.lost(lossAfter(uptime))
}

// refuse lets attempts fail, n or until the policy gives up, and returns the delays between them.
func refuse(p *policy, n int, err error) (delays []time.Duration, final error) {
	for range n {
		p.next()
		v := p.failed(err)
		if v.err != nil {
			return delays, v.err
		}
		delays = append(delays, v.delay)
		time.Sleep(v.delay)
	}
	return delays, nil
}

// seconds returns durations, for tables.
func seconds(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

func TestRC03Budget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: steady, MaxAttempts: 5})
		connectFor(p, time.Minute)
		delays, err := refuse(p, 100, errRefused)
		e, ok := errors.AsType[*ReconnectError](err)
		if len(delays) != 4 || !ok || e.Attempts != 5 || e.Outage != 1 || e.Terminal || e.Disabled ||
			!errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %d delays: %#v", len(delays), err)
		}
	})
}

func TestRC04InitialBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name    string
			options ReconnectOptions
			dials   int
		}{
			{"default", ReconnectOptions{}, 11},
			{"RC-04", ReconnectOptions{MaxAttempts: 5}, 6},
			{"initial", ReconnectOptions{MaxAttempts: 5, MaxInitialAttempts: 3}, 3},
			{"initial only", ReconnectOptions{MaxAttempts: NoRetry, MaxInitialAttempts: 3}, 3},
			{"RC-05 no retry", ReconnectOptions{MaxAttempts: NoRetry}, 1},
			{"no initial retry", ReconnectOptions{MaxInitialAttempts: NoRetry}, 1},
			{"disabled", ReconnectOptions{MaxAttempts: 5, Disabled: true}, 6},
		} {
			p := mustPolicy(t, EndpointOptions{}, c.options)
			began := time.Now()
			delays, err := refuse(p, 100, errRefused)
			e, ok := errors.AsType[*ConnectionError](err)
			if !ok || len(delays) != c.dials-1 || e.Attempts != c.dials || e.URL != testURL ||
				e.Elapsed != time.Since(began) || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: after %d delays: %#v", c.name, len(delays), err)
			}
		}
	})
}

func TestRC05RC06NoReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name    string
			options ReconnectOptions
		}{
			{"RC-05", ReconnectOptions{MaxAttempts: NoRetry}},
			{"RC-06", ReconnectOptions{Disabled: true}},
		} {
			p := mustPolicy(t, EndpointOptions{}, c.options)
			err := connectFor(p, time.Minute).err
			e, ok := errors.AsType[*ReconnectError](err)
			if !ok || e.Attempts != 0 || !e.Disabled || !errors.Is(err, ErrReconnectDisabled) ||
				!errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: %#v", c.name, err)
			}
		}
	})
}

// A search without an end.
func TestUnlimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{MaxAttempts: Unlimited})
		if delays, err := refuse(p, 1000, errRefused); len(delays) != 1000 {
			t.Errorf("the first connection: %d delays, then %v", len(delays), err)
		}
		connectFor(p, time.Minute)
		if delays, err := refuse(p, 1000, errRefused); len(delays) != 1000 {
			t.Errorf("the second: %d delays, then %v", len(delays), err)
		}
	})
}

// The first connection has a budget of its own; an outage that connections interrupt for a moment has one.
func TestRC10Flapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: steady, MaxAttempts: 5})
		var got []time.Duration
		for _, uptime := range seconds(1, 1, 1, 11, 1, 9.999, 10) {
			v := connectFor(p, uptime)
			got = append(got, v.delay)
			time.Sleep(v.delay)
		}
		if d := cmp.Diff(seconds(1, 2, 4, 0, 1, 2, 0), got); d != "" {
			t.Errorf("delays (-want +got):\n%s", d)
		}
		var err error
		for n := 0; err == nil && n < 10; n++ {
			err = connectFor(p, time.Second).err
		}
		if e, ok := errors.AsType[*ReconnectError](err); !ok || e.Attempts != 5 || e.Outage != 3 {
			t.Errorf("a peer that drops all connections: %#v", err)
		}
	})
}

// Attempts know what happened before.
func TestAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{URLs: []string{"ws://user:S3CRET@second/"}}, ReconnectOptions{Backoff: steady})
		check := func(want Attempt) {
			t.Helper()
			if got := p.next().Attempt; got != want {
				t.Errorf("attempt %+v, want %+v", got, want)
			}
		}
		check(Attempt{Number: 1, Endpoint: testURL})
		refused := refusal(503, nil)
		p.failed(refused)
		check(Attempt{Number: 2, Endpoint: "ws://user:***@second/", Index: 1, LastErr: refused, LastStatus: 503})
		p.failed(errRefused)
		check(Attempt{Number: 3, Endpoint: testURL, Delay: time.Second, LastErr: errRefused})
		p.connected()
		loss := lossAfter(time.Second)
		p.lost(loss)
		last := p.lastClose
		check(Attempt{Number: 1, Outage: 1, Endpoint: testURL, Delay: 2 * time.Second, LastErr: loss.Err, LastClose: last})
		if d := cmp.Diff(loss, *last, cmp.Comparer(func(a, b error) bool { return a == b })); d != "" {
			t.Errorf("last close (-want +got):\n%s", d)
		}
		p.connected()
		p.lost(lossAfter(time.Second))
		check(Attempt{Number: 2, Outage: 1, Endpoint: testURL, Delay: 4 * time.Second, LastErr: loss.Err, LastClose: p.lastClose})
		p.connected()
		time.Sleep(time.Minute)
		p.lost(loss)
		check(Attempt{Number: 1, Outage: 2, Endpoint: testURL, LastErr: loss.Err, LastClose: p.lastClose})
		p.failed(errRefused)
		p.failed(errRefused)
		p.restart()
		check(Attempt{Number: 1, Outage: 2, Endpoint: testURL, LastErr: errRefused, LastClose: p.lastClose})
		p.connected()
		left := CloseInfo{Code: 1000, Why: ReasonConnectionLimit}
		p.left(left)
		check(Attempt{Number: 1, Outage: 3, Endpoint: testURL, LastClose: p.lastClose})
		p.connected()
		if got := p.same(); got.Attempt != (Attempt{Number: 1, Outage: 3, Endpoint: testURL, LastClose: p.lastClose}) || got.url != testURL {
			t.Errorf("an attempt to take over: %+v", got)
		}
		p.begin()
		check(Attempt{Number: 1, Endpoint: testURL})
	})
}

func TestPolicyOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field string
		url   string
		e     EndpointOptions
		r     ReconnectOptions
	}{
		{"url", "S3CRET", EndpointOptions{}, ReconnectOptions{}},
		{"Endpoints.URLs", testURL, EndpointOptions{URLs: []string{testURL, "ftp://S3CRET"}}, ReconnectOptions{}},
		{"Endpoints.Order", testURL, EndpointOptions{Order: Random + 1}, ReconnectOptions{}},
		{"Endpoints.Order", testURL, EndpointOptions{Order: -1}, ReconnectOptions{}},
		{"Endpoints.FailbackAfter", testURL, EndpointOptions{FailbackAfter: -1}, ReconnectOptions{}},
		{"Reconnect.Strategy", testURL, EndpointOptions{}, ReconnectOptions{Strategy: Callback + 1}},
		{"Reconnect.Strategy", testURL, EndpointOptions{}, ReconnectOptions{Strategy: -1}},
		{"Reconnect.Delay", testURL, EndpointOptions{}, ReconnectOptions{Strategy: Callback}},
		{"Reconnect.Delay", testURL, EndpointOptions{}, ReconnectOptions{
			Delay: func(Attempt) (time.Duration, error) { return 0, nil },
		}},
		{"Reconnect.MaxAttempts", testURL, EndpointOptions{}, ReconnectOptions{MaxAttempts: -3}},
		{"Reconnect.MaxInitialAttempts", testURL, EndpointOptions{}, ReconnectOptions{MaxInitialAttempts: -3}},
	} {
		_, err := newPolicy(c.url, &c.e, &c.r, false)
		if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != c.field || strings.Contains(e.Error(), "S3CRET") {
			t.Errorf("%s: %v", c.field, err)
		}
	}
}
