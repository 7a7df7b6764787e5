package sioclient

import "github.com/fieldlink-go/fieldlink/sioclient/packet"

// On adds a handler for the events of a name, behind those that are there. It gets the events whose turn comes from now
// on; those that were handled before, and those that wait for [Socket.Receive], do not come back. The function that On
// returns removes the handler. See [On1] and its like for handlers with decoded arguments.
func (s *Socket) On(name string, h Handler) (off func()) { return s.listeners.On(name, h) }

// Once is On for a handler that is removed before it is called for the first time.
func (s *Socket) Once(name string, h Handler) (off func()) { return s.listeners.Once(name, h) }

// OnAny adds a handler for all events, which is called before those of the event's name.
func (s *Socket) OnAny(h Handler) (off func()) { return s.listeners.OnAny(h) }

// PrependAny is OnAny for a handler that is called before the others.
func (s *Socket) PrependAny(h Handler) (off func()) { return s.listeners.PrependAny(h) }

// Off removes all handlers of the given names; without names all handlers of named events.
func (s *Socket) Off(names ...string) {
	if len(names) == 0 {
		s.listeners.RemoveNamed()
	}
	for _, name := range names {
		s.listeners.Remove(name)
	}
}

// OffAny removes all handlers of OnAny and PrependAny.
func (s *Socket) OffAny() { s.listeners.RemoveAny() }

// OnAnyOutgoing adds a function that is called with every event that Emit or Call has accepted, on the goroutine of that
// call.
func (s *Socket) OnAnyOutgoing(h Handler) (off func()) { return s.outgoing.OnAny(h) }

// PrependAnyOutgoing is OnAnyOutgoing for a function that is called before the others.
func (s *Socket) PrependAnyOutgoing(h Handler) (off func()) { return s.outgoing.PrependAny(h) }

// OffAnyOutgoing removes all functions of OnAnyOutgoing and PrependAnyOutgoing.
func (s *Socket) OffAnyOutgoing() { s.outgoing.RemoveAny() }

// handle runs the handlers of an event. Without one it is kept for Receive.
func (s *Socket) handle(e *Event) {
	if !s.listeners.Dispatch(e, s.handlerFailed) {
		s.inbox.put(e)
	}
}

func (s *Socket) handlerFailed(_ *Event, err error) { s.reportNow(err) }

// tellOutgoing calls the functions of OnAnyOutgoing.
func (s *Socket) tellOutgoing(name string, args []any) {
	if !s.outgoing.HasAny() {
		return
	}
	encoded, err := packet.NewArgs(args...)
	if err != nil {
		return // they have just been encoded
	}
	s.outgoing.DispatchAny(&Event{Name: name, Args: encoded}, func(_ *Event, err error) { s.report(err) })
}
