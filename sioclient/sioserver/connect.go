package sioserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/token"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// join lets a client into the namespace that was found for it, if one was.
func (c *conn) join(n *Namespace, name string, auth json.RawMessage) {
	for n != nil && !n.reserve() { // it is being removed at this moment: there may be a new one
		if n.parent == nil {
			return // the server is closing
		}
		n = c.server.create(name, n.parent, false)
	}
	if n == nil {
		if c.vacate(name) {
			c.refuse(name, invalidNamespace)
		}
		return
	}
	<-n.ready // another client may have called it into being at this moment
	s := newSocket(n, c, auth)
	if !c.settle(name, s) {
		s.detach(sioerr.TransportClose, nil)
		return
	}
	if c.server.opts.InlineHandlers {
		s.handling.Lock()
		defer s.handling.Unlock()
		s.arrive()
		return
	}
	s.queue.Do(s.arrive)
}

// arrive decides on the client, and runs the handlers for those that are let in. It runs before anything else of the
// socket does.
func (s *Socket) arrive() {
	middlewares := s.n.currentHooks().middlewares
	var ctx context.Context
	if len(middlewares) > 0 || s.n.session != nil {
		ctx = s.conn.context()
	}
	if s.n.session != nil && !s.n.server.opts.Recovery.RunMiddlewares && s.recover(ctx) {
		s.begin()
		return
	}
	if !s.pass(ctx, middlewares) {
		return
	}
	if s.n.session == nil || !s.n.server.opts.Recovery.RunMiddlewares || !s.recover(ctx) {
		s.enter()
	}
	s.begin()
}

// pass asks the middlewares.
func (s *Socket) pass(ctx context.Context, middlewares []Middleware) bool {
	for _, m := range middlewares {
		if s.left() {
			return false
		}
		if err := event.Guard(func() error { return m(ctx, s) }); err != nil {
			s.refused(err)
			return false
		}
	}
	return true
}

// refused tells the client what it may know of the error.
func (s *Socket) refused(err error) {
	r := &refusal{Message: "Connection rejected by server"}
	if e, ok := errors.AsType[*sioerr.ConnectionRefusedError](err); ok {
		r = &refusal{Message: e.Message, Data: e.Data}
	} else {
		s.n.server.report("middleware", err)
	}
	if s.left() || s.conn.gone() {
		return
	}
	s.detach(sioerr.ServerNamespaceDisconnect, err)
	s.conn.drop(s)
	s.conn.refuse(s.n.name, r)
}

// enter lets the socket in: it becomes a member of the namespace, the client is told, and then the handlers run.
func (s *Socket) enter() {
	if s.n.session == nil {
		s.admit(nil)
		return
	}
	s.n.session.Attach(func(offset string) {
		if s.Protocol() != 3 { // clients that cannot come back
			s.pid = token.New(18)
		}
		s.start = offset
		s.admit(nil)
	})
}

// admit adds the socket to the namespace and confirms that, after what the client missed. Nothing that is broadcast
// gets in between.
func (s *Socket) admit(missed []*Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != stateJoining || s.conn.gone() {
		return false
	}
	s.n.add(s)
	for _, p := range missed {
		msgs, err := p.messages(&Target{})
		if err != nil {
			continue // not reached: it was encoded before
		}
		if sent, _ := s.conn.send(msgs, false); sent {
			s.last = p.offset
		} else if s.lost == "" {
			s.lost = p.offset
		}
	}
	confirm := &packet.Packet{Type: packet.Connect, Namespace: s.n.name}
	if s.conn.parser != packet.Revision4 {
		confirm.Data = confirmation(s.id, s.pid)
	}
	_ = s.conn.control(confirm) // if the connection is ending, so will the socket
	s.state.Store(stateConnected)
	s.admitted = true
	return true
}

// begin runs the connect handlers of a socket that was let in.
func (s *Socket) begin() {
	s.release()
	if !s.admitted {
		return // the connection is gone
	}
	s.conn.joined()
	s.observe(func(o *Observer) {
		if o.Connected != nil {
			o.Connected(s)
		}
	})
	for _, h := range s.n.currentHooks().connect {
		err := event.Guard(func() error {
			h(s)
			return nil
		})
		if err != nil {
			s.fail(nil, err)
		}
	}
}

// confirmation is the payload with which a CONNECT is confirmed. Ids need no escaping.
func confirmation(sid, pid string) json.RawMessage {
	b := append([]byte(`{"sid":"`), sid...)
	if pid != "" {
		b = append(append(b, `","pid":"`...), pid...)
	}
	return append(b, `"}`...)
}

// queryAuth is the query of a namespace, with which clients of revision 4 prove themselves, as an object.
func queryAuth(query string) json.RawMessage {
	values, _ := url.ParseQuery(query) // what cannot be read is left out
	object := make(map[string]any, len(values))
	for k, v := range values {
		object[k] = v
		if len(v) == 1 {
			object[k] = v[0]
		}
	}
	raw, err := packet.Marshal(object)
	if err != nil {
		return nil // not reached: strings are encoded
	}
	return raw
}
