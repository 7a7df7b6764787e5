//go:build !js

package wsclient

import (
	"math/rand/v2"
	"time"
)

// leaving is what happens after this side has ended a connection.
type leaving struct {
	reason    DisconnectReason
	text      string        // for the peer
	again     bool          // connect again, after delay
	delay     time.Duration //
	scheduled bool          // the owner set the time
	done      func()        // called when the connection is closed; nil if nobody wants to know
}

// leave ends the connection on duty. The state changes at once, the handshake of the end follows.
func (s *supervisor) leaveSession(l leaving) {
	sess := s.session
	s.abandon()
	sess.detach(l.reason) // unless something else came first: that counts then
	info := s.dismiss(sess)
	polls := !l.again && s.m.opts.Control.ShouldReconnect != nil
	to := StateDisconnected
	if l.again || polls {
		to = StateReconnecting
	}
	s.change(StateChange{
		To: to, Reason: info.Why, Err: info.Err, Close: &info, NextDelay: l.delay, Endpoint: info.Endpoint,
	})
	s.retire(sess, codeNormal, l.text, func() {
		s.m.dispatch.disconnect(DisconnectInfo{
			Reason: info.Why, Close: info, Err: info.Err, Uptime: info.Uptime, MaybeLost: sess.maybeLost,
			WillReconnect: l.again || polls, NextDelay: l.delay, Scheduled: l.scheduled,
		})
		if l.done != nil {
			l.done()
		}
	})
	if l.again || polls {
		s.policy.left(info) // nobody consults it while a session is on duty
	}
	switch {
	case l.again:
		s.schedule(l.delay, l.scheduled, func() {})
	case polls:
		s.pollReconnect()
	default:
		s.rest(s.m.endedHere(), false)
	}
}

// schedule connects after d. What the policy is to know before goes into prepare.
func (s *supervisor) schedule(d time.Duration, byOwner bool, prepare func()) {
	s.phase, s.waiting = phaseWaiting, waitBackoff
	if byOwner {
		s.waiting = waitScheduled
		for _, w := range s.waiters {
			w.founder = false // the owner wants the connection, whoever began
		}
	}
	now := func() {
		s.whenFree(func() {
			prepare()
			s.dial()
		})
	}
	if d <= 0 {
		now()
		return
	}
	s.set(&s.timer, d, now)
}

// disconnect is Disconnect. It returns whether there is a connection to be closed, whose end done will tell.
func (s *supervisor) disconnect(l leaving) bool {
	switch s.phase {
	case phaseUp:
		s.leaveSession(l)
		return true
	case phaseDialing, phaseDeciding, phaseWaiting:
		s.abandon()
		if l.again {
			s.schedule(l.delay, l.scheduled, s.policyRestart)
			s.change(StateChange{To: StateReconnecting, NextDelay: l.delay, Close: s.closed()})
			return false
		}
		s.rest(s.m.endedHere(), false)
	case phaseRest, phaseClosing, phaseClosed:
	}
	return false
}

// policyRestart lets the policy count and delay as from the beginning: of everything after a rest, and of the outage
// otherwise.
func (s *supervisor) policyRestart() {
	if s.seeking {
		s.policy.restart()
		return
	}
	s.seeking = true
	s.policy.begin()
}

// reconnect is Reconnect.
func (s *supervisor) reconnect(w *waiter) {
	switch s.phase {
	case phaseUp:
		s.join(w)
		s.leaveSession(leaving{reason: ReasonUserRequested, text: "reconnect", again: true})
	case phaseWaiting:
		s.join(w)
		s.seekNow()
	case phaseDeciding:
		s.join(w)
		s.hurry = true
	case phaseRest, phaseDialing, phaseClosing, phaseClosed:
		s.connect(w)
	}
}

// kill is Kill.
func (s *supervisor) kill() {
	switch s.phase {
	case phaseUp:
		sess := s.session
		s.abandon()
		sess.finish(ReasonKilled, s.m.killed(sess.gen), false)
		info := s.dismiss(sess)
		s.change(StateChange{To: StateDisconnected, Reason: info.Why, Err: info.Err, Close: &info, Endpoint: info.Endpoint})
		s.retire(sess, 0, "", func() { s.tellEnd(sess, info) })
		s.rest(info.Err, false)
	case phaseDialing, phaseDeciding, phaseWaiting:
		s.rest(s.m.killed(0), false)
	case phaseRest, phaseClosing, phaseClosed:
	}
}

// tellEnd tells of the end of a session, once it is closed and there will not be another one.
func (s *supervisor) tellEnd(sess *session, info CloseInfo) {
	s.m.dispatch.disconnect(DisconnectInfo{
		Reason: info.Why, Close: info, Err: info.Err, Uptime: info.Uptime, MaybeLost: sess.maybeLost,
	})
}

// scheduleReconnect is ScheduleReconnect. It reports false if the state does not allow it.
func (s *supervisor) scheduleReconnect(d time.Duration) bool {
	switch s.phase {
	case phaseRest:
		s.m.revive()
	case phaseWaiting:
	case phaseDialing, phaseDeciding, phaseUp, phaseClosing, phaseClosed:
		return false
	}
	s.abandon()
	s.change(StateChange{To: StateReconnecting, NextDelay: d, Close: s.closed()})
	s.schedule(d, true, s.policyRestart)
	return true
}

// shut closes the manager. The state becomes StateClosed when the connection is closed.
func (s *supervisor) shut(reason DisconnectReason, text string) {
	if s.phase == phaseClosing || s.phase == phaseClosed {
		return
	}
	s.abandon()
	s.phase = phaseClosing
	s.answer(s.m.closedError(opConnect))
	s.m.refuse()
	sess := s.session
	if sess == nil {
		s.change(StateChange{To: StateClosing, Close: s.closed()})
		s.closeDown()
		return
	}
	sess.detach(reason) // unless something else came first: that counts then
	info := s.dismiss(sess)
	s.change(StateChange{To: StateClosing, Reason: info.Why, Err: info.Err, Close: &info, Endpoint: info.Endpoint})
	s.retire(sess, codeNormal, text, func() { s.tellEnd(sess, info) })
}

// closeDown is the last thing that the supervisor does, when all sessions are closed. It does not wait for the policy,
// which may be in the hands of a callback that waits for the end.
func (s *supervisor) closeDown() {
	if s.phase != phaseClosing || s.retiring > 0 {
		return
	}
	s.phase = phaseClosed
	s.change(StateChange{To: StateClosed, Close: s.closed()})
	s.m.end()
}

// watch sets the alarms of a connection that came about.
func (s *supervisor) watch() {
	c := &s.m.opts.Control
	if c.ShouldDisconnect != nil {
		s.set(&s.check, c.DisconnectCheckInterval, s.askDisconnect)
	}
	if c.MaxConnectionAge > 0 {
		early := min(c.DisconnectMargin, c.MaxConnectionAge-c.DisconnectMargin)
		s.set(&s.age, c.MaxConnectionAge-c.DisconnectMargin-rand.N(max(early, 1)), s.grownOld)
	}
	if d, ok := s.policy.failback(); ok {
		s.set(&s.home, d, s.goHome)
	}
}

// goHome leaves another address for the first one. If that does not work, the other one is dialled again at once.
func (s *supervisor) goHome() {
	s.leaveSession(leaving{reason: ReasonScheduled, text: "return to the first address", again: true})
}

// ask runs a callback of the program, and lets then act on its answer unless plans change before.
func (s *supervisor) ask(name string, callback, then func()) {
	plan := s.plan
	s.m.tasks.Go(func() {
		s.m.dispatch.guard(name, callback)
		s.m.post(func() {
			if s.plan == plan {
				then()
			}
		})
	})
}

func (s *supervisor) askDisconnect() {
	var yes bool
	s.ask("ShouldDisconnect", func() { yes = s.m.opts.Control.ShouldDisconnect() }, func() {
		if yes {
			s.leaveSession(leaving{reason: ReasonCallbackTriggered, text: "disconnect requested"})
			return
		}
		s.set(&s.check, s.m.opts.Control.DisconnectCheckInterval, s.askDisconnect)
	})
}

// pollReconnect asks ShouldReconnect, again and again, whether to connect.
func (s *supervisor) pollReconnect() {
	s.phase, s.waiting = phaseWaiting, waitPolling
	s.set(&s.timer, s.m.opts.Control.ReconnectCheckInterval, s.askReconnect)
}

func (s *supervisor) askReconnect() {
	var now bool
	var in time.Duration
	s.ask("ShouldReconnect", func() { now, in = s.m.opts.Control.ShouldReconnect() }, func() {
		switch {
		case now:
			s.seekNow()
		case in > 0:
			s.schedule(in, true, s.policyRestart)
		default:
			s.pollReconnect()
		}
	})
}
