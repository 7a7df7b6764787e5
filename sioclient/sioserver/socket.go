package sioserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/token"
)

// Socket is one client in one namespace. Its methods may be called from any goroutine.
//
// Its handlers run one at a time, in the order of the events, on a goroutine that exists while there is something to
// handle; so they may block, and wait for the client's acknowledgements.
type Socket struct {
	n         *Namespace
	conn      *conn
	id        string
	pid       string // the client's proof if it comes back; a secret
	auth      json.RawMessage
	listeners event.Listeners
	outgoing  event.Listeners
	hooks     atomic.Pointer[socketHooks]
	acks      event.Acks
	queue     *event.Queue
	handling  sync.Mutex // held while handlers run on the goroutine that reads: see Options.InlineHandlers
	index     int        // place in the namespace; guarded by its lock
	state     atomic.Int32
	recovered bool
	admitted  bool        // used by arrive alone
	reserved  atomic.Bool // whether the namespace waits for it
	start     string      // offset when it joined
	detached  sync.Once

	mu    sync.Mutex // guards what follows
	rooms map[string]*membership
	data  any
	last  string // offset of the last packet that was queued
	lost  string // offset of the first one that could not be
	end   string // offset when it left
	done  chan struct{}
	why   sioerr.Reason
}

// States of a socket.
const (
	stateJoining int32 = iota // middlewares decide
	stateConnected
	stateLeft
)

func newSocket(n *Namespace, c *conn, auth json.RawMessage) *Socket {
	s := &Socket{n: n, conn: c, auth: auth}
	s.reserved.Store(true)
	switch {
	case c.session.Protocol() != 3:
		s.id = token.New(15)
	case n.name == "/":
		s.id = c.session.ID()
	default:
		s.id = n.name + "#" + c.session.ID()
	}
	s.queue = event.NewQueue(event.Limits(n.server.opts.EventQueue), s.handle)
	n.server.work.Add(1)
	return s
}

// ID returns the id, which is also the name of a room that only this socket is in.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace.
func (s *Socket) Namespace() *Namespace { return s.n }

// Recovered reports whether the client came back to a socket that it had lost, with id, rooms and data.
func (s *Socket) Recovered() bool { return s.recovered }

// Connected reports whether the client is in the namespace.
func (s *Socket) Connected() bool { return s.connected() }

func (s *Socket) connected() bool {
	if s.state.Load() == stateJoining {
		// It may be about to be let in; then what comes now is for it.
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	return s.state.Load() == stateConnected
}

func (s *Socket) left() bool { return s.state.Load() == stateLeft }

// Done returns a channel that is closed when the socket has left the namespace, or was not let in.
func (s *Socket) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.left() {
			close(s.done)
		}
	}
	return s.done
}

// Transport returns engineio.Polling or engineio.WebSocket.
func (s *Socket) Transport() string { return s.conn.session.Transport() }

// ConnID returns an id of the connection, which is the same for all sockets on it. It is no secret, unlike the id of the
// Engine.IO session that it is made from.
func (s *Socket) ConnID() string {
	sum := sha256.Sum256([]byte(s.conn.session.ID()))
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// Protocol returns the revision of Engine.IO that the client speaks: 4, or 3 for clients of Socket.IO 2.
func (s *Socket) Protocol() int { return s.conn.session.Protocol() }

// Handshake returns what the client said when it connected. It must not be changed.
func (s *Socket) Handshake() *Handshake {
	e := s.conn.session.Handshake()
	h := &Handshake{
		Header: e.Header, Query: e.Query(), URL: e.URL.RequestURI(), Address: e.RemoteAddr, Time: e.Time,
		Secure: e.TLS != nil, CrossDomain: e.Header.Get("Origin") != "", Auth: s.auth,
	}
	if host, _, err := net.SplitHostPort(e.RemoteAddr); err == nil {
		h.Address = host
	}
	if h.Auth == nil {
		h.Auth = noAuth
	}
	return h
}

// Data returns what SetData was given last, nil at first. After a recovery of a client that was on another node before, it
// is a json.RawMessage: see [Update].
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData attaches a value of the program's to the socket. It is kept over connection state recovery, and other nodes
// see it, as JSON, in [Namespace.FetchSockets].
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	s.data = v
	s.mu.Unlock()
	s.observe(func(o *Observer) {
		if o.Updated != nil && s.connected() {
			o.Updated(s)
		}
	})
}

// Update calls f with the data of a socket, which has the type *T and is made if there is none or it is of another type.
// Data that came from another node as JSON is decoded first. Calls for one socket do not overlap; f must not use the
// socket.
func Update[T any](s *Socket, f func(*T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.data.(*T)
	if !ok {
		data = new(T)
		if raw, ok := s.data.(json.RawMessage); ok && json.Unmarshal(raw, data) != nil {
			data = new(T) // it is of another type
		}
		s.data = data
	}
	f(data)
}

// Rooms returns the rooms that the socket is in, first the one named by its id.
func (s *Socket) Rooms() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{s.id}, s.roomNames()...)
}

func (s *Socket) roomNames() []string {
	names := make([]string, 0, len(s.rooms))
	for name := range s.rooms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Join adds the socket to rooms. After it has left the namespace, it does nothing.
func (s *Socket) Join(rooms ...string) {
	for _, name := range rooms {
		if s.joinRoom(name) {
			s.observe(func(o *Observer) {
				if o.Joined != nil {
					o.Joined(s, name)
				}
			})
		}
	}
}

func (s *Socket) joinRoom(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == s.id || s.rooms[name] != nil || s.left() {
		return false
	}
	if s.rooms == nil {
		s.rooms = make(map[string]*membership)
	}
	s.rooms[name] = s.n.rooms.join(name, s)
	return true
}

// Leave takes the socket out of rooms. The room named by its id it cannot leave.
func (s *Socket) Leave(rooms ...string) {
	for _, name := range rooms {
		if s.leaveRoom(name) {
			s.observe(func(o *Observer) {
				if o.Left != nil {
					o.Left(s, name)
				}
			})
		}
	}
}

func (s *Socket) leaveRoom(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.rooms[name]
	if m == nil || s.left() {
		return false
	}
	s.n.rooms.leave(name, m)
	delete(s.rooms, name)
	return true
}

// Info describes the socket as it is now.
func (s *Socket) Info() SocketInfo {
	info := SocketInfo{ID: s.id, Handshake: s.Handshake(), Rooms: s.Rooms()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data == nil {
		info.Data = noAuth
		return info
	}
	data, err := json.Marshal(s.data)
	if err != nil {
		s.n.server.log.Warn("data of a socket is no JSON", "module", "sioclient", "error", err)
		data = noAuth
	}
	info.Data = data
	return info
}
