package sioclient

import "github.com/fieldlink-go/fieldlink/sioclient/internal/event"

// Event is an event that arrived: its name, its arguments, and the way to acknowledge it.
type Event = event.Event

// Handler handles an event. An error, which may be one of decoding, goes to the OnError functions of the socket, and
// ends nothing. So does a panic, as an error that matches [ErrHandler].
type Handler = event.Handler

// Listener is what handlers of events can be added to: the sockets of clients and of servers.
type Listener interface {
	On(name string, h Handler) (off func())
}

// Handlers are handlers that belong together, by the names of their events.
type Handlers interface {
	Handlers() map[string]Handler
}

// Register adds all handlers of h. The function that it returns removes them.
func Register(l Listener, h Handlers) (off func()) {
	var offs []func()
	for name, handler := range h.Handlers() {
		offs = append(offs, l.On(name, handler))
	}
	return func() {
		for _, off := range offs {
			off()
		}
	}
}

// On0 adds a handler that takes no arguments.
func On0(l Listener, name string, f func()) (off func()) {
	return l.On(name, func(*Event) error { f(); return nil })
}

// On1 adds a handler that takes one argument, which is decoded as json.Unmarshal does; []byte is for binary. An argument
// that is missing is the zero value. One that cannot be decoded goes to OnError as a *[DecodeError].
func On1[A any](l Listener, name string, f func(A)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		if err := e.Decode(&a); err != nil {
			return err
		}
		f(a)
		return nil
	})
}

// On2 is [On1] for two arguments.
func On2[A, B any](l Listener, name string, f func(A, B)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		var b B
		if err := e.Decode(&a, &b); err != nil {
			return err
		}
		f(a, b)
		return nil
	})
}

// On3 is [On1] for three arguments.
func On3[A, B, C any](l Listener, name string, f func(A, B, C)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		var b B
		var c C
		if err := e.Decode(&a, &b, &c); err != nil {
			return err
		}
		f(a, b, c)
		return nil
	})
}

// Reply0 adds a handler that takes no arguments and whose result acknowledges the event. An error goes to OnError, and
// the event is not acknowledged.
func Reply0[R any](l Listener, name string, f func() (R, error)) (off func()) {
	return l.On(name, func(e *Event) error {
		r, err := f()
		return reply(e, r, err)
	})
}

// Reply1 is [Reply0] for a handler that takes one argument: see [On1].
func Reply1[A, R any](l Listener, name string, f func(A) (R, error)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		if err := e.Decode(&a); err != nil {
			return err
		}
		r, err := f(a)
		return reply(e, r, err)
	})
}

// Reply2 is [Reply0] for a handler that takes two arguments.
func Reply2[A, B, R any](l Listener, name string, f func(A, B) (R, error)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		var b B
		if err := e.Decode(&a, &b); err != nil {
			return err
		}
		r, err := f(a, b)
		return reply(e, r, err)
	})
}

// Reply3 is [Reply0] for a handler that takes three arguments.
func Reply3[A, B, C, R any](l Listener, name string, f func(A, B, C) (R, error)) (off func()) {
	return l.On(name, func(e *Event) error {
		var a A
		var b B
		var c C
		if err := e.Decode(&a, &b, &c); err != nil {
			return err
		}
		r, err := f(a, b, c)
		return reply(e, r, err)
	})
}

func reply(e *Event, result any, err error) error {
	if err != nil {
		return err
	}
	return e.Ack(result)
}
