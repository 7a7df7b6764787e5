package retry

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Jitter says how a delay is drawn at random, so that many clients that lost the same peer at the same moment
// do not come back at the same moment.
type Jitter int

// The modes. raw is what the exponential curve gives for the attempt.
const (
	JitterFull         Jitter = iota // between 0 and raw
	JitterEqual                      // between half of raw and raw
	JitterDecorrelated               // between Base and three times the previous delay; Multiplier plays no part
	JitterNone                       // raw itself
)

// String returns "full", "equal", "decorrelated" or "none", and the number of a mode that does not exist.
func (j Jitter) String() string {
	switch j {
	case JitterFull:
		return "full"
	case JitterEqual:
		return "equal"
	case JitterDecorrelated:
		return "decorrelated"
	case JitterNone:
		return "none"
	}
	return "jitter " + strconv.Itoa(int(j))
}

// Backoff says how long to wait between attempts: Base after the first failed one, Multiplier times as long
// after every further one, at most Cap, with jitter. The zero value is ready to use. A Backoff is a value:
// copies are independent, and all methods may be called from several goroutines if Rand may.
type Backoff struct {
	// Base is the longest delay after the first failed attempt. Zero means 1s, negative means that there are
	// no delays at all.
	Base time.Duration

	// Cap is the longest delay after any attempt. Zero or less means 60s. It also limits Base.
	Cap time.Duration

	// Floor is the shortest delay that jitter may draw; delays that are shorter by themselves stay as they
	// are. Zero means 100ms, negative means none.
	Floor time.Duration

	// Multiplier is the growth from one attempt to the next. Zero means 2, less than 1 means 1.
	Multiplier float64

	// Jitter is the way of drawing. The zero value is JitterFull, which also stands for modes that do not exist.
	Jitter Jitter

	// StableAfter is how long a link must have been up to end an outage: see [Sequence]. Zero means 10s,
	// negative means at once.
	StableAfter time.Duration

	// MaxRetryAfter limits how long a peer may ask to wait: see [errkit.RetryAfter]. Zero means 5min, negative
	// means that peers are not asked.
	MaxRetryAfter time.Duration

	// Rand returns numbers in [0,1). Nil means [rand.Float64]. Anything outside counts as 1.
	Rand func() float64
}

// Delay returns the time to wait after the given failed attempt, counted from 1; less counts as 1. No attempt
// is too high for it. It does not allocate.
//
// With JitterDecorrelated, Delay knows no previous delay and takes it to have been as long as it can have been;
// [Do] and [Sequence] remember it.
func (b Backoff) Delay(attempt int) time.Duration {
	c := b.curve()
	return c.duration(c.draw(attempt, min(c.base*power(decorrelated, attempt), c.cap)))
}

// decorrelated is how much longer than the previous delay the next one may be.
const decorrelated = 3

// curve is a Backoff with its defaults, in nanoseconds as float64: these overflow to infinity, where a
// time.Duration would wrap around.
type curve struct {
	base, cap, floor float64
	limit            time.Duration // cap
	multiplier       float64
	jitter           Jitter
	rand             func() float64
}

func (b Backoff) curve() curve {
	limit := orDefault(max(b.Cap, 0), time.Minute)
	c := curve{
		base:       float64(orDefault(b.Base, time.Second)),
		cap:        float64(limit),
		limit:      limit,
		floor:      float64(orDefault(b.Floor, 100*time.Millisecond)),
		multiplier: b.Multiplier,
		jitter:     b.Jitter,
		rand:       b.Rand,
	}
	c.base = min(c.base, c.cap)
	switch {
	case c.multiplier == 0:
		c.multiplier = 2
	case !(c.multiplier >= 1): // NaN too
		c.multiplier = 1
	}
	if c.rand == nil {
		c.rand = rand.Float64
	}
	return c
}

// orDefault resolves a duration of an options struct: zero is the default and negative is zero.
func orDefault(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}

// raw returns the delay after the given attempt before jitter.
func (c *curve) raw(attempt int) float64 {
	return min(c.base*power(c.multiplier, attempt), c.cap)
}

// power returns x to the power of the attempts before the given one. It is finite, so that a base of zero stays
// zero.
func power(x float64, attempt int) float64 {
	return min(math.Pow(x, float64(max(attempt, 1)-1)), math.MaxFloat64)
}

// draw returns the delay after the given attempt with jitter. Only JitterDecorrelated looks at the previous one.
func (c *curve) draw(attempt int, previous float64) float64 {
	switch c.jitter {
	case JitterEqual:
		raw := c.raw(attempt)
		return c.between(raw/2, raw)
	case JitterDecorrelated:
		return min(c.between(c.base, decorrelated*previous), c.cap)
	case JitterNone:
		return c.raw(attempt)
	}
	return c.between(0, c.raw(attempt))
}

// between draws evenly from low to high. What falls below the floor is spread over the next two widths of the
// floor: put on the floor itself, it would gather the very clients that jitter is to scatter.
func (c *curve) between(low, high float64) float64 {
	r := c.rand()
	if !(r >= 0 && r <= 1) {
		r = 1
	}
	d := low + r*(high-low)
	if floor := min(c.floor, high); d < floor {
		d = floor + d/floor*(min(3*floor, high)-floor)
	}
	return d
}

// first returns the delay before the first attempt after the loss of a stable link.
func (c *curve) first() float64 {
	if c.jitter == JitterNone {
		return 0
	}
	return c.between(0, c.base)
}

// duration converts a delay. The float64 of a long cap may lie above the cap itself.
func (c *curve) duration(ns float64) time.Duration {
	if ns >= c.cap {
		return c.limit
	}
	return time.Duration(ns)
}
