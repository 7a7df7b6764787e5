package event

import (
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Acks are the acknowledgements that a socket waits for. Each ends exactly once: with the answer, or with an error. The
// zero value is ready to use and has no table yet. All methods may be called from any goroutine; functions are called
// without a lock held.
type Acks struct {
	mu      sync.Mutex
	next    uint64
	pending map[uint64]AckFunc
	err     error // with which further ones end at once; nil while the table is open
}

// AckFunc gets the answer or the error. It must not block: it runs where the answer was read. The arguments are valid
// until it returns.
type AckFunc func(args packet.Args, err error)

// Reserve returns the next id for a later AddID; the first is 0.
func (a *Acks) Reserve() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.next
	a.next++
	return id
}

// AddID makes an entry under an id, which came from Reserve or is shared by many sockets, and reports whether it did. If
// there is such an entry f is not called; if the table is closed, f gets the error at once.
func (a *Acks) AddID(id uint64, f AckFunc) bool {
	a.mu.Lock()
	if err := a.err; err != nil {
		a.mu.Unlock()
		f(packet.Args{}, err)
		return false
	}
	defer a.mu.Unlock()
	if _, taken := a.pending[id]; taken {
		return false
	}
	a.put(id, f)
	return true
}

func (a *Acks) put(id uint64, f AckFunc) {
	if a.pending == nil {
		a.pending = make(map[uint64]AckFunc)
	}
	a.pending[id] = f
}

// Resolve ends an entry with its answer. It reports whether there was one.
func (a *Acks) Resolve(id uint64, args packet.Args) bool { return a.end(id, args, nil) }

// Fail ends an entry with an error. It reports whether there was one.
func (a *Acks) Fail(id uint64, err error) bool { return a.end(id, packet.Args{}, err) }

// Remove removes an entry without calling its function. It reports whether there was one.
func (a *Acks) Remove(id uint64) bool {
	_, ok := a.remove(id)
	return ok
}

// Detach takes out all entries for which which holds, nil meaning all. The function that it returns ends them with an
// error; it must be called. Those that are added meanwhile stay.
func (a *Acks) Detach(which func(id uint64) bool) (fail func(err error)) {
	detached := a.removeAll(which, nil)
	return func(err error) {
		for _, f := range detached {
			f(packet.Args{}, err)
		}
	}
}

// Close ends all entries, and all that are added later, with an error.
func (a *Acks) Close(err error) {
	for _, f := range a.removeAll(nil, err) {
		f(packet.Args{}, err)
	}
}

// Len returns how many entries there are.
func (a *Acks) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending)
}

func (a *Acks) end(id uint64, args packet.Args, err error) bool {
	f, ok := a.remove(id)
	if ok {
		f(args, err)
	}
	return ok
}

func (a *Acks) remove(id uint64) (AckFunc, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, ok := a.pending[id]
	delete(a.pending, id)
	return f, ok
}

func (a *Acks) removeAll(which func(id uint64) bool, final error) []AckFunc {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []AckFunc
	for id, f := range a.pending {
		if which == nil || which(id) {
			all = append(all, f)
			delete(a.pending, id)
		}
	}
	if final != nil && a.err == nil {
		a.err = final
	}
	return all
}
