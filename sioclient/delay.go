package sioclient

import (
	"math"
	"math/rand/v2"
	"time"
)

// delays says how long to wait before the attempts to connect again.
type delays struct {
	base, limit time.Duration
	jitter      float64        // share by which a delay is made longer or shorter
	rand        func() float64 // in [0, 1)
}

// before returns the delay before the given attempt of an outage, counted from 1: it doubles from one attempt to the
// next, varies by the jitter, and is cut at the limit last, as in the official client.
func (d delays) before(attempt int) time.Duration {
	raw := float64(d.base) * math.Pow(2, float64(max(attempt, 1)-1))
	raw += raw * d.jitter * (2*d.random() - 1)
	if !(raw < float64(d.limit)) { // also what is too large for a duration
		return d.limit
	}
	return max(time.Duration(raw), 0)
}

func (d delays) random() float64 {
	if d.rand != nil {
		return d.rand()
	}
	return rand.Float64()
}
