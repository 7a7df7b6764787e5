package event

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Listeners are the handlers of a socket. The zero value is ready to use. All methods may be called at any time from any
// goroutine, also from handlers; no lock is held while handlers run. A change does not touch a dispatch that is under
// way, except that a handler which was removed is not called any more.
type Listeners struct {
	mu     sync.Mutex // orders the changes; what the pointers point to never changes
	byName atomic.Pointer[[]named]
	any    atomic.Pointer[[]*listener]
}

// named are the handlers of a name. A table of them is in the order of the names: most sockets have a few, and such a
// table is made sooner than a map.
type named struct {
	name string
	list []*listener
}

// find returns where a name is in a table, or should be.
func find(table []named, name string) (i int, found bool) {
	return slices.BinarySearchFunc(table, name, func(n named, name string) int { return strings.Compare(n.name, name) })
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
	for _, n := range l.names() {
		retire(n.list, nil)
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
func (l *Listeners) Len(name string) int { return len(l.of(name)) }

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
	for _, one := range l.of(e.Name) {
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

func (l *Listeners) names() []named {
	if table := l.byName.Load(); table != nil {
		return *table
	}
	return nil
}

// of returns the handlers of a name.
func (l *Listeners) of(name string) []*listener {
	table := l.names()
	if i, ok := find(table, name); ok {
		return table[i].list
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
	table := l.names()
	i, found := find(table, name)
	rest := table[i:]
	var before []*listener
	if found {
		before, rest = table[i].list, table[i+1:]
	}
	after := edit(before)
	retire(before, after)
	next := append(make([]named, 0, len(table)+1), table[:i]...)
	if len(after) > 0 {
		next = append(next, named{name, after})
	}
	next = append(next, rest...)
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
