package sioserver

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Adapter spreads what one namespace does over all nodes of a cluster. Each namespace has its own, made by
// [Options.Adapter]; without one, a server is its own whole cluster.
//
// An adapter gets what the program of its node does and has two duties: to let the other nodes do it too, and to let
// its own node do it, by the method of the same name of its [AdapterHost]. When and in which order is its own choice:
// one that numbers packets in a shared log gives them to its host as they come back from there. What the adapters of
// other nodes ask for goes to the host in the same way. Operations whose Target is Local must stay on this node.
//
// Methods are called from any goroutine. Broadcasts that one goroutine makes after another must be delivered in that
// order. A Broadcast must not wait for the network; it may queue what it is given, bounded, and fail with an error
// that matches [sioclient.ErrBufferFull]. Packets and targets must not be changed.
//
// Where ctx has no deadline, the adapter bounds by itself how long it waits for other nodes. What an adapter cannot do
// fails with an error that matches [sioclient.ErrNotSupported].
type Adapter interface {
	// Broadcast delivers a packet to the sockets that the target means. An error says that it went nowhere.
	Broadcast(p *Packet, to *Target) error

	// BroadcastWithAck delivers a packet that each recipient is to acknowledge, and waits until all have, or ctx ends.
	// It calls count with the number of recipients of each node, one node after the other, and answer for each
	// acknowledgement; count and answer may be called from any goroutine, also at the same time, but not after the
	// return. It returns nil if all have answered, ctx's error if it ended first, and another error if a recipient or
	// a node went away; what answered by then counts.
	BroadcastWithAck(ctx context.Context, p *Packet, to *Target, count func(clients int), answer func(packet.Args)) error

	// FetchSockets returns the sockets of all nodes that the target means. With an error there may be some of them.
	FetchSockets(ctx context.Context, to *Target) ([]SocketInfo, error)

	// SocketsJoin lets sockets join rooms.
	SocketsJoin(to *Target, rooms []string) error

	// SocketsLeave lets sockets leave rooms.
	SocketsLeave(to *Target, rooms []string) error

	// DisconnectSockets disconnects sockets, with closeConn the connections below them too.
	DisconnectSockets(to *Target, closeConn bool) error

	// ServerSideEmit hands an event to the listeners of this namespace on all other nodes. With reply, it waits until
	// each of them has acknowledged, or ctx ends, and calls reply with each acknowledgement.
	ServerSideEmit(ctx context.Context, p *Packet, reply func(packet.Args)) error

	// Close ends the adapter. Nothing is called after it. What waits ends with an error.
	Close() error
}

// RoomWatcher is implemented by an adapter that wants to know which rooms have members on its node. A room is created
// by its first member and deleted with its last. The rooms that sockets are alone in, named by their ids, are
// reported too.
//
// Calls for one room come in order. They come while the room is locked: they must neither wait nor use the host.
type RoomWatcher interface {
	RoomCreated(room string)
	RoomDeleted(room string)
}

// SessionAdapter is an Adapter that keeps packets and what disconnected sockets leave behind, so that clients can
// recover their connection state. [Options.Recovery] needs one.
//
// Its Broadcast gives each packet that is not volatile an offset (see [Packet.WithOffset]) before the host delivers it.
// Offsets grow in the order in which the host delivers.
type SessionAdapter interface {
	Adapter

	// Attach calls attach, once, with the offset of the last packet that the host was given, at a moment when it is
	// not given one. In it the host adds a new socket, or takes one out: what is delivered later has a greater offset.
	Attach(attach func(offset string))

	// Persist keeps a session. It must not wait for the network.
	Persist(s *Session)

	// Restore takes out the session that was persisted under its private id and calls attach with it and with the
	// packets that were delivered after the offset and are meant for it, at a moment when the host is not given a
	// packet. Without an offset, the packets are those since Session.Start. A client whose offset is Session.Last, both
	// possibly empty, has got all that was queued for it: its packets are those from Session.Missed on, or those after
	// Session.End, so that it can be recovered after a long silence. A session can be taken out once. If there
	// is none, if it is too old, or if packets after the offset are no longer known, Restore does not call attach and
	// returns false, otherwise what attach returned; after false the client starts anew.
	Restore(ctx context.Context, privateID, offset string, attach func(s *Session, missed []*Packet) bool) bool
}

// Session is what a socket leaves behind for its client to come back to.
type Session struct {
	ID        string   // of the socket
	PrivateID string   // what the client proves itself with; a secret
	Rooms     []string // without the one named by the id
	Data      any      // see Socket.SetData; a json.RawMessage if it comes from another node
	Start     string   // offset at the moment at which the socket connected first
	Last      string   // offset of the last packet that was queued for it, "" if there was none
	Missed    string   // offset of the first packet that could not be queued for it, "" if all could
	End       string   // offset at the moment at which it left
}

// Meant reports whether a packet with this target is meant for the session.
func (s *Session) Meant(to *Target) bool {
	in := func(room string) bool { return room == s.ID || slices.Contains(s.Rooms, room) }
	return (len(to.Rooms) == 0 || slices.ContainsFunc(to.Rooms, in)) && !slices.ContainsFunc(to.Except, in)
}

// Target says which sockets of a namespace are meant, and how they are sent to.
type Target struct {
	Rooms      []string      // members of any of them; none: all sockets
	Except     []string      // but not members of these
	Local      bool          // of this node alone
	Volatile   bool          // a packet may be dropped for a client that is not ready for it
	NoCompress bool          // not worth compressing
	Single     bool          // one acknowledgement is enough
	Timeout    time.Duration // for acknowledgements and answers of other nodes
}

// SocketInfo describes a socket, of this node or of another.
type SocketInfo struct {
	ID        string          `json:"id"`
	Handshake *Handshake      `json:"handshake"`
	Rooms     []string        `json:"rooms"`
	Data      json.RawMessage `json:"data"`
}

// AdapterHost is the namespace that an adapter works for, on its own node. Its methods may be called from any
// goroutine. Those that deliver only queue: they do not wait for clients.
type AdapterHost struct{ n *Namespace }

// Namespace returns the name of the namespace.
func (h *AdapterHost) Namespace() string { return h.n.name }

// Logger returns the logger of the server.
func (h *AdapterHost) Logger() *slog.Logger { return h.n.server.log }

// Recovery returns how long sessions are to be kept, and whether at all.
func (h *AdapterHost) Recovery() (limits RecoveryOptions, enabled bool) {
	if h.n.server.opts.Recovery == nil {
		return RecoveryOptions{}, false
	}
	return *h.n.server.opts.Recovery, true
}

// HasRoom reports whether a room has members on this node.
func (h *AdapterHost) HasRoom(room string) bool {
	return h.n.socket(room) != nil || h.n.rooms.has(room)
}

// Rooms returns the rooms that have members on this node, with those named by the ids of sockets.
func (h *AdapterHost) Rooms() []string {
	names := h.n.rooms.names()
	for _, s := range h.n.Sockets() {
		names = append(names, s.id)
	}
	return names
}

// Broadcast delivers a packet on this node.
func (h *AdapterHost) Broadcast(p *Packet, to *Target) error { return h.n.deliver(p, to) }

// BroadcastWithAck delivers a packet on this node and collects the acknowledgements: see [Adapter].
func (h *AdapterHost) BroadcastWithAck(ctx context.Context, p *Packet, to *Target, count func(int), answer func(packet.Args)) error {
	return h.n.deliverWithAck(ctx, p, to, count, answer)
}

// FetchSockets describes sockets of this node.
func (h *AdapterHost) FetchSockets(to *Target) []SocketInfo {
	r := h.n.selectSockets(to)
	defer r.release()
	infos := make([]SocketInfo, len(r.sockets))
	for i, s := range r.sockets {
		infos[i] = s.Info()
	}
	return infos
}

// SocketsJoin lets sockets of this node join rooms.
func (h *AdapterHost) SocketsJoin(to *Target, rooms []string) {
	r := h.n.selectSockets(to)
	defer r.release()
	for _, s := range r.sockets {
		s.Join(rooms...)
	}
}

// SocketsLeave lets sockets of this node leave rooms.
func (h *AdapterHost) SocketsLeave(to *Target, rooms []string) {
	r := h.n.selectSockets(to)
	defer r.release()
	for _, s := range r.sockets {
		s.Leave(rooms...)
	}
}

// DisconnectSockets disconnects sockets of this node.
func (h *AdapterHost) DisconnectSockets(to *Target, closeConn bool) {
	r := h.n.selectSockets(to)
	defer r.release()
	for _, s := range r.sockets {
		s.Disconnect(closeConn)
	}
}

// ServerSideEvent hands an event of another node to the listeners of the namespace. With a reply that is not nil, it
// is what their acknowledgement goes to, at most once.
func (h *AdapterHost) ServerSideEvent(p *Packet, reply func(packet.Args)) {
	h.n.serverSideEvent(p, reply)
}
