package event

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Listeners are the handlers of a socket. The zero value is ready to use. All methods may be called at any time from any
// goroutine, also from handlers; no lock is held while handlers run. A change does not touch a dispatch that is under
// way, except that a handler which was removed is not called any more.
type Listeners struct {
	mu     sync.Mutex // orders the changes; what the pointers point to never changes
	byName atomic.Pointer[map[string][]*listener]
	any    atomic.Pointer[[]*listener]
}

type listener struct {
	handler Handler
	once    bool
	gone    atomic.Bool
}

// On adds a handler for the events of a name, behind those that are there. The function that it returns removes it.
func (l *Listeners) On(name string, h Handler) (off func()) {
	return l.add(name, &listener{handler: h})
}

// Once is On for a handler that is removed before it is called for the first time.
func (l *Listeners) Once(name string, h Handler) (off func()) {
	return l.add(name, &listener{handler: h, once: true})
}

// OnAny adds a handler for all events. These handlers run before those of the name.
func (l *Listeners) OnAny(h Handler) (off func()) { return l.addAny(h, false) }

// PrependAny is OnAny for a handler that runs before the others.
func (l *Listeners) PrependAny(h Handler) (off func()) { return l.addAny(h, true) }

// Remove removes all handlers of a name.
func (l *Listeners) Remove(name string) {
	l.change(name, func([]*listener) []*listener { return nil })
}

// RemoveAny removes all handlers for all events.
func (l *Listeners) RemoveAny() {
	l.changeAny(func([]*listener) []*listener { return nil })
}

// RemoveNamed removes the handlers of all names.
func (l *Listeners) RemoveNamed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.names() {
		retire(list, nil)
	}
	l.byName.Store(nil)
}

// RemoveAll removes all handlers.
func (l *Listeners) RemoveAll() {
	l.RemoveNamed()
	l.RemoveAny()
}

// Has reports whether there are handlers of the name.
func (l *Listeners) Has(name string) bool { return l.Len(name) > 0 }

// HasAny reports whether there are handlers for all events.
func (l *Listeners) HasAny() bool { return len(l.anys()) > 0 }

// Len returns how many handlers the name has.
func (l *Listeners) Len(name string) int { return len(l.names()[name]) }

// Dispatch calls the handlers for all events and then those of the name, in order. Errors go to fail, which may be nil.
// It reports whether the name had a handler.
func (l *Listeners) Dispatch(e *Event, fail func(e *Event, err error)) bool {
	l.DispatchAny(e, fail)
	return l.DispatchNamed(e, fail)
}

// DispatchAny calls the handlers for all events, in order.
func (l *Listeners) DispatchAny(e *Event, fail func(e *Event, err error)) {
	for _, one := range l.anys() {
		if !one.gone.Load() {
			call(one.handler, e, fail)
		}
	}
}

// DispatchNamed calls the handlers of the event's name, in order, and reports whether there was one.
func (l *Listeners) DispatchNamed(e *Event, fail func(e *Event, err error)) (handled bool) {
	for _, one := range l.names()[e.Name] {
		if one.once {
			if !one.gone.CompareAndSwap(false, true) {
				continue
			}
			l.drop(e.Name, one)
		} else if one.gone.Load() {
			continue
		}
		handled = true
		call(one.handler, e, fail)
	}
	return handled
}

// call runs a handler and reports what went wrong in it.
func call(h Handler, e *Event, fail func(*Event, error)) {
	if err := Guard(func() error { return h(e) }); err != nil && fail != nil {
		fail(e, err)
	}
}

// Guard calls a function of the program. A panic becomes an error that matches ErrHandler.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = sioerr.Panicked(v)
		}
	}()
	return f()
}

func (l *Listeners) names() map[string][]*listener {
	if m := l.byName.Load(); m != nil {
		return *m
	}
	return nil
}

func (l *Listeners) anys() []*listener {
	if s := l.any.Load(); s != nil {
		return *s
	}
	return nil
}

func (l *Listeners) add(name string, one *listener) func() {
	l.change(name, func(old []*listener) []*listener { return append(slices.Clip(old), one) })
	return func() {
		if one.gone.CompareAndSwap(false, true) {
			l.drop(name, one)
		}
	}
}

func (l *Listeners) addAny(h Handler, first bool) func() {
	one := &listener{handler: h}
	l.changeAny(func(old []*listener) []*listener {
		if first {
			return append([]*listener{one}, old...)
		}
		return append(slices.Clip(old), one)
	})
	return func() {
		if one.gone.CompareAndSwap(false, true) {
			l.changeAny(func(old []*listener) []*listener { return without(old, one) })
		}
	}
}

func (l *Listeners) drop(name string, one *listener) {
	l.change(name, func(old []*listener) []*listener { return without(old, one) })
}

// change replaces the handlers of a name in a copy of the table.
func (l *Listeners) change(name string, edit func([]*listener) []*listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.names()
	next := maps.Clone(old)
	if next == nil {
		next = make(map[string][]*listener)
	}
	after := edit(old[name])
	retire(old[name], after)
	delete(next, name)
	if len(after) > 0 {
		next[name] = after
	}
	l.byName.Store(&next)
}

func (l *Listeners) changeAny(edit func([]*listener) []*listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.anys()
	after := edit(before)
	retire(before, after)
	l.any.Store(&after)
}

// retire marks those that are not kept, so that a dispatch that is under way passes over them.
func retire(before, after []*listener) {
	for _, one := range before {
		if !slices.Contains(after, one) {
			one.gone.Store(true)
		}
	}
}

func without(list []*listener, one *listener) []*listener {
	i := slices.Index(list, one)
	if i < 0 {
		return list
	}
	return slices.Concat(list[:i], list[i+1:])
}
