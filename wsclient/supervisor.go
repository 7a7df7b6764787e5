//go:build !js

package wsclient

import (
	"slices"
	"time"
)

// supervisor owns dialling, adopting, tearing down, and the state. Whatever happens reaches it as a function that it
// runs (see [Manager.post]): calls of the program, ends of attempts and sessions, alarms. So its fields need no lock,
// and it never waits. Its goroutine exists only while there is something to do.
//
// Everything that takes time or runs code of the program is done by goroutines that report back. What was planned
// before is told from what is planned now by the number of the plan.
type supervisor struct {
	m      *Manager
	policy *policy

	phase    phase
	plan     uint64
	waiting  waitKind // in phaseWaiting
	session  *session // on duty, in phaseUp
	attempt  *attempt // under way, in phaseDialing
	rollover *attempt // under way, in phaseUp: the one that is to take over
	waiters  []*waiter

	// The policy is not for two goroutines at once, and nothing is dialled before the session before it has left the
	// queue of outgoing messages. What needs either waits in later.
	consulting bool
	retiring   int
	later      []func()
	seeking    bool // whether the policy has begun since the last rest
	hurry      bool // the owner wants to be connected at once, whatever the policy will say

	timer alarm // the next attempt, or the next question whether there shall be one
	check alarm // the next question whether to disconnect
	age   alarm // the connection is too old
	home  alarm // the first address is to be tried again

	lastClose CloseInfo
	untold    *DisconnectInfo // a loss that is being judged and that OnDisconnect has not heard of
	downSince time.Time       // when the last connection ended; zero if there was none
}

// phase is what the supervisor is at. It is finer than the state.
type phase int

const (
	phaseRest     phase = iota // nothing is planned
	phaseDialing               // an attempt is under way
	phaseDeciding              // a failure is being judged
	phaseWaiting               // for the timer, or for a session that is being closed
	phaseUp                    // a session is on duty
	phaseClosing
	phaseClosed
)

// waitKind is what the supervisor waits for.
type waitKind int

const (
	waitBackoff   waitKind = iota // the delay of the policy
	waitScheduled                 // a time that the owner set
	waitPolling                   // ControlOptions.ShouldReconnect
)

// waiter is a call that waits for a connection.
type waiter struct {
	result  chan error // gets one value
	founder bool       // the call that began the search
}

func newWaiter() *waiter { return &waiter{result: make(chan error, 1)} }

// alarm runs a function of the supervisor at a later time, unless it is stopped before.
type alarm struct {
	timer *time.Timer
	turn  uint64
}

func (s *supervisor) set(a *alarm, d time.Duration, f func()) {
	a.stop()
	turn := a.turn
	a.timer = time.AfterFunc(d, func() {
		s.m.post(func() {
			if a.turn == turn {
				f()
			}
		})
	})
}

func (a *alarm) stop() {
	a.turn++
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// post lets the supervisor run f. It reports false once the manager is closed.
func (m *Manager) post(f func()) bool { return m.events.run(f, false) }

// abandon gives up all plans, the attempt under way included.
func (s *supervisor) abandon() {
	s.plan++
	s.hurry = false
	s.tell()
	s.timer.stop()
	s.check.stop()
	s.age.stop()
	s.home.stop()
	for _, a := range []**attempt{&s.attempt, &s.rollover} {
		if *a != nil {
			(*a).cancel()
			*a = nil
		}
	}
}

// whenFree runs f as soon as the policy is free and no session is being closed, unless plans change before.
func (s *supervisor) whenFree(f func()) {
	plan := s.plan
	s.later = append(s.later, func() {
		if s.plan == plan {
			f()
		}
	})
	s.goOn()
}

func (s *supervisor) goOn() {
	for len(s.later) > 0 && !s.consulting && s.retiring == 0 {
		f := s.later[0]
		s.later = slices.Delete(s.later, 0, 1)
		f()
	}
}

// consult asks the policy, which may call functions of the program, and lets then act on what it says unless plans
// change before.
func (s *supervisor) consult(ask func() verdict, then func(verdict)) {
	plan := s.plan
	s.phase = phaseDeciding
	s.consulting = true
	s.m.tasks.Go(func() {
		v := verdict{delay: defaultDelay} // of a policy that panics
		s.m.dispatch.guard("Reconnect", func() { v = ask() })
		s.m.post(func() {
			s.consulting = false
			if s.plan == plan {
				then(v)
			}
			s.goOn()
		})
	})
}

// defaultDelay is the delay after a callback that should have said it panicked.
const defaultDelay = time.Second

// tell lets OnDisconnect know of a loss whose judgement is not waited for any more.
func (s *supervisor) tell() {
	if s.untold != nil {
		s.m.dispatch.disconnect(*s.untold)
		s.untold = nil
	}
}

// change moves to a state.
func (s *supervisor) change(c StateChange) {
	from := s.m.board.state()
	if from == c.To || !from.Allowed(c.To) {
		return
	}
	if from == StateConnected && c.Reason == ReasonNone {
		c.Reason, c.Endpoint = s.lastClose.Why, s.lastClose.Endpoint
	}
	s.m.dispatch.stateChange(s.m.board.show(c))
	s.m.metrics.Set(MetricState, float64(c.To))
}

// join lets a call wait for the end of the search.
func (s *supervisor) join(w *waiter) { s.waiters = append(s.waiters, w) }

// answer tells those who wait for a connection what came of it.
func (s *supervisor) answer(err error) {
	for _, w := range s.waiters {
		w.result <- err
	}
	s.waiters = nil
}

// connect is Connect and Start.
func (s *supervisor) connect(w *waiter) {
	switch s.phase {
	case phaseUp:
		w.result <- nil
	case phaseClosing, phaseClosed:
		w.result <- s.m.closedError(opConnect)
	case phaseDialing, phaseDeciding:
		s.join(w)
	case phaseWaiting:
		s.join(w)
		if s.waiting != waitBackoff {
			s.seekNow()
		}
	case phaseRest:
		s.join(w)
		w.founder = true
		s.begin()
	}
}

// leave ends the waiting of a call. When nobody is left who wanted the search for the first connection, it ends.
func (s *supervisor) leave(w *waiter, err error) {
	i := slices.Index(s.waiters, w)
	if i < 0 {
		return
	}
	s.waiters = slices.Delete(s.waiters, i, i+1)
	if len(s.waiters) > 0 {
		s.waiters[0].founder = s.waiters[0].founder || w.founder
		return
	}
	if w.founder {
		s.rest(err, false)
	}
}

// begin seeks the first connection.
func (s *supervisor) begin() {
	s.abandon()
	s.m.revive()
	s.phase, s.waiting = phaseWaiting, waitBackoff
	s.whenFree(func() {
		s.policyRestart()
		s.dial()
	})
}

// seekNow dials at once instead of waiting on.
func (s *supervisor) seekNow() {
	s.abandon()
	s.phase, s.waiting = phaseWaiting, waitBackoff
	s.change(StateChange{To: StateReconnecting, Close: s.closed()})
	s.whenFree(func() {
		s.policyRestart()
		s.dial()
	})
}

// closed returns how the last connection ended, nil if there was none.
func (s *supervisor) closed() *CloseInfo {
	if s.downSince.IsZero() {
		return nil
	}
	c := s.lastClose
	return &c
}

// wait lets d pass before the next attempt.
func (s *supervisor) wait(d time.Duration) {
	s.phase, s.waiting = phaseWaiting, waitBackoff
	if d <= 0 {
		s.whenFree(s.dial)
		return
	}
	s.set(&s.timer, d, func() { s.whenFree(s.dial) })
}

// idle returns why nothing will be sent unless somebody connects; nil if something may be.
func (s *supervisor) idle() error {
	if s.phase != phaseRest {
		return nil
	}
	if err := s.m.Err(); err != nil {
		return err
	}
	return ErrNotConnected
}

// rest ends all plans: err is why, and goes to everybody who waits for something.
func (s *supervisor) rest(err error, gaveUp bool) {
	s.abandon()
	s.phase, s.seeking = phaseRest, false
	s.change(StateChange{To: StateDisconnected, Err: err, Close: s.closed()})
	s.m.settle(err, gaveUp)
	s.answer(err)
	if gaveUp {
		s.m.logGiveUp(err)
		s.m.dispatch.giveUp(err)
	}
}
