package sioclient

import (
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
)

// watchers are the functions that are told what happens to a socket.
type watchers struct {
	connect      list[func()]
	disconnect   list[func(Reason, error)]
	connectError list[func(error)]
	failure      list[func(error)]
}

// list is a list of functions that can be changed while they are called.
type list[F any] struct {
	mu      sync.Mutex
	entries []*F // never changed in place
}

func (l *list[F]) add(f F) (off func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := &f
	l.entries = append(slices.Clip(l.entries), one)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if i := slices.Index(l.entries, one); i >= 0 {
			l.entries = slices.Concat(l.entries[:i], l.entries[i+1:])
		}
	}
}

// each gives every function to call, under a guard against panics. It reports whether there was one.
func (l *list[F]) each(guard func(func()), call func(F)) bool {
	there := l.now()
	l.eachOf(there, guard, call)
	return len(there) > 0
}

// now returns the functions that there are.
func (l *list[F]) now() []*F {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries
}

// eachOf is each for those that were there at some time, unless they were removed since.
func (l *list[F]) eachOf(there []*F, guard func(func()), call func(F)) {
	for _, f := range there {
		if slices.Contains(l.now(), f) {
			guard(func() { call(*f) })
		}
	}
}

// OnConnect adds a function that is called each time the server has confirmed the namespace from now on, after the
// handlers of the events that came before that. The function that it returns removes it.
func (s *Socket) OnConnect(f func()) (off func()) { return s.watchers.connect.add(f) }

// OnDisconnect adds a function that is called each time the socket is not connected any more from now on, after the
// handlers of the events that came before; of an end that has come already it is not told, which [Socket.Connected] tells. The error tells more, and is nil if this side wanted it. Reason.WillReconnect tells whether
// there will be attempts to connect again.
func (s *Socket) OnDisconnect(f func(reason Reason, err error)) (off func()) {
	return s.watchers.disconnect.add(f)
}

// OnConnectError adds a function that is called each time an attempt to connect fails from now on: with a *[ConnectionRefusedError]
// if the server refused, which ends the attempts, with a *[DisconnectedError] that matches [ErrReconnect] when the
// attempts are used up, otherwise with a *[ConnectionError].
func (s *Socket) OnConnectError(f func(err error)) (off func()) {
	return s.watchers.connectError.add(f)
}

// OnError adds a function that is called with what went wrong where no call returns it: errors and panics of handlers,
// events that could not be sent after all. It is told as long as it is there when the turn of the error comes, which is
// after the handlers of what came before. Without such a function errors are logged.
func (s *Socket) OnError(f func(err error)) (off func()) { return s.watchers.failure.add(f) }

// report lets the functions of OnError know of an error, after the handlers of what came before.
func (s *Socket) report(err error) { s.queue.Tell(func() { s.reportNow(err) }) }

func (s *Socket) reportNow(err error) {
	told := s.watchers.failure.each(s.guardedLog, func(f func(error)) { f(err) })
	if !told {
		s.m.opts.Logger.Warn("socket error", "module", "sioclient", "target", s.m.target, "namespace", s.nsp, "error", err)
	}
}

// guarded runs a function of the program. A panic goes to OnError.
func (s *Socket) guarded(f func()) {
	if err := event.Guard(func() error { f(); return nil }); err != nil {
		s.reportNow(err)
	}
}

// guardedLog is guarded for the functions of OnError themselves.
func (s *Socket) guardedLog(f func()) {
	if err := event.Guard(func() error { f(); return nil }); err != nil {
		s.m.opts.Logger.Error("OnError panicked", "module", "sioclient", "namespace", s.nsp, "error", err)
	}
}
