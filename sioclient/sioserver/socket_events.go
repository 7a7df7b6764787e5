package sioserver

import (
	"slices"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

type (
	// Event is an event of a client: its name, its arguments, and a way to acknowledge it.
	Event = event.Event
	// Handler handles an event. An error, which may be one of decoding, goes to the OnError listeners of the socket.
	// So does a panic. Neither ends anything.
	Handler = event.Handler
	// Reason says why a socket or a connection ended. The constants are in package sioclient.
	Reason = sioerr.Reason
)

// socketHooks are what a socket has besides listeners for events. They are replaced, never changed.
type socketHooks struct {
	middlewares   []*Handler
	disconnecting []func(reason sioerr.Reason, err error)
	disconnect    []func(reason sioerr.Reason, err error)
	errors        []func(err error)
}

// On adds a handler for the events of a name. It gets those whose turn comes from then on; an event that nothing handles
// when its turn comes is dropped, so handlers are best added in [Namespace.OnConnect]. The function that On returns removes
// the handler.
func (s *Socket) On(name string, h Handler) (off func()) { return s.listeners.On(name, h) }

// Once adds a handler for the next event of a name.
func (s *Socket) Once(name string, h Handler) (off func()) { return s.listeners.Once(name, h) }

// OnAny adds a handler for all events. Handlers for all events run before the middlewares of the socket and before
// those of the name.
func (s *Socket) OnAny(h Handler) (off func()) { return s.listeners.OnAny(h) }

// PrependAny is OnAny for a handler that runs before the others.
func (s *Socket) PrependAny(h Handler) (off func()) { return s.listeners.PrependAny(h) }

// Off removes all handlers of a name.
func (s *Socket) Off(name string) { s.listeners.Remove(name) }

// OffAny removes all handlers for all events.
func (s *Socket) OffAny() { s.listeners.RemoveAny() }

// OnAnyOutgoing adds a handler for all events that are sent to the client, by itself or with others, but not for
// acknowledgements. It runs on the goroutine that sends, once the event is queued, and in the midst of the delivery: it
// must not block, send or disconnect.
func (s *Socket) OnAnyOutgoing(h Handler) (off func()) { return s.outgoing.OnAny(h) }

// PrependAnyOutgoing is OnAnyOutgoing for a handler that runs before the others.
func (s *Socket) PrependAnyOutgoing(h Handler) (off func()) { return s.outgoing.PrependAny(h) }

// OffAnyOutgoing removes all handlers for events that are sent.
func (s *Socket) OffAnyOutgoing() { s.outgoing.RemoveAny() }

// Use adds a middleware, which sees every event of the client, acknowledgements excluded, before the handlers of its
// name. An error goes to the OnError listeners; the event is then dropped, and not acknowledged.
func (s *Socket) Use(m Handler) (off func()) {
	one := &m
	s.hook(func(h *socketHooks) { h.middlewares = append(slices.Clip(h.middlewares), one) })
	return func() {
		s.hook(func(h *socketHooks) {
			h.middlewares = slices.DeleteFunc(slices.Clone(h.middlewares), func(p *Handler) bool { return p == one })
		})
	}
}

// OnDisconnecting adds a handler for the moment before the socket gives up its rooms: [Socket.Rooms] still has them,
// although nothing reaches the client any more. The error is the cause if there is one.
func (s *Socket) OnDisconnecting(f func(reason Reason, err error)) {
	s.hook(func(h *socketHooks) { h.disconnecting = append(slices.Clip(h.disconnecting), f) })
}

// OnDisconnect adds a handler for the end of the socket. It is the last one that runs. The error is the cause if there
// is one, such as a *[sioclient.BufferFullError] of a client that did not read. Added after that moment it is not called:
// [Socket.Done] tells.
func (s *Socket) OnDisconnect(f func(reason Reason, err error)) {
	s.hook(func(h *socketHooks) { h.disconnect = append(slices.Clip(h.disconnect), f) })
}

// OnError adds a listener for errors of handlers and middlewares, and for a packet that cannot be decoded. Without one
// they go to Options.OnError.
func (s *Socket) OnError(f func(err error)) {
	s.hook(func(h *socketHooks) { h.errors = append(slices.Clip(h.errors), f) })
}

func (s *Socket) hook(edit func(*socketHooks)) {
	for {
		old := s.hooks.Load()
		next := socketHooks{}
		if old != nil {
			next = *old
		}
		edit(&next)
		if s.hooks.CompareAndSwap(old, &next) {
			return
		}
	}
}

func (s *Socket) currentHooks() socketHooks {
	if h := s.hooks.Load(); h != nil {
		return *h
	}
	return socketHooks{}
}

// receive takes an event of the client. It waits while the queue of events is full.
func (s *Socket) receive(p *packet.Packet, size int) {
	if s.n.server.opts.InlineHandlers {
		s.handling.Lock()
		defer s.handling.Unlock()
		s.handle(s.newEvent(p.Name, p.Args, p))
		return
	}
	s.queue.Push(s.newEvent(p.Name, p.Args.Clone(), p), size, s.conn.session.Done())
}

func (s *Socket) newEvent(name string, args packet.Args, p *packet.Packet) *event.Event {
	if p.HasID {
		return event.NewAcked(name, args, (*acker)(s), p.ID)
	}
	return event.New(name, args)
}

// handle runs what listens to an event.
func (s *Socket) handle(e *event.Event) {
	s.observe(func(o *Observer) {
		if o.Received != nil {
			o.Received(s, e)
		}
	})
	s.listeners.DispatchAny(e, s.fail)
	if h := s.hooks.Load(); h != nil {
		for _, m := range h.middlewares {
			if err := event.Guard(func() error { return (*m)(e) }); err != nil {
				s.fail(e, err)
				return
			}
		}
	}
	s.listeners.DispatchNamed(e, s.fail)
}

// fail tells of what went wrong in a handler, or with a packet.
func (s *Socket) fail(_ *event.Event, err error) {
	listeners := s.currentHooks().errors
	if len(listeners) == 0 {
		s.n.server.report("handler", err)
		return
	}
	for _, f := range listeners {
		guarded := event.Guard(func() error {
			f(err)
			return nil
		})
		if guarded != nil {
			s.n.server.report("error handler", guarded)
		}
	}
}

// failLater is fail in the order of the handlers: those who listen have been added, and no lock is held. What is beyond a
// limit is only logged.
func (s *Socket) failLater(_ *event.Event, err error) {
	if !s.queue.Tell(s.inOrder(func() { s.fail(nil, err) })) {
		s.n.server.log.Warn("error", "module", "sioclient", "op", "handler", "error", err)
	}
}

// run runs a function in the order of the handlers.
func (s *Socket) run(f func()) { s.queue.Do(s.inOrder(f)) }

// inOrder lets a function wait for handlers on the goroutine that reads.
func (s *Socket) inOrder(f func()) func() {
	if !s.n.server.opts.InlineHandlers {
		return f
	}
	return func() {
		s.handling.Lock()
		defer s.handling.Unlock()
		f()
	}
}
