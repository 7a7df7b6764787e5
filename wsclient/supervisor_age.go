//go:build !js

package wsclient

import "time"

// agedText is what the peer is told of the end of a connection that has reached its age.
const agedText = "connection has reached its age"

// grownOld renews a connection that has reached its age.
func (s *supervisor) grownOld() {
	if s.m.opts.Control.Seamless {
		s.rollover = s.launch(s.policy.same())
		return
	}
	s.leaveSession(leaving{reason: ReasonConnectionLimit, text: agedText, again: true})
}

// rolloverDone lets a session take over from the one on duty. An attempt that failed is made again later, as long as
// the old connection lasts.
func (s *supervisor) rolloverDone(a *attempt, sess *session, err error) {
	s.rollover = nil
	if err != nil {
		s.m.counters.attemptFailed(err)
		delay := max(s.m.opts.Control.DisconnectMargin/8, time.Second)
		s.m.logAttemptFailed(a.step.Attempt, err, verdict{delay: delay})
		s.m.dispatch.attemptFailed(AttemptFailure{Attempt: a.step.Attempt, Err: err, WillRetry: true, NextDelay: delay})
		s.set(&s.age, delay, s.grownOld)
		return
	}
	old := s.session
	sess.prior = old
	s.m.show(sess)
	old.detach(ReasonConnectionLimit)
	s.m.counters.connected(sess) // before the end of the old one, or there would be a moment of downtime
	gone := s.relieve(old)
	s.downSince = time.Now()
	s.policy.connected()
	s.session = sess
	s.check.stop()
	info := ConnectInfo{Gen: sess.gen, Endpoint: sess.endpoint, Reconnect: true, Attempts: a.step.Number, Seamless: true}
	s.m.logConnected(sess, info)
	sess.activate(s.m.dispatch.connect(info))
	s.whileRetiring(func() {
		old.linger(sess)
		old.retire(codeNormal, agedText)
	}, func() {
		s.m.dispatch.disconnect(DisconnectInfo{
			Reason: gone.Why, Close: gone, Uptime: gone.Uptime, Err: gone.Err, MaybeLost: old.maybeLost, Seamless: true,
		})
	})
	s.watch()
	if sess.reported {
		s.lost(sess)
	}
}
