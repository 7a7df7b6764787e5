package pikvm

import (
	"context"
	"log/slog"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// run owns the session: it alone changes the state and hands out events, until the owner closes the session or
// reconnecting cannot help.
func (s *Session) run() {
	defer close(s.done)
	var others sync.WaitGroup
	defer others.Wait()
	defer s.stop()
	others.Go(func() {
		<-s.life.Done()
		s.letGo()
		s.part()
		_ = s.manager.Close() // returns nil
	})
	for ev, err := range s.manager.Events(context.Background()) {
		switch {
		case err != nil: // the last one of the loop
		case ev.Kind == wsclient.EventConnected:
			others.Go(s.connected(ev.Gen).watch)
		case ev.Kind == wsclient.EventDisconnected:
			s.disconnected()
		case s.link != nil && s.link.number == ev.Gen: // a message, and not a late one of a connection that has ended
			s.receive(ev.Message)
		}
	}
	s.finish()
}

// part lets the device hear of a proper end.
func (s *Session) part() {
	s.mu.Lock()
	newest := s.newest
	s.mu.Unlock()
	_ = newest.conn.SetLinger(-1) // one that has ended needs it no more
}

// receive takes one message: the state first, then the readers, so that whoever hears of an event finds it in the
// state.
func (s *Session) receive(m wsclient.Message) {
	if m.Type == wsconn.Binary {
		if isPong(m.Data) {
			s.link.pinger.land(m.ReceivedAt)
		}
		return // other opcodes are for clients that are newer than this one
	}
	f, err := decodeEvent(m.Data)
	if err == nil && f.name == eventPong {
		s.link.pinger.land(m.ReceivedAt)
		return
	}
	ev := s.fold(f, err)
	if ev.Err != nil {
		s.log.LogAttrs(s.life, slog.LevelDebug, "malformed event", errkit.Attr(ev.Err))
	} else {
		s.log.LogAttrs(s.life, slog.LevelDebug, "event", slog.String("type", string(ev.Type)), slog.Int("size", len(ev.Data)))
	}
	s.publish(ev)
}

// fold puts a frame into the state and returns the event to hand out.
func (s *Session) fold(f eventFrame, err error) Event {
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
		s.link.setVersion(next.Version())
	}
	return Event{Type: f.name, Data: f.data}
}

// connected begins connection number n, with an empty state.
func (s *Session) connected(n uint64) *eventLink {
	s.log.LogAttrs(s.life, slog.LevelInfo, "connected")
	s.mu.Lock()
	for s.link == nil || s.link.number < n { // those before it have come and gone
		s.link, s.made = s.made[0], s.made[1:]
	}
	link := s.link
	s.setState(&State{live: true}, 0)
	s.mu.Unlock()
	s.publish(Event{Type: EventConnected})
	select {
	case <-s.opened:
	default:
		close(s.opened)
	}
	return link
}

// disconnected ends a connection. The state stays to be looked at, but nobody waiting believes it any more.
func (s *Session) disconnected() {
	err := s.link.end("events.Read", s.client.target)
	s.mu.Lock()
	s.link = nil
	s.setState(s.state.stale(), 0)
	s.mu.Unlock()
	if s.life.Err() != nil {
		return // wanted
	}
	s.log.LogAttrs(s.life, slog.LevelInfo, "disconnected", errkit.Attr(err))
	s.publish(Event{Type: EventDisconnected, Err: err})
}

// finish ends everything that waits for the session.
func (s *Session) finish() {
	wanted, err := s.life.Err() != nil, s.reason()
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
