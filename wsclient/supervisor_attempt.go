//go:build !js

package wsclient

import (
	"errors"
	"time"
)

// dial begins the next attempt.
func (s *supervisor) dial() {
	step := s.policy.next()
	s.phase = phaseDialing
	s.change(StateChange{
		To: StateConnecting, Attempt: step.Number, Endpoint: step.Endpoint, Err: step.LastErr, Close: s.closed(),
	})
	s.attempt = s.launch(step)
}

// launch runs an attempt, which reports when it is done.
func (s *supervisor) launch(step step) *attempt {
	s.m.counters.attempt()
	a := newAttempt(s.m, step)
	a.announced = s.m.dispatch.attempt(step.Attempt)
	s.m.tasks.Go(func() {
		sess, err := a.run()
		if !s.m.post(func() { s.attemptDone(a, sess, err) }) && sess != nil {
			sess.retire(0, "")
		}
	})
	return a
}

func (s *supervisor) attemptDone(a *attempt, sess *session, err error) {
	switch {
	case a == s.attempt:
	case a == s.rollover:
		s.rolloverDone(a, sess, err)
		return
	default: // it was given up
		if sess != nil {
			s.retire(sess, 0, "")
		}
		return
	}
	s.attempt = nil
	if a.refreshed {
		s.policy.refreshed()
	}
	if err == nil {
		s.adopt(sess)
		return
	}
	s.m.counters.attemptFailed(err)
	s.consult(func() verdict { return s.policy.failed(err) }, func(v verdict) { s.attemptFailed(a.step.Attempt, err, v) })
}

func (s *supervisor) attemptFailed(a Attempt, err error, v verdict) {
	if s.hurry {
		v = verdict{}
	}
	s.m.logAttemptFailed(a, err, v)
	s.m.dispatch.attemptFailed(AttemptFailure{Attempt: a, Err: err, WillRetry: v.err == nil, NextDelay: v.delay})
	switch {
	case s.hurry:
		s.seekNow()
		return
	case v.err != nil:
		s.rest(v.err, true)
		return
	}
	s.change(StateChange{
		To: StateReconnecting, Err: err, Attempt: a.Number, NextDelay: v.delay, Endpoint: a.Endpoint, Close: s.closed(),
	})
	s.wait(v.delay)
}

// adopt puts a session on duty.
func (s *supervisor) adopt(sess *session) {
	s.policy.connected()
	s.phase, s.session = phaseUp, sess
	a := sess.attempt
	info := ConnectInfo{Gen: sess.gen, Endpoint: sess.endpoint, Attempts: a.Number}
	if !s.downSince.IsZero() {
		info.Reconnect, info.Downtime = true, time.Since(s.downSince)
	}
	s.m.counters.connected(sess)
	s.m.show(sess)
	s.change(StateChange{To: StateConnected, Attempt: a.Number, Endpoint: sess.endpoint, Close: s.closed()})
	s.m.logConnected(sess, info)
	sess.activate(s.m.dispatch.connect(info))
	s.answer(nil)
	s.watch()
	if sess.reported {
		s.lost(sess)
	}
}

// sessionEnded is the report of a session's reader.
func (s *supervisor) sessionEnded(sess *session) {
	sess.reported = true
	if s.session == sess {
		s.lost(sess)
	}
}

// lost takes a session off duty that ended by itself.
func (s *supervisor) lost(sess *session) {
	s.abandon()
	info := s.dismiss(sess)
	s.untold = &DisconnectInfo{Reason: info.Why, Close: info, Err: info.Err, Uptime: info.Uptime, MaybeLost: sess.maybeLost}
	s.consult(func() verdict { return s.policy.lost(info) }, func(v verdict) { s.decided(info, v) })
}

// dismiss takes a session off duty and counts its end. What it still brings is dropped.
func (s *supervisor) dismiss(sess *session) CloseInfo {
	sess.dismissed.Store(true)
	return s.relieve(sess)
}

// relieve takes a session off duty and counts its end. What it still brings is delivered.
func (s *supervisor) relieve(sess *session) CloseInfo {
	s.session = nil
	s.m.live.CompareAndSwap(sess, nil)
	info := sess.info()
	s.lastClose, s.downSince = info, time.Now()
	s.m.counters.disconnected(sess, info)
	s.m.link.disconnected(info)
	s.m.requests.lost(info.Gen, s.m.lostRequest(info))
	s.m.logDisconnected(info)
	return info
}

// decided acts on what the policy makes of a loss.
func (s *supervisor) decided(info CloseInfo, v verdict) {
	gone := s.untold
	change := StateChange{Reason: info.Why, Err: info.Err, Close: &info, Endpoint: info.Endpoint}
	poll := errors.Is(v.err, ErrReconnectDisabled) && s.m.opts.Control.ShouldReconnect != nil
	if s.hurry {
		v = verdict{}
	}
	change.NextDelay = v.delay
	gone.WillReconnect, gone.NextDelay = v.err == nil || poll, v.delay
	if !gone.WillReconnect {
		change.To, change.Err = StateDisconnected, v.err
		s.change(change)
		s.tell()
		s.rest(v.err, true)
		return
	}
	change.To = StateReconnecting
	s.change(change)
	s.tell()
	switch {
	case s.hurry:
		s.seekNow()
	case v.err == nil:
		s.wait(v.delay)
	default:
		s.pollReconnect()
	}
}

// retire closes a session that is not on duty any more, and then whoever waits goes on.
func (s *supervisor) retire(sess *session, code int, reason string, then ...func()) {
	s.whileRetiring(func() { sess.retire(code, reason) }, then...)
}

// whileRetiring runs f, which closes a session, on a goroutine of its own, and then whoever waits goes on.
func (s *supervisor) whileRetiring(f func(), then ...func()) {
	s.retiring++
	s.m.tasks.Go(func() {
		f()
		s.m.post(func() {
			s.retiring--
			for _, f := range then {
				f()
			}
			s.closeDown()
			s.goOn()
		})
	})
}
