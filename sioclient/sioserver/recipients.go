package sioserver

import "sync"

// recipients is the scratch space of one broadcast. It is pooled, and cleared so that it holds no socket back.
type recipients struct {
	sockets []*Socket
	out     []*Socket // who is excluded
	seen    map[*Socket]struct{}
	except  map[*Socket]struct{}
}

var recipientsPool = sync.Pool{New: func() any { return new(recipients) }}

func (r *recipients) release() {
	if cap(r.sockets) > 1<<16 || len(r.seen)+len(r.except) > 1<<16 {
		return
	}
	clear(r.sockets)
	r.sockets = r.sockets[:0]
	clear(r.out)
	r.out = r.out[:0]
	clear(r.seen)
	clear(r.except)
	recipientsPool.Put(r)
}

// selectSockets copies the sockets of this node that a target means out of the tables, each once, so that no lock is
// held while they are sent to. The caller releases the result.
func (n *Namespace) selectSockets(to *Target) *recipients {
	r := recipientsPool.Get().(*recipients)
	switch len(to.Rooms) {
	case 0:
		r.sockets = n.appendSockets(r.sockets)
	case 1:
		r.sockets = n.appendRoom(r.sockets, to.Rooms[0])
	default:
		n.selectUnion(r, to.Rooms)
	}
	if len(to.Except) > 0 {
		n.exclude(r, to.Except)
	}
	return r
}

// selectUnion collects the members of several rooms, each socket once.
func (n *Namespace) selectUnion(r *recipients, rooms []string) {
	for _, name := range rooms {
		r.sockets = n.appendRoom(r.sockets, name)
	}
	if r.seen == nil {
		r.seen = make(map[*Socket]struct{})
	}
	kept := r.sockets[:0]
	for _, s := range r.sockets {
		if _, ok := r.seen[s]; ok {
			continue
		}
		r.seen[s] = struct{}{}
		kept = append(kept, s)
	}
	clear(r.sockets[len(kept):])
	r.sockets = kept
}

// exclude takes the members of the rooms out. Most often that is one socket, the sender of what is broadcast.
func (n *Namespace) exclude(r *recipients, rooms []string) {
	out := r.out
	for _, name := range rooms {
		out = n.appendRoom(out, name)
	}
	r.out = out
	if len(out) == 0 {
		return
	}
	skip := func(s *Socket) bool { return s == out[0] }
	if len(out) > 1 {
		if r.except == nil {
			r.except = make(map[*Socket]struct{})
		}
		for _, s := range out {
			r.except[s] = struct{}{}
		}
		skip = func(s *Socket) bool { _, ok := r.except[s]; return ok }
	}
	kept := r.sockets[:0]
	for _, s := range r.sockets {
		if !skip(s) {
			kept = append(kept, s)
		}
	}
	clear(r.sockets[len(kept):])
	r.sockets = kept
}

// appendRoom appends the members of a room. The room named by the id of a socket has that socket as a member.
func (n *Namespace) appendRoom(dst []*Socket, name string) []*Socket {
	if own := n.socket(name); own != nil {
		dst = append(dst, own)
	}
	return n.rooms.appendMembers(dst, name)
}
