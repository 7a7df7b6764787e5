package sioserver

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Middleware decides whether a client that asks for a namespace is let in. The socket can be given data and rooms in it
// already. What sioclient.Refuse returns is told to the client; of another error, and of a panic, it is told only that
// it was refused. ctx ends with the connection.
type Middleware func(ctx context.Context, s *Socket) error

// Namespace is one channel of communication that clients can join, with its own sockets, rooms and handlers. Its methods
// may be called from any goroutine.
type Namespace struct {
	name    string
	server  *Server
	parent  *Parent // of a dynamic namespace
	host    *AdapterHost
	adapter Adapter
	session SessionAdapter // the adapter, if clients can recover
	rawArgs bool           // whether packets are needed as arguments, not only encoded
	rooms   roomIndex
	events  event.Listeners // for events of other nodes
	ackID   atomic.Uint64   // the next id; shared by all sockets, so that a broadcast has one
	ready   chan struct{}   // closed once Options.OnNamespace has returned

	hooks atomic.Pointer[hooks]

	mu       sync.RWMutex // guards what follows
	byID     map[string]*Socket
	byPID    map[string]*Socket // by private id
	all      []*Socket          // the same sockets; each knows its place
	joining  int                // sockets that are being let in
	finished bool               // removed or shut down: nobody is let in any more
}

// hooks are the middlewares and listeners of a namespace. They are replaced, never changed.
type hooks struct {
	middlewares []Middleware
	connect     []func(*Socket)
}

// Name returns the name, which begins with a slash.
func (n *Namespace) Name() string { return n.name }

// Server returns the server of the namespace.
func (n *Namespace) Server() *Server { return n.server }

// Use adds a middleware, behind those that are there. It sees clients that come from then on.
func (n *Namespace) Use(m Middleware) {
	n.hook(func(h *hooks) { h.middlewares = append(h.middlewares, m) })
}

// OnConnect adds a handler for every socket that has joined. It runs after the client was told, in the order in which
// all handlers of that socket run, and before any of its events is handled: listeners are best added in it.
func (n *Namespace) OnConnect(f func(*Socket)) {
	n.hook(func(h *hooks) { h.connect = append(h.connect, f) })
}

func (n *Namespace) hook(add func(*hooks)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := n.currentHooks().clone()
	add(&next)
	n.hooks.Store(&next)
}

func (n *Namespace) currentHooks() hooks {
	if h := n.hooks.Load(); h != nil {
		return *h
	}
	return hooks{}
}

func (h hooks) clone() hooks {
	return hooks{middlewares: slices.Clip(h.middlewares), connect: slices.Clip(h.connect)}
}

// Sockets returns the sockets of this node.
func (n *Namespace) Sockets() []*Socket { return n.appendSockets(nil) }

// Len returns how many sockets there are on this node.
func (n *Namespace) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.all)
}

// Socket returns the socket of this node with that id, nil if there is none.
func (n *Namespace) Socket(id string) *Socket { return n.socket(id) }

// Emit sends an event to all sockets: see [Broadcast.Emit].
func (n *Namespace) Emit(event string, args ...any) error { return n.everyone().Emit(event, args...) }

// To means the sockets in any of the rooms.
func (n *Namespace) To(rooms ...string) Broadcast { return n.everyone().To(rooms...) }

// In is To.
func (n *Namespace) In(rooms ...string) Broadcast { return n.To(rooms...) }

// Except means all sockets but those in any of the rooms.
func (n *Namespace) Except(rooms ...string) Broadcast { return n.everyone().Except(rooms...) }

// Local means the sockets of this node alone.
func (n *Namespace) Local() Broadcast { return n.everyone().Local() }

// Volatile means all sockets, with events that may be dropped: see [Broadcast.Volatile].
func (n *Namespace) Volatile() Broadcast { return n.everyone().Volatile() }

// Compress means all sockets: see [Broadcast.Compress].
func (n *Namespace) Compress(on bool) Broadcast { return n.everyone().Compress(on) }

// Timeout means all sockets: see [Broadcast.Timeout].
func (n *Namespace) Timeout(d time.Duration) Broadcast { return n.everyone().Timeout(d) }

// Call sends an event to all sockets and waits for their acknowledgements: see [Broadcast.Call].
func (n *Namespace) Call(ctx context.Context, event string, args ...any) ([]packet.Args, error) {
	return n.everyone().Call(ctx, event, args...)
}

// FetchSockets returns the sockets of all nodes: see [Broadcast.FetchSockets].
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.everyone().FetchSockets(ctx)
}

// SocketsJoin lets all sockets join rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.everyone().SocketsJoin(rooms...) }

// SocketsLeave lets all sockets leave rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.everyone().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets, with closeConn the connections below them too.
func (n *Namespace) DisconnectSockets(closeConn bool) error {
	return n.everyone().DisconnectSockets(closeConn)
}

func (n *Namespace) everyone() Broadcast { return Broadcast{over: n} }

func (n *Namespace) namespaces() []*Namespace { return []*Namespace{n} }

func (n *Namespace) socket(id string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.byID[id]
}

func (n *Namespace) appendSockets(dst []*Socket) []*Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return append(dst, n.all...)
}

// withPrivateID returns the socket of a client that may not know yet that its connection broke.
func (n *Namespace) withPrivateID(pid string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.byPID[pid]
}

// reserve keeps the namespace from being removed while a client is let in.
func (n *Namespace) reserve() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.finished {
		return false
	}
	n.joining++
	return true
}

// unreserve follows on every reserve, after the socket was added or refused.
func (n *Namespace) unreserve() {
	n.mu.Lock()
	n.joining--
	n.mu.Unlock()
	n.cleanUp()
}

// add lets a socket in.
func (n *Namespace) add(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.rooms.watch; w != nil && n.byID[s.id] == nil {
		w.RoomCreated(s.id)
	}
	n.byID[s.id] = s
	if s.pid != "" {
		n.byPID[s.pid] = s
	}
	s.index = len(n.all)
	n.all = append(n.all, s)
}

// remove lets a socket out. One that a recovery has put another into the place of leaves only its own traces.
func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	if n.byID[s.id] == s {
		delete(n.byID, s.id)
		if w := n.rooms.watch; w != nil {
			w.RoomDeleted(s.id)
		}
	}
	if n.byPID[s.pid] == s {
		delete(n.byPID, s.pid)
	}
	last := len(n.all) - 1
	moved := n.all[last]
	n.all[s.index] = moved
	moved.index = s.index
	n.all[last] = nil
	n.all = n.all[:last]
	n.mu.Unlock()
	n.cleanUp()
}

// finish closes the adapter of a namespace that is not needed any more.
func (n *Namespace) finish() error {
	n.mu.Lock()
	n.finished = true
	n.mu.Unlock()
	return n.adapter.Close()
}
