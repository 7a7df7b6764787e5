package admin

import (
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// commands lets a page change something.
func (a *Admin) commands(s *sioserver.Socket) {
	if a.opts.ReadOnly {
		return
	}
	s.On("emit", func(e *sioserver.Event) error {
		var nsp, filter, name string
		if err := e.Decode(&nsp, &filter, &name); err != nil || e.Args.Len() < 3 {
			return err
		}
		return a.on(nsp, filter, func(b sioserver.Broadcast) error { return b.Emit(name, rest(e.Args, 3)) })
	})
	s.On("join", func(e *sioserver.Event) error {
		var nsp, room, filter string
		if err := e.Decode(&nsp, &room, &filter); err != nil || e.Args.Len() < 2 {
			return err
		}
		return a.on(nsp, filter, func(b sioserver.Broadcast) error { return b.SocketsJoin(room) })
	})
	s.On("leave", func(e *sioserver.Event) error {
		var nsp, room, filter string
		if err := e.Decode(&nsp, &room, &filter); err != nil || e.Args.Len() < 2 {
			return err
		}
		return a.on(nsp, filter, func(b sioserver.Broadcast) error { return b.SocketsLeave(room) })
	})
	s.On("_disconnect", func(e *sioserver.Event) error {
		var nsp, filter string
		var closeConn bool
		if err := e.Decode(&nsp, &closeConn, &filter); err != nil || e.Args.Len() < 2 {
			return err
		}
		return a.on(nsp, filter, func(b sioserver.Broadcast) error { return b.DisconnectSockets(closeConn) })
	})
}

// rest are the arguments from the n-th on, for an event of their own.
func rest(args packet.Args, n int) packet.Args { return args.Slice(n, args.Len()) }

// on acts on the sockets that a page means: those in a room, or of that id, or, without a filter, all of a namespace.
// A namespace that does not exist is not made.
func (a *Admin) on(nsp, filter string, act func(sioserver.Broadcast) error) error {
	n := a.server.Lookup(nsp)
	if n == nil {
		return nil
	}
	b := n.To()
	if filter != "" {
		b = b.To(filter)
	}
	return act(b)
}
