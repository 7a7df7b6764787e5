//go:build !js

package wsclient

import (
	"math/rand/v2"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// delays gives the time to wait before each attempt, as the strategy says.
type delays struct {
	strategy Strategy
	backoff  retry.Backoff
	first    time.Duration // ReconnectOptions.FirstDelay
	ask      func(Attempt) (time.Duration, error)
	sequence *retry.Sequence
}

func newDelays(o *ReconnectOptions) delays {
	return delays{
		strategy: o.Strategy, backoff: o.Backoff, first: o.FirstDelay, ask: o.Delay, sequence: o.Backoff.Start(),
	}
}

// before returns the delay before attempt a. The flag stable tells that it is the first one after the loss of a
// connection that was up for long enough. The error is that of the callback.
func (d *delays) before(a Attempt, stable bool) (time.Duration, error) {
	drawn := d.sequence.Next(nil)
	switch d.strategy {
	case Immediate:
		return 0, nil
	case Fixed:
		b := d.backoff
		b.Jitter, b.Multiplier = retry.JitterNone, 1
		return b.Delay(1), nil
	case Callback:
		delay, err := d.ask(a)
		return max(delay, 0), err
	}
	if !stable || d.first == 0 {
		return drawn, nil
	}
	b := d.backoff
	b.Base, b.Cap, b.Jitter = d.first, d.first, retry.JitterFull
	return b.Delay(1), nil
}

// connected tells that there is a connection from now on.
func (d *delays) connected() { d.sequence.Connected() }

// reset starts the delays anew.
func (d *delays) reset() { d.sequence = d.backoff.Start() }

// least returns how long a decision and the peer's own wish, if it uttered one in err, want to wait at least.
func (d *delays) least(c Decision, err error) time.Duration {
	least := c.MinDelay
	if c.MaxDelay > least {
		least += time.Duration(d.random() * float64(c.MaxDelay-least))
	}
	asked, _ := errkit.RetryAfter(err)
	return max(least, min(asked, resolve(d.backoff.MaxRetryAfter, 5*time.Minute)))
}

// random returns a number in [0,1).
func (d *delays) random() float64 {
	r := d.backoff.Rand
	if r == nil {
		r = rand.Float64
	}
	return min(max(r(), 0), 1)
}

// resolve fills in a duration of the options: zero is the default and negative is zero.
func resolve(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}
