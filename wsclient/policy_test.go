//go:build !js

package wsclient

import (
	"errors"
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
	p, err := newPolicy(testURL, &e, &r, false)
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

func seconds(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

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
