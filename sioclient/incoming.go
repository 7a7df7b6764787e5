package sioclient

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// maxEarly is what may wait of the events that come before the server has confirmed a namespace: those that were missed,
// in a recovery, or those of a connect handler. What still waits for handlers counts, since they join it all at once.
var maxEarly = event.Limits{Messages: 100_000, Bytes: 64 << 20}

var errEarly = errors.New("too much before the namespace was confirmed")

// handle gets a packet from the server; what it holds is valid until the return.
func (l *link) handle(p *packet.Packet, size int) {
	switch p.Type {
	case packet.Event:
		l.event(p, size)
	case packet.Ack:
		l.ack(p)
	case packet.Connect:
		l.confirmed(p)
	case packet.Disconnect:
		l.disconnect(p)
	case packet.ConnectError:
		l.refused(p)
	}
}

func (l *link) event(p *packet.Packet, size int) {
	m := l.m
	m.mu.Lock()
	s := m.sockets[p.Namespace]
	if s == nil || !s.active || l.members[p.Namespace] == outside {
		m.mu.Unlock()
		return
	}
	if s.link != l {
		defer m.mu.Unlock()
		waiting, bytes := s.queue.Held()
		if len(s.early)+waiting >= m.early.Messages || s.earlyBytes+bytes+size > m.early.Bytes {
			s.pid, s.offset = "", ""
			l.fail(ParseError, sioerr.Packet("receive", errEarly.Error(), nil))
			return
		}
		s.early = append(s.early, earlyEvent{name: p.Name, args: p.Args.Clone(), id: p.ID, hasID: p.HasID, size: size})
		s.earlyBytes += size
		return
	}
	e := s.arrived(p.Name, p.Args.Clone(), p.ID, p.HasID)
	m.mu.Unlock()
	m.counters.received.Add(1)
	if !s.queue.Push(e, size, l.conn.Done()) {
		s.queue.Force(e, size) // it is the last one of this connection
	}
}

// earlyEvent is an event that came before its namespace was confirmed.
type earlyEvent struct {
	name  string
	args  packet.Args
	id    uint64
	hasID bool
	size  int
}

// arrived makes an event of what came on the socket's link, and remembers its offset. The caller holds the lock.
func (s *Socket) arrived(name string, args packet.Args, id uint64, hasID bool) *Event {
	if hasID {
		return event.NewAcked(name, args, s.acker, id)
	}
	if s.pid != "" {
		if offset, ok := args.LastString(); ok {
			s.offset = offset
			if s.opts.StripOffset {
				args = args.Slice(0, args.Len()-1)
			}
		}
	}
	return event.New(name, args)
}

func (l *link) ack(p *packet.Packet) {
	if !p.HasID {
		return
	}
	m := l.m
	m.mu.Lock()
	s := m.sockets[p.Namespace]
	ours := s != nil && s.link == l
	m.mu.Unlock()
	if ours {
		s.acks.Resolve(p.ID, p.Args)
	}
}

// confirmation is what a server sends with CONNECT.
type confirmation struct {
	SID string `json:"sid"`
	PID string `json:"pid"`
}

func (l *link) confirmed(p *packet.Packet) {
	var after deferred
	l.m.mu.Lock()
	l.confirm(p, &after)
	l.m.mu.Unlock()
	after.run()
}

// confirm is confirmed with the lock held.
func (l *link) confirm(p *packet.Packet, after *deferred) {
	m := l.m
	name := p.Namespace
	if l.old {
		name, _, _ = cutQuery(name)
	}
	if l.members[name] == joined {
		return
	}
	var c confirmation
	if l.old {
		c.SID = oldID(name, l.conn.ID())
		if name == "/" {
			l.main, l.left = true, false
		}
	} else if err := json.Unmarshal(p.Data, &c); len(p.Data) == 0 || err != nil || c.SID == "" {
		l.oldServer(name, after)
		return
	}
	if m.version == VersionAuto {
		m.version = Version4
		if l.old {
			m.version = Version3
		}
	}
	m.settled = true
	s := m.sockets[name]
	if s == nil || !s.active {
		if l.old && name == "/" {
			return // the server lets nobody into another namespace who has left that one
		}
		delete(l.members, name)
		l.control(&packet.Packet{Type: packet.Disconnect, Namespace: name})
		return
	}
	if l.members[name] != asked {
		return // it was not asked for, or not yet
	}
	l.members[name] = joined
	s.confirmed(l, c)
}

// oldID returns the id that a server of Socket.IO 2 gives a socket, from that of the transport.
func oldID(namespace, engineID string) string {
	if namespace == "/" {
		return engineID
	}
	return namespace + "#" + engineID
}

func cutQuery(namespace string) (name, query string, ok bool) {
	before, after, ok := bytes.Cut([]byte(namespace), []byte("?"))
	return string(before), string(after), ok
}

// oldServer handles a confirmation without an id, as servers of Socket.IO 2 send it. The caller holds the lock.
func (l *link) oldServer(name string, after *deferred) {
	m := l.m
	if m.version == VersionAuto {
		m.version = Version3
		l.fail(ParseError, errOldServer)
		return
	}
	if s := m.sockets[name]; s != nil && s.active {
		delete(l.members, name)
		s.abandon(&ConnectionError{
			Info: errkit.Info{
				Class: ErrConnection, Op: "connect", Target: m.target, Kind: errkit.Unsupported, Err: errOldServer,
			},
			Namespaces: []string{name},
		}, after)
		m.stopIfIdle()
	}
}

// disconnect ends the membership in one namespace. Others stay, also with Socket.IO 2 when it is the main one.
func (l *link) disconnect(p *packet.Packet) {
	m := l.m
	var after deferred
	m.mu.Lock()
	was := l.members[p.Namespace]
	delete(l.members, p.Namespace)
	if p.Namespace == "/" {
		l.main, l.left = false, true
	}
	switch s := m.sockets[p.Namespace]; {
	case s == nil:
	case s.link == l:
		var cause error
		if len(p.Data) > 0 { // python-socketio confirms first and refuses then
			cause = refusal(m.target, s.nsp, p.Data)
		}
		s.kicked(cause, &after)
	case was == asked && s.active:
		s.abandon(refusal(m.target, s.nsp, p.Data), &after)
	}
	m.stopIfIdle()
	m.mu.Unlock()
	after.run()
}

func (l *link) refused(p *packet.Packet) {
	m := l.m
	var after deferred
	m.mu.Lock()
	for _, s := range m.all() {
		// Socket.IO 2 lets nobody into any namespace who is not in the main one.
		if s.nsp != p.Namespace && !(l.old && p.Namespace == "/" && l.members[s.nsp] == asked) {
			continue
		}
		err := refusal(m.target, s.nsp, p.Data)
		if s.link == l && l.old { // an error that a handler of the server reports
			s.report(err)
			continue
		}
		was := l.members[s.nsp]
		delete(l.members, s.nsp)
		switch {
		case s.link == l:
			s.kicked(err, &after)
		case s.active && was == asked:
			s.abandon(err, &after)
		}
	}
	m.stopIfIdle()
	m.mu.Unlock()
	after.run()
}

// refusal reads the payload of CONNECT_ERROR, or of a DISCONNECT that refuses: an object with message and data, a text
// (python-socketio, Socket.IO 2), something else, or nothing.
func refusal(target, namespace string, payload json.RawMessage) *ConnectionRefusedError {
	e := &ConnectionRefusedError{}
	e.Info = errkit.Info{Class: ErrConnectionRefused, Op: "connect", Target: target}
	e.Namespaces = []string{namespace}
	if len(payload) == 0 {
		return e
	}
	var object struct {
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	switch {
	case json.Unmarshal(payload, &e.Message) == nil:
	case json.Unmarshal(payload, &object) == nil && object.Message != nil:
		e.Message, e.Data = *object.Message, object.Data
	default:
		e.Data = bytes.Clone(payload)
	}
	return e
}
