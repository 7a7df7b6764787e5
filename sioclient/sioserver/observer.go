package sioserver

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Observer is told what happens on a server, in all namespaces. Fields may be nil. The functions are called from many
// goroutines, in the midst of what they tell of: they must neither block nor use what they are told about beyond reading
// it. It is made for metrics and for the admin page.
type Observer struct {
	Opened       func()                                         // a connection
	Closed       func(reason Reason)                            // a connection
	Connected    func(s *Socket)                                // a socket has joined its namespace
	Updated      func(s *Socket)                                // its transport or its data has changed
	Disconnected func(s *Socket, reason Reason)                 // a socket has left its namespace
	Joined       func(s *Socket, room string)                   // a room
	Left         func(s *Socket, room string)                   // a room
	Received     func(s *Socket, e *Event)                      // an event of the client, before it is handled
	Sent         func(s *Socket, name string, args packet.Args) // an event was queued for the client
}

// observers are those of a server. The list is replaced, never changed.
type observers struct {
	mu   sync.Mutex // orders the changes
	list atomic.Pointer[[]*Observer]
}

// Observe adds an observer. The function that it returns removes it.
func (s *Server) Observe(o Observer) (off func()) {
	one := &o
	s.observe.change(func(list []*Observer) []*Observer { return append(slices.Clip(list), one) })
	return func() {
		s.observe.change(func(list []*Observer) []*Observer {
			return slices.DeleteFunc(slices.Clone(list), func(p *Observer) bool { return p == one })
		})
	}
}

func (l *observers) change(edit func([]*Observer) []*Observer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := edit(l.get())
	l.list.Store(&next)
}

func (l *observers) get() []*Observer {
	if list := l.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (s *Server) eachObserver(tell func(*Observer)) {
	for _, o := range s.observe.get() {
		tell(o)
	}
}

// observe tells the observers about a socket.
func (s *Socket) observe(tell func(*Observer)) { s.n.server.eachObserver(tell) }

// observed reports whether anyone is told.
func (s *Socket) observed() bool { return len(s.n.server.observe.get()) > 0 }
