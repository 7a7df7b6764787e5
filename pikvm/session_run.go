package pikvm

import (
	"context"
	"errors"
	"log/slog"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// run owns the session: it alone reads, changes the state and hands out events, until the owner closes the
// session or reconnecting cannot help.
func (s *Session) run(link *eventLink, delays *retry.Sequence) {
	defer close(s.done)
	defer s.stop()
	for {
		err := link.read(s.life, func(f eventFrame, err error) { s.receive(link, f, err) })
		err = socketError("events.Read", s.client.target, err)
		s.disconnected(err)
		conn, err := s.connect(s.life, delays, err, isFinal)
		if err != nil {
			s.finish(err)
			return
		}
		link = s.connected(conn, delays)
	}
}

// connect dials until it succeeds, ctx or the session ends, or trying again cannot help. cause is why there is no
// connection, nil before the first attempt. The client's limit rules each attempt.
func (s *Session) connect(ctx context.Context, delays *retry.Sequence, cause error, lasts func(error) bool) (*wsconn.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	limited, cancelLimited := withoutDeadline(ctx)
	defer cancelLimited()
	for ctx.Err() == nil {
		if cause != nil {
			if lasts(cause) {
				return nil, cause
			}
			if s.pause(ctx, delays, cause) != nil {
				break
			}
		}
		conn, err := s.dial(limited)
		if err == nil {
			return conn, nil
		}
		if ctx.Err() == nil {
			cause = err
		}
	}
	if s.life.Err() != nil {
		return nil, closedError(opSocket, s.client.target, 0)
	}
	return nil, contextError(ctx, opSocket, s.client.target, cause)
}

// pause waits before the next attempt and tells why.
func (s *Session) pause(ctx context.Context, delays *retry.Sequence, cause error) error {
	delay, attempt := delays.Next(cause), delays.Attempt()
	if s.opts.OnRetry != nil {
		s.opts.OnRetry(attempt, delay, cause)
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "reconnect", slog.Int("attempt", attempt),
		slog.Duration("delay", delay), errkit.Attr(cause))
	return retry.Wait(ctx, delay)
}

// isFinal reports whether trying to connect again cannot help.
func isFinal(err error) bool {
	return errors.Is(err, ErrAuth) || errors.Is(err, ErrRedirect) ||
		errors.Is(err, ErrConfiguration) || errors.Is(err, ErrClosed)
}

// receive takes one frame: the state first, then the readers, so that whoever hears of an event finds it in the
// state.
func (s *Session) receive(link *eventLink, f eventFrame, err error) {
	ev := s.fold(link, f, err)
	if ev.Err != nil {
		s.log.LogAttrs(s.life, slog.LevelDebug, "malformed event", errkit.Attr(ev.Err))
	} else {
		s.log.LogAttrs(s.life, slog.LevelDebug, "event", slog.String("type", string(ev.Type)), slog.Int("size", len(ev.Data)))
	}
	s.publish(ev)
}

// fold puts a frame into the state and returns the event to hand out.
func (s *Session) fold(link *eventLink, f eventFrame, err error) Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Frames++
	next := s.state
	if err == nil {
		next, err = s.state.fold(f)
	}
	if err != nil {
		s.stats.Malformed++
		err = newWebSocketError(ErrWebSocket, "events.Read", s.client.target, 0, "", err)
		return Event{Type: EventMalformed, Err: err}
	}
	s.setState(next, len(f.data))
	if f.name == EventLoop || f.name == EventInfo {
		link.setVersion(next.Version())
	}
	return Event{Type: f.name, Data: f.data}
}

// connected begins a connection, with an empty state.
func (s *Session) connected(conn *wsconn.Conn, delays *retry.Sequence) *eventLink {
	delays.Connected()
	link := newEventLink(conn, s.opts.SilenceTimeout)
	s.log.LogAttrs(s.life, slog.LevelInfo, "connected")
	s.mu.Lock()
	s.link, s.lastErr = link, nil
	s.stats.Connections++
	s.setState(&State{live: true}, 0)
	s.mu.Unlock()
	s.publish(Event{Type: EventConnected})
	return link
}

// disconnected ends a connection. The state stays to be looked at, but nobody waiting believes it any more.
func (s *Session) disconnected(err error) {
	s.mu.Lock()
	s.link, s.lastErr = nil, err
	s.setState(s.state.stale(), 0)
	s.mu.Unlock()
	if s.life.Err() != nil {
		return // wanted
	}
	s.log.LogAttrs(s.life, slog.LevelInfo, "disconnected", errkit.Attr(err))
	s.publish(Event{Type: EventDisconnected, Err: err})
}

// finish ends everything that waits for the session.
func (s *Session) finish(err error) {
	wanted := s.life.Err() != nil || errors.Is(err, ErrClosed)
	if !wanted {
		s.log.LogAttrs(s.life, slog.LevelInfo, "gave up", errkit.Attr(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if !wanted {
		s.final = err
	}
	for reader := range s.readers {
		reader.box.end()
	}
	for box := range s.waiters {
		box.end()
	}
}

// setState makes a state the current one; size is how much it adds to the one before, with which it shares the
// rest. The caller holds mu.
func (s *Session) setState(next *State, size int) {
	if next == s.state {
		return
	}
	s.state = next
	for box := range s.waiters {
		box.put(next, size)
	}
}

// publish hands an event to the readers that asked for its type. It tells the log of a reader that falls behind,
// not of every event that is dropped then.
func (s *Session) publish(ev Event) {
	if s.handOut(ev) {
		s.log.LogAttrs(s.life, slog.LevelWarn, "a reader of events is too slow")
	}
}

// handOut reports whether a reader began to lose events.
func (s *Session) handOut(ev Event) (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for reader := range s.readers {
		if !reader.wants(ev.Type) {
			continue
		}
		dropped := reader.box.put(ev, len(ev.Data))
		s.stats.Dropped += dropped
		behind = behind || dropped > 0 && !reader.behind
		reader.behind = dropped > 0
	}
	return behind
}
