package pikvm

import (
	"sync"
	"time"
)

// pinger matches pongs with pings. Pongs carry no number, so there is one ping under way at a time and all who
// ask meanwhile share its answer.
type pinger struct {
	mu     sync.Mutex
	flight *flight // nil when no ping is under way
}

// flight is one ping under way.
type flight struct {
	sent   time.Time     // of the first ping
	resent time.Time     // of the last one
	landed chan struct{} // closed by the pong
	took   time.Duration // set before landed is closed
}

// depart returns the flight to wait for and whether its ping is to be sent now: no ping is under way, or the
// last one has had no answer for patience.
func (p *pinger) depart(patience time.Duration) (f *flight, send bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case p.flight == nil:
		p.flight = &flight{sent: now, resent: now, landed: make(chan struct{})}
	case now.Sub(p.flight.resent) >= patience:
		p.flight.resent = now
	default:
		return p.flight, false
	}
	return p.flight, true
}

// land ends the flight that is under way, if there is one: its pong came at that time.
func (p *pinger) land(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flight == nil {
		return
	}
	p.flight.took = at.Sub(p.flight.sent)
	close(p.flight.landed)
	p.flight = nil
}
