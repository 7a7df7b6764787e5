package retry

import (
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Sequence is the backoff of one link over all of its outages. Whoever keeps the link up asks it for the delay
// before each new attempt and tells it when the link is up:
//
//	delays := backoff.Start()
//	for {
//		link, err := dial(ctx)
//		if err == nil {
//			delays.Connected()
//			err = link.serve(ctx) // until it breaks
//		}
//		if err := retry.Wait(ctx, delays.Next(err)); err != nil {
//			return err
//		}
//	}
//
// The delays grow until the link has been up for [Backoff].StableAfter. A peer that accepts every connection
// and drops it again is therefore not hammered.
//
// All methods may be called from several goroutines.
type Sequence struct {
	stableAfter time.Duration

	mu     sync.Mutex
	pacer  pacer
	up     bool
	stable time.Time // when the link has been up for long enough
}

// Start returns the sequence of a link that was never up.
func (b Backoff) Start() *Sequence {
	return &Sequence{stableAfter: orDefault(b.StableAfter, 10*time.Second), pacer: b.pacer()}
}

// Next returns the time to wait before the next attempt, after the last one failed or the link broke with err.
//
// After the loss of a stable link it is drawn between 0 and Base with Floor below, whatever the jitter mode; with
// JitterNone it is 0. From then on it follows [Backoff.Delay] for the failed attempts, from 1. If the peer asked
// for more (see [errkit.RetryAfter]), it gets what it asked for, at most MaxRetryAfter. The error may be nil.
func (s *Sequence) Next(err error) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	stable := s.up && !time.Now().Before(s.stable)
	s.up = false
	if stable {
		return s.pacer.restart(err)
	}
	return s.pacer.next(err)
}

// Connected tells that the link is up from now on.
func (s *Sequence) Connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = true
	s.stable = time.Now().Add(s.stableAfter)
}

// Reset ends the outage. If the link is up, it counts as stable before its time, for instance because the peer
// has shown that it works; if it is not, the delays start again with the one after a first failed attempt.
func (s *Sequence) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pacer.reset()
	s.stable = time.Time{}
}

// Attempt returns the number, from 1, of the attempt that is next or under way, counted since the last stable
// link was lost.
func (s *Sequence) Attempt() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pacer.failed + 1
}

// pacer gives the delays of one outage.
type pacer struct {
	curve    curve
	longest  time.Duration // that a peer may ask for
	failed   int           // attempts
	previous float64       // delay without what the peer asked for; 0 before the first
}

func (b Backoff) pacer() pacer {
	return pacer{curve: b.curve(), longest: orDefault(b.MaxRetryAfter, 5*time.Minute)}
}

// next returns the delay after one more failed attempt.
func (p *pacer) next(err error) time.Duration {
	p.failed++
	p.previous = p.curve.draw(p.failed, max(p.previous, p.curve.base))
	return p.honour(err, p.previous)
}

// restart returns the delay before the first attempt of a new outage.
func (p *pacer) restart(err error) time.Duration {
	p.reset()
	return p.honour(err, p.curve.first())
}

func (p *pacer) reset() { p.failed, p.previous = 0, 0 }

func (p *pacer) honour(err error, delay float64) time.Duration {
	asked, _ := errkit.RetryAfter(err)
	return max(p.curve.duration(delay), min(asked, p.longest))
}
