//go:build !js

package wsclient

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// beats reports whether the session needs a heartbeat: for pings at intervals, or because the queue may ask for some.
func (s *session) beats() bool {
	return s.m.opts.Heartbeat.PingInterval > 0 || s.m.opts.Send.Ack != nil
}

// beat sends pings until the session ends. Without an interval, a peer need not answer them.
func (s *session) beat() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var ticks <-chan time.Time
	interval := s.m.opts.Heartbeat.PingInterval
	if interval > 0 {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-s.stop:
			return
		case <-ticks:
		case <-s.doubt:
		}
		if s.blocked.Load() != 0 {
			continue // nobody would read the pong
		}
		if err := s.ping(ctx); err != nil && interval > 0 {
			s.fail(ReasonPingTimeout, err)
			return
		}
	}
}

// ping lets the heartbeat send a ping now.
func (m *Manager) ping() {
	if s := m.live.Load(); s != nil {
		select {
		case s.doubt <- struct{}{}:
		default:
		}
	}
}

// ping asks the peer for a sign of life. Its error is that of a dead connection.
func (s *session) ping(ctx context.Context) error {
	s.pinging.Store(true)
	defer s.pinging.Store(false)
	for {
		if s.m.outbox != nil {
			s.m.outbox.Mark()
		}
		rtt, pong, err := s.roundTrip(ctx)
		switch {
		case err == nil:
			if pong {
				s.ponged(rtt)
			}
			return nil
		case !errors.Is(err, ErrTimeout):
			return nil // the reader reports why the connection ended
		case s.blocked.Load() != 0:
			return nil
		case time.Since(s.began)-time.Duration(s.unblocked.Load()) >= s.m.opts.Heartbeat.PingTimeout/2:
			return err
		}
		// The reader was kept from reading until just now.
	}
}

// roundTrip sends a ping and waits for a sign of life. If that is the pong, it took rtt.
func (s *session) roundTrip(ctx context.Context) (rtt time.Duration, pong bool, err error) {
	if s.m.opts.Heartbeat.AppPing != nil {
		return s.appPing()
	}
	rtt, err = s.conn.Ping(ctx)
	return rtt, err == nil, err
}

// ponged notes a pong: the peer has read all that went before the ping.
func (s *session) ponged(rtt time.Duration) {
	if s.m.outbox != nil {
		s.m.outbox.Proved()
	}
	s.m.counters.roundTrip(rtt)
	if f := s.m.opts.Hooks.OnPong; f != nil {
		s.m.dispatch.mention("OnPong", func() { f(rtt) })
	}
}

// appPing sends the application's ping and waits for its pong, or for any byte if there is none.
func (s *session) appPing() (rtt time.Duration, pong bool, err error) {
	select {
	case <-s.pong: // a late one
	default:
	}
	h := &s.m.opts.Heartbeat
	began := time.Now()
	if !s.m.dispatch.guard("AppPing", func() {
		typ, data := h.AppPing()
		_ = s.conn.Write(typ, data) // a dead connection is reported by the reader
	}) {
		return 0, false, nil
	}
	sent := time.Now()
	silence := time.NewTimer(h.PingTimeout)
	defer silence.Stop()
	for {
		select {
		case <-s.stop:
			return 0, false, nil // the end has its cause already
		case <-s.pong:
			return time.Since(began), true, nil
		case <-silence.C:
			last := s.conn.LastRead()
			if h.IsAppPong == nil && last.After(began) {
				return 0, false, nil
			}
			if last.Before(sent) {
				last = sent
			}
			left := h.PingTimeout - time.Since(last)
			if suspended(-left, h.PingTimeout) {
				sent, left = time.Now(), h.PingTimeout
			}
			if left <= 0 {
				return 0, false, &TimeoutError{
					Info:  errkit.Info{Class: wserr.ErrTimeout, Op: "ping", Target: s.endpoint},
					Limit: h.PingTimeout,
				}
			}
			silence.Reset(left)
		}
	}
}

// suspended reports whether a timer rang so late that this process cannot have run when it was due. What arrived
// meanwhile is not read yet, so the silence proves nothing.
func suspended(late, limit time.Duration) bool { return late >= limit/4 }

// isPong recognises the answer to an application's ping.
func (s *session) isPong(msg Message) (is bool) {
	f := s.m.opts.Heartbeat.IsAppPong
	if f == nil {
		return false
	}
	s.m.dispatch.guard("IsAppPong", func() { is = f(msg) })
	if is {
		select {
		case s.pong <- struct{}{}:
		default:
		}
	}
	return is
}

// checkIdle ends the session if no message came for too long, and looks again later otherwise.
func (s *session) checkIdle() {
	limit := s.m.opts.Heartbeat.IdleTimeout
	quiet := time.Since(s.began) - time.Duration(max(s.lastData.Load(), s.unblocked.Load()))
	switch {
	case s.blocked.Load() != 0:
		quiet = 0
	case suspended(quiet-limit, limit):
		s.unblocked.Store(int64(time.Since(s.began)))
		quiet = 0
	}
	if quiet < limit {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.over {
			s.idle.Reset(limit - quiet)
		}
		return
	}
	s.fail(ReasonIdleTimeout, &TimeoutError{
		Info:  errkit.Info{Class: wserr.ErrTimeout, Op: opReceive, Target: s.endpoint},
		Limit: limit,
	})
}
