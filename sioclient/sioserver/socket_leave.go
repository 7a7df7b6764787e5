package sioserver

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Disconnect takes the client out of the namespace; the client does not come back by itself. With closeConn it is taken
// out of all namespaces, and the connection is closed after what waits was sent. In a middleware, Disconnect drops the
// client without an answer.
func (s *Socket) Disconnect(closeConn bool) {
	if !closeConn {
		s.expel()
		return
	}
	for _, m := range s.conn.list() {
		if m.socket != nil {
			m.socket.expel()
		}
	}
	s.conn.end(sioerr.ServerNamespaceDisconnect, nil)
}

// expel takes the client out of one namespace.
func (s *Socket) expel() {
	if s.connected() {
		_ = s.conn.control(&packet.Packet{Type: packet.Disconnect, Namespace: s.n.name}) // or it is gone already
	}
	s.conn.drop(s)
	s.detach(sioerr.ServerNamespaceDisconnect, nil)
}

// detach ends the socket: nothing reaches it any more, its rooms lose it, calls end, and the handlers are told. Who calls
// it at the same time waits until all of this, but for the handlers, is done.
func (s *Socket) detach(reason sioerr.Reason, err error) {
	s.detached.Do(func() {
		was := s.stop(reason)
		s.acks.Close(&sioerr.DisconnectedError{
			Info:   errkit.Info{Class: sioerr.ErrDisconnected, Op: "call", Target: s.n.name, Err: err},
			Reason: reason,
		})
		if was == stateConnected {
			s.persist(reason)
			s.n.remove(s)
		}
		rooms := s.leaveAll()
		s.release()
		if was != stateConnected {
			s.run(s.finish)
			return
		}
		s.run(func() {
			s.observe(func(o *Observer) { s.observeEnd(o, rooms, reason) })
			s.farewell(reason, err)
		})
	})
}

// stop lets nothing reach the socket any more, and returns the state it was in.
func (s *Socket) stop(reason sioerr.Reason) (was int32) {
	stop := func(offset string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		was = s.state.Swap(stateLeft)
		s.why, s.end = reason, offset
		if s.done != nil {
			close(s.done)
		}
	}
	if s.n.session == nil {
		stop("")
	} else {
		s.n.session.Attach(stop)
	}
	return was
}

// leaveAll takes the socket out of the rooms. Its own list of them stays, for those who listen to the end.
func (s *Socket) leaveAll() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := s.roomNames()
	for name, m := range s.rooms {
		s.n.rooms.leave(name, m)
	}
	return names
}

func (s *Socket) observeEnd(o *Observer, rooms []string, reason sioerr.Reason) {
	if o.Left != nil {
		for _, room := range rooms {
			o.Left(s, room)
		}
	}
	if o.Disconnected != nil {
		o.Disconnected(s, reason)
	}
}

// farewell tells the handlers of the end, after the events that came before it.
func (s *Socket) farewell(reason sioerr.Reason, err error) {
	hooks := s.currentHooks()
	s.tell(hooks.disconnecting, reason, err)
	s.mu.Lock()
	s.rooms = nil
	s.mu.Unlock()
	s.tell(s.currentHooks().disconnect, reason, err)
	s.finish()
}

func (s *Socket) tell(handlers []func(sioerr.Reason, error), reason sioerr.Reason, err error) {
	for _, h := range handlers {
		guarded := event.Guard(func() error {
			h(reason, err)
			return nil
		})
		if guarded != nil {
			s.fail(nil, guarded)
		}
	}
}

// finish is the end of what the server waits for.
func (s *Socket) finish() {
	s.queue.Close()
	s.n.server.work.Done()
}

// release says that the socket was let in, or will not be.
func (s *Socket) release() {
	if s.reserved.CompareAndSwap(true, false) {
		s.n.unreserve()
	}
}
