//go:build !js

package wsclient

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// EventKind says what an [Event] tells of.
type EventKind int

const (
	// EventMessage is a message.
	EventMessage EventKind = iota
	// EventConnected is a new connection. The messages after it came on this one.
	EventConnected
	// EventDisconnected is the end of a connection. All messages that it brought came before.
	EventDisconnected
)

// String returns "message", "connected" or "disconnected", and the number of a kind that does not exist.
func (k EventKind) String() string {
	switch k {
	case EventMessage:
		return "message"
	case EventConnected:
		return "connected"
	case EventDisconnected:
		return "disconnected"
	}
	return "event " + strconv.Itoa(int(k))
}

// Event is a message, or the beginning or the end of a connection.
type Event struct {
	Kind    EventKind
	Gen     uint64     // generation of the connection: 1 for the first one of the manager
	Message Message    // of EventMessage
	Close   *CloseInfo // of EventDisconnected; nil if too many connections came after it
}

// Events yields the messages as [Manager.Messages] does, and between them, at the very place, where one connection ended
// and another began, so that a consumer knows where to get what it missed. A loop that begins while there is a
// connection is told of it first. Connections that came and went without bringing a message may be left out. With
// [ControlOptions.Seamless], a few messages of the old connection may come after the beginning of the new one, and a message
// that was being taken in when this side ended the connection may come after its end; their Gen tells. When the manager is
// closed, the loop ends without an error after the last end of a connection.
func (m *Manager) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if m.opts.Receive.handled() {
			yield(Event{}, wserr.ErrState.Wrap(opReceive, m.target, errHandled))
			return
		}
		f := follower{link: &m.link, yield: yield}
		for f.next(ctx, m) {
		}
	}
}

// follower tells a loop of connections in the right places.
type follower struct {
	link  *link
	yield func(Event, error) bool
	gen   uint64 // of the connection that the loop was told of last
	up    bool   // whether it was not told of the end of that
	ended uint64 // the newest connection of whose end it was told
}

// next yields what comes next, and reports whether the loop goes on.
func (f *follower) next(ctx context.Context, m *Manager) bool {
	state, changed := f.link.watch()
	msg, gap, err := m.inbox.GetOr(ctx, closedChan)
	if errors.Is(err, inbox.ErrNothing) {
		if m.inbound.release(m) {
			return true
		}
		// Everything that earlier connections brought has been yielded, so the state as it was before is the place.
		if state.gen > f.gen || state.gen == f.gen && f.up != state.up {
			return f.move(state.gen, state.up)
		}
		msg, gap, err = m.inbox.GetOr(ctx, changed)
	}
	switch {
	case errors.Is(err, inbox.ErrNothing):
		return true
	case err == nil && gap.Dropped > 0:
		return f.yield(Event{Gen: f.gen}, m.gapError(gap))
	case err == nil:
		return f.move(msg.Gen, true) && f.yield(Event{Kind: EventMessage, Gen: msg.Gen, Message: msg}, nil)
	case ctx.Err() == nil:
		if state = f.link.state(); !f.move(state.gen, state.up) || isClean(err) {
			return false
		}
	}
	f.yield(Event{}, m.receiveError(ctx, 0, err))
	return false
}

// move tells of what lies between the connection of which the loop knows and a newer one, and whether that is up. It
// reports whether the loop goes on.
func (f *follower) move(gen uint64, up bool) bool {
	if gen < f.gen || gen <= f.ended { // a message of a connection that another has replaced already, or that has ended
		return true
	}
	if f.up && (f.gen != gen || !up) {
		f.up, f.ended = false, f.gen
		if !f.yield(Event{Kind: EventDisconnected, Gen: f.gen, Close: f.link.close(f.gen)}, nil) {
			return false
		}
	}
	if up && !f.up {
		f.gen, f.up = gen, true
		return f.yield(Event{Kind: EventConnected, Gen: gen}, nil)
	}
	f.gen = gen
	return true
}

// closedChan is closed.
var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
