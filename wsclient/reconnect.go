//go:build !js

package wsclient

import (
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// What [ReconnectOptions.MaxAttempts] and [ReconnectOptions.MaxInitialAttempts] may be besides a number.
const (
	// Unlimited tries for ever.
	Unlimited = -1
	// NoRetry never tries again.
	NoRetry = -2
)

// Strategy says how long to wait between attempts to connect.
type Strategy int

const (
	// Exponential waits as [ReconnectOptions.Backoff] says: longer after each failure, with jitter.
	Exponential Strategy = iota
	// Immediate does not wait. It is meant for tests and for a few attempts at a peer that is near.
	Immediate
	// Fixed always waits Backoff.Base, without jitter. For a constant delay with jitter take Exponential and a
	// Backoff.Multiplier of 1.
	Fixed
	// Callback waits as [ReconnectOptions.Delay] says.
	Callback
)

// String returns "exponential", "immediate", "fixed" or "callback", and the number of a strategy that does not exist.
func (s Strategy) String() string {
	switch s {
	case Exponential:
		return "exponential"
	case Immediate:
		return "immediate"
	case Fixed:
		return "fixed"
	case Callback:
		return "callback"
	}
	return "strategy " + strconv.Itoa(int(s))
}

// ReconnectOptions say whether, when and how often to connect again. The zero value tries 10 times, after random delays
// of at first up to 1 s and later up to 60 s.
//
// A device that must stay connected takes MaxAttempts: [Unlimited], or [PresetGateway].
//
// An outage begins when a connection is lost that was up for Backoff.StableAfter, and ends when the next such one is
// up for as long. In between, delays grow and attempts are counted on, so that a peer that accepts each connection and
// drops it again is not hammered.
type ReconnectOptions struct {
	// Disabled leaves a lost connection lost. Connect still makes its MaxInitialAttempts.
	Disabled bool

	// Strategy is Exponential by default.
	Strategy Strategy

	// Backoff holds the delays. The zero value waits up to 1 s at first, up to twice as long after each failure, at
	// most 60 s, and StableAfter is 10 s. MaxRetryAfter limits how long a peer may ask to wait.
	Backoff retry.Backoff

	// FirstDelay is the longest delay before the first attempt after the loss of a connection that was up for
	// StableAfter: it is drawn between 0 and this, so that many clients of one server do not come back all at once.
	// Zero means Backoff.Base, or no delay if Backoff.Jitter is JitterNone. Negative means no delay. It applies to the
	// strategy Exponential.
	FirstDelay time.Duration

	// MaxAttempts is how many times an outage is tried to be ended, counted in dials. Zero means 10; [NoRetry] and
	// [Unlimited] are the others.
	MaxAttempts int

	// MaxInitialAttempts is how many dials the first connection gets. Zero means one more than MaxAttempts; NoRetry
	// means one.
	MaxInitialAttempts int

	// Delay is asked by the strategy Callback how long to wait before the attempt. An error ends the attempts with it.
	// It is called on the goroutine that connects and should not block.
	Delay func(Attempt) (time.Duration, error)

	// OnClose is asked what to do after the loss of a connection. Nil means [DefaultClosePolicy]. It is called on the
	// goroutine that connects and should not block.
	OnClose func(CloseInfo) Decision

	// StopOnNormalClosure takes a close frame with code 1000 as the end: there are no further attempts. It has
	// precedence over OnClose.
	StopOnNormalClosure bool

	// RetryTLSErrors tries again after a certificate of an unknown authority or for another host, too. By default that
	// ends the attempts, as a certificate that has expired or is not yet valid does not: clocks of devices are often
	// wrong after the start.
	RetryTLSErrors bool
}

// check returns a *ConfigError for what cannot be used.
func (o *ReconnectOptions) check() error {
	switch {
	case o.Strategy < Exponential || o.Strategy > Callback:
		return wserr.Config(opNew, "Reconnect.Strategy", "unknown strategy")
	case o.Strategy == Callback && o.Delay == nil:
		return wserr.Config(opNew, "Reconnect.Delay", "missing, though the strategy is Callback")
	case o.Strategy != Callback && o.Delay != nil:
		return wserr.Config(opNew, "Reconnect.Delay", "set, though the strategy is not Callback")
	case o.MaxAttempts < NoRetry:
		return wserr.Config(opNew, "Reconnect.MaxAttempts", "negative")
	case o.MaxInitialAttempts < NoRetry:
		return wserr.Config(opNew, "Reconnect.MaxInitialAttempts", "negative")
	}
	return nil
}
