package engineio

import (
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// heartbeat finds out whether the client is still there (Engine.IO protocol, section "Heartbeat"). In revision 4 the
// server sends pings and waits for pongs, in revision 3 it waits for pings. One timer does both.
type heartbeat struct {
	timer   *alarm.Alarm[Session]
	due     time.Time   // when the timer shall fire; guarded by the session's mu
	pinged  bool        // whether a pong is awaited; guarded by the session's mu
	patient atomic.Bool // whether another packet than the pong gives the client time once more
}

// startHeartbeat begins to count.
func (s *Session) startHeartbeat() {
	limit := s.server.opts.PingInterval
	if s.framing.revision == wire.V3 {
		limit += s.server.opts.PingTimeout
	}
	s.mu.Lock() // the timer may fire before it is known here
	defer s.mu.Unlock()
	s.beat.due = time.Now().Add(limit)
	s.beat.timer = alarm.After(limit, s, (*Session).beatDue)
}

func (b *heartbeat) stop() { b.timer.Stop() }

// reset lets the timer fire after d. It runs with mu held.
func (b *heartbeat) reset(d time.Duration) {
	b.due = time.Now().Add(d)
	b.timer.Reset(d)
}

// beatDue is the function of the timer.
func (s *Session) beatDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.beat
	switch {
	case s.state.Load() == stateClosed, time.Now().Before(b.due):
		// Too late: the session has ended, or the timer was set anew just when it fired.
	case b.pinged, s.framing.revision == wire.V3:
		s.stop(sioerr.PingTimeout, nil)
	default:
		b.pinged = true
		b.patient.Store(true)
		b.reset(s.server.opts.PingTimeout)
		s.queue.force(pingPacket)
		s.flush()
	}
}

// ponged takes a pong. One that nobody waits for does no harm.
func (s *Session) ponged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.framing.revision == wire.V3 {
		s.stop(sioerr.TransportError, transportError(s.transport(), "invalid heartbeat direction", nil))
		return
	}
	if s.state.Load() == stateClosed {
		return
	}
	s.beat.pinged = false
	s.beat.patient.Store(false)
	s.beat.reset(s.server.opts.PingInterval)
}

// pinged takes a ping.
func (s *Session) pinged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.framing.revision != wire.V3 {
		s.stop(sioerr.TransportError, transportError(s.transport(), "invalid heartbeat direction", nil))
		return
	}
	if s.state.Load() == stateClosed {
		return
	}
	s.beat.reset(s.server.opts.PingInterval + s.server.opts.PingTimeout)
	if err := s.queue.push(opSend, pongPacket); err != nil {
		s.stop(sioerr.TransportError, err) // it sends pings and reads no pongs
		return
	}
	s.flush()
}

// heard takes any other packet. The first one after a ping shows that the client is busy with sending and not gone, and
// gives it the time for a pong once more.
func (s *Session) heard() {
	if !s.beat.patient.Load() || !s.beat.patient.CompareAndSwap(true, false) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beat.pinged && s.state.Load() != stateClosed {
		s.beat.reset(s.server.opts.PingTimeout)
	}
}
