//go:build !js

package wsclient

import (
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wsurl"
)

// endpoint is one address and what is known of it.
type endpoint struct {
	url    string    // as given
	target string    // without secrets
	failed time.Time // when it failed last, zero if never
	resume time.Time // when it may be tried again
}

// pool chooses among the addresses. They are tried in passes: each address at most once in a pass.
type pool struct {
	list     []endpoint
	order    Order
	failback time.Duration
	random   func() float64

	home    int   // the address that worked last
	current int   // the address chosen, -1 at first
	pass    []int // those to be tried before the pass is over, without current
}

// newPool checks the addresses. The first one is the argument of New.
func newPool(first string, o EndpointOptions, random func() float64) (*pool, error) {
	p := &pool{order: o.Order, failback: o.FailbackAfter, random: random, current: -1}
	for i, raw := range append([]string{first}, o.URLs...) {
		field := "url"
		if i > 0 {
			field = "Endpoints.URLs"
		}
		u, err := wsurl.Parse(opNew, field, raw)
		if err != nil {
			return nil, err
		}
		p.list = append(p.list, endpoint{url: raw, target: redact.URL(u)})
	}
	return p, nil
}

// begin chooses the first address of all.
func (p *pool) begin() {
	p.startPass()
	p.choose(0)
}

// worked tells that the current address has let a connection through.
func (p *pool) worked() {
	p.home = p.current
	p.list[p.current].failed = time.Time{}
}

// lost starts a new pass after the loss of a connection, which is not to be sought at the same address for least, or
// elsewhere first. It returns the delay before the address chosen: the given one, or longer if all want more.
func (p *pool) lost(delay, least time.Duration, elsewhere bool) time.Duration {
	p.mark(least)
	last := p.current
	p.startPass()
	if elsewhere {
		p.pass = append(slices.DeleteFunc(p.pass, func(i int) bool { return i == last }), last)
	}
	return p.choose(delay)
}

// failed tells that the current address failed and is not to be tried again for least. If the pass goes on, it chooses
// the next address, which needs no delay.
func (p *pool) failed(least time.Duration) (goesOn bool) {
	p.mark(least)
	for i, e := range p.pass {
		if !p.list[e].resume.After(time.Now()) {
			p.current = e
			p.pass = slices.Delete(p.pass, i, i+1)
			return true
		}
	}
	return false
}

// again starts a new pass after a whole one failed, and returns the delay before the address chosen.
func (p *pool) again(delay time.Duration) time.Duration {
	p.startPass()
	return p.choose(delay)
}

// prefersFirst reports whether the first address is to be tried again some time after it failed.
func (p *pool) prefersFirst() bool { return p.order == Ordered && p.failback > 0 }

// untilFailback returns when the current address, which works, is to be left for the first one; false if it is not.
func (p *pool) untilFailback() (time.Duration, bool) {
	if !p.prefersFirst() || p.current == 0 {
		return 0, false
	}
	return max(p.failback-time.Since(p.list[0].failed), 0), true
}

// mark notes that the current address failed and is not to be tried again for least.
func (p *pool) mark(least time.Duration) {
	e := &p.list[p.current]
	e.failed = time.Now()
	e.resume = e.failed.Add(least)
}

// startPass lines up all addresses.
func (p *pool) startPass() {
	start := p.home
	switch {
	case p.order == RoundRobin:
		start = p.current + 1
	case p.prefersFirst() && time.Since(p.list[0].failed) >= p.failback:
		start = 0
	}
	p.pass = p.pass[:0]
	for i := range p.list {
		p.pass = append(p.pass, (start+i)%len(p.list))
	}
	if p.order == Random {
		for i := len(p.pass) - 1; i > 0; i-- {
			j := min(int(p.random()*float64(i+1)), i)
			p.pass[i], p.pass[j] = p.pass[j], p.pass[i]
		}
	}
}

// choose takes the first address of the pass that may be tried after delay, or else the one that may be tried first,
// and returns the delay before that.
func (p *pool) choose(delay time.Duration) time.Duration {
	now := time.Now()
	best := 0
	for i, e := range p.pass {
		if p.list[e].resume.Sub(now) <= delay {
			best = i
			break
		}
		if p.list[e].resume.Before(p.list[p.pass[best]].resume) {
			best = i
		}
	}
	p.current = p.pass[best]
	p.pass = slices.Delete(p.pass, best, best+1)
	return max(delay, p.list[p.current].resume.Sub(now))
}
