package sioserver

import (
	"hash/maphash"
	"sync"
)

// roomShards is the number of parts of a room index. A power of two.
const roomShards = 16

// roomIndex is the rooms of one namespace with their members. Rooms are spread over shards with a lock each, so that
// a join in one room seldom waits for a broadcast in another. The room that every socket is alone in, named by its
// id, is not here: the namespace's table of sockets is that index.
type roomIndex struct {
	seed   maphash.Seed
	watch  RoomWatcher // told of the first and the last member of a room; may be nil
	shards [roomShards]roomShard
}

type roomShard struct {
	mu    sync.RWMutex
	rooms map[string]*room
}

// room keeps its members in a slice, because a broadcast walks over them; each knows its place, so that it can leave
// without a search.
type room struct {
	members []*membership
}

// membership is one socket's place in one room. Its index is guarded by the lock of the room's shard.
type membership struct {
	socket *Socket
	index  int
}

func (x *roomIndex) shard(name string) *roomShard {
	return &x.shards[maphash.String(x.seed, name)%roomShards]
}

// join adds a socket to a room that it is not in.
func (x *roomIndex) join(name string, s *Socket) *membership {
	m := &membership{socket: s}
	shard := x.shard(name)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	r := shard.rooms[name]
	if r == nil {
		if shard.rooms == nil {
			shard.rooms = make(map[string]*room)
		}
		r = new(room)
		shard.rooms[name] = r
		if x.watch != nil {
			x.watch.RoomCreated(name)
		}
	}
	m.index = len(r.members)
	r.members = append(r.members, m)
	return m
}

// leave takes a member out: the last one gets its place.
func (x *roomIndex) leave(name string, m *membership) {
	shard := x.shard(name)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	r := shard.rooms[name]
	last := len(r.members) - 1
	moved := r.members[last]
	r.members[m.index] = moved
	moved.index = m.index
	r.members[last] = nil
	r.members = r.members[:last]
	if last > 0 {
		return
	}
	delete(shard.rooms, name)
	if x.watch != nil {
		x.watch.RoomDeleted(name)
	}
}

// appendMembers appends the members of a room to dst.
func (x *roomIndex) appendMembers(dst []*Socket, name string) []*Socket {
	shard := x.shard(name)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	if r := shard.rooms[name]; r != nil {
		for _, m := range r.members {
			dst = append(dst, m.socket)
		}
	}
	return dst
}

func (x *roomIndex) has(name string) bool {
	shard := x.shard(name)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.rooms[name] != nil
}

// names returns the names of all rooms, in no order.
func (x *roomIndex) names() []string {
	var names []string
	for i := range x.shards {
		shard := &x.shards[i]
		shard.mu.RLock()
		for name := range shard.rooms {
			names = append(names, name)
		}
		shard.mu.RUnlock()
	}
	return names
}
