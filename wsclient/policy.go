//go:build !js

package wsclient

import (
	"errors"
	"time"
)

// policy decides whether, when and where to connect. The goroutine that connects drives it, and only that one:
//
//	p.begin()
//	for {
//		s := p.next()                  // counts a dial
//		conn, err := dial(s)           // first AuthRefresh if s.refresh is set, and then p.refreshed()
//		if err != nil {
//			v := p.failed(err)
//		} else {
//			p.connected()
//			v := p.lost(serve(conn))
//		}
//		if v.err != nil { give up }
//		wait(v.delay)
//	}
type policy struct {
	opts       ReconnectOptions
	onClose    func(CloseInfo) Decision
	canRefresh bool // there is an AuthRefresh
	delays     delays
	pool       *pool

	initial    bool      // there was no connection yet since begin
	began      time.Time // begin, or the loss of the last connection
	dials      int       // since begin, or since the last loss of a connection that was stable
	outage     int       // losses of that kind, and the first one
	violations int       // in a row
	up         time.Time // when the connection came about; zero if there is none
	auth       authState

	delay      time.Duration // before the next attempt
	lastErr    error
	lastStatus int
	lastClose  *CloseInfo
	cause      error // what ended the last connection, once there may be other failures
}

// authState says how far the refreshing of refused credentials has got.
type authState int

const (
	authGood      authState = iota
	authRefused             // to be refreshed before the next attempt
	authRefreshed           // and not refused since
)

// maxViolations is how many violations of the protocol in a row end the attempts.
const maxViolations = 3

// step is one attempt to connect.
type step struct {
	Attempt
	url     string // with secrets
	refresh bool   // refresh the credentials first
}

// verdict is what follows from a failed attempt or a lost connection.
type verdict struct {
	delay time.Duration // before the next attempt
	err   error         // why there is none; nil if there is one
}

// newPolicy checks the options. The address is the argument of New; canRefresh tells that there is an AuthRefresh.
func newPolicy(url string, e *EndpointOptions, r *ReconnectOptions, canRefresh bool) (*policy, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	p := &policy{opts: *r, onClose: r.OnClose, canRefresh: canRefresh, delays: newDelays(r)}
	if p.onClose == nil {
		p.onClose = DefaultClosePolicy
	}
	var err error
	p.pool, err = newPool(url, *e, p.delays.random)
	return p, err
}

// begin starts the search for a first connection, with the budget of MaxInitialAttempts. What was before is forgotten,
// except which address worked.
func (p *policy) begin() {
	p.initial = true
	p.restart()
	p.outage, p.lastErr, p.lastStatus, p.lastClose, p.cause = 0, nil, 0, nil, nil
	p.pool.begin()
}

// restart starts the counts and delays anew, because the owner wants to be connected now.
func (p *policy) restart() {
	p.began = time.Now()
	p.dials, p.violations, p.delay, p.auth = 0, 0, 0, authGood
	p.up = time.Time{}
	p.delays.reset()
}

// left tells that the owner ended the connection and wants another one: that is an outage of its own, without a delay.
func (p *policy) left(c CloseInfo) {
	p.initial = false
	p.restart()
	p.outage++
	p.lastClose, p.lastErr, p.lastStatus, p.cause = &c, c.Err, 0, c.Err
	p.pool.lost(0, 0, false)
}

// next returns the attempt that is to be made now, and counts it.
func (p *policy) next() step {
	p.dials++
	e := p.pool.list[p.pool.current]
	return step{Attempt: p.attempt(p.dials), url: e.url, refresh: p.auth == authRefused}
}

// same returns an attempt at the address of the connection that is up, by one that is to take over from it. It is not
// counted, and how it ends concerns nobody else.
func (p *policy) same() step {
	a := p.attempt(1)
	a.Delay = 0
	return step{Attempt: a, url: p.pool.list[p.pool.current].url}
}

func (p *policy) attempt(number int) Attempt {
	return Attempt{
		Number: number, Outage: p.outage,
		Endpoint: p.pool.list[p.pool.current].target, Index: p.pool.current,
		Delay: p.delay, LastErr: p.lastErr, LastStatus: p.lastStatus, LastClose: p.lastClose,
	}
}

// refreshed tells that the credentials were refreshed.
func (p *policy) refreshed() { p.auth = authRefreshed }

// connected tells that the attempt succeeded.
func (p *policy) connected() {
	p.up = time.Now()
	p.delays.connected()
	p.pool.worked()
}

// failback returns after which time a connection that has just come about is to be given up for one to the first
// address; false if it is not.
func (p *policy) failback() (time.Duration, bool) { return p.pool.untilFailback() }

// failed tells that the attempt failed.
func (p *policy) failed(err error) verdict {
	p.lastErr, p.lastStatus = err, 0
	if e, ok := errors.AsType[*HandshakeError](err); ok {
		p.lastStatus = e.StatusCode
	}
	d := dialDecision(err, p.opts.RetryTLSErrors)
	if reason := p.weigh(d, err); reason != nil {
		return verdict{err: p.giveUp(reason, true)}
	}
	if p.dials >= p.limit() {
		return verdict{err: p.giveUp(err, false)}
	}
	if d.Action == RefreshAuth || p.pool.failed(p.delays.least(d, err)) {
		p.delay = 0
		return verdict{}
	}
	return p.wait(false, p.pool.again)
}

// lost tells that the connection ended though this side did not want it.
func (p *policy) lost(c CloseInfo) verdict {
	stable := !p.up.IsZero() && time.Since(p.up) >= resolve(p.opts.Backoff.StableAfter, 10*time.Second)
	p.up = time.Time{}
	if stable || p.initial {
		p.outage++
		p.dials, p.began = 0, time.Now()
	}
	if stable {
		p.violations, p.auth = 0, authGood
	}
	p.initial = false
	p.lastClose, p.lastErr, p.lastStatus, p.cause = &c, c.Err, 0, nil

	if p.opts.Disabled || p.opts.MaxAttempts == NoRetry {
		return verdict{err: p.disabled()}
	}
	d := p.onClose(c)
	d.Violation = d.Violation && !c.Poisoned
	if c.Code == 1000 && c.Remote && p.opts.StopOnNormalClosure {
		d = Decision{Action: GiveUp}
	}
	if reason := p.weigh(d, c.Err); reason != nil {
		return verdict{err: p.giveUp(reason, true)}
	}
	if p.dials >= p.limit() {
		return verdict{err: p.giveUp(c.Err, false)}
	}
	p.cause = c.Err
	if d.Action == RefreshAuth {
		p.delay = 0
		return verdict{}
	}
	return p.wait(stable, func(delay time.Duration) time.Duration {
		return p.pool.lost(delay, p.delays.least(d, nil), d.NextEndpoint)
	})
}

// wait sets the delay before the next attempt: the one of the strategy, made longer by place, which also chooses the
// address.
func (p *policy) wait(stable bool, place func(delay time.Duration) time.Duration) verdict {
	delay, err := p.delays.before(p.attempt(p.dials+1), stable)
	if err != nil {
		return verdict{err: p.giveUp(&callbackError{name: "Reconnect.Delay", err: err}, true)}
	}
	p.delay = place(delay)
	return verdict{delay: p.delay}
}

// weigh keeps the score of violations and refused credentials. It returns why there must be no further attempt, nil if
// there may be one.
func (p *policy) weigh(d Decision, err error) error {
	if d.Violation {
		p.violations++
	} else {
		p.violations = 0
	}
	refused := d.Action == RefreshAuth
	switch {
	case d.Action == GiveUp, refused && !p.canRefresh, refused && p.auth == authRefreshed:
		return err
	case p.violations >= maxViolations:
		return asViolation(err, p.pool.list[p.pool.current].target)
	}
	switch {
	case refused:
		p.auth = authRefused
	case p.auth == authRefreshed:
		p.auth = authGood
	}
	return nil
}

// limit returns how many dials the search may take.
func (p *policy) limit() int {
	n := p.opts.MaxAttempts
	if n == 0 {
		n = 10
	}
	if p.initial {
		switch first := p.opts.MaxInitialAttempts; {
		case first != 0:
			n = first
		case n > 0:
			n++
		}
	}
	switch n {
	case Unlimited:
		return int(^uint(0) >> 1)
	case NoRetry:
		return 1
	}
	return n
}
