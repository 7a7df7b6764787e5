package sioserver

import (
	"slices"
	"sync"
	"time"
)

// kept is what a server keeps in memory for clients that may come back: packets and sessions of all namespaces. The
// limits are those of the server, not of a namespace; what is oldest makes way, wherever it is.
type kept struct {
	limits *RecoveryOptions
	keep   time.Duration // for packets: longer than for sessions, as those notice a cut late

	mu       sync.Mutex // guards what follows, and what the adapters keep; nothing else is locked under it
	packets  []*memoryAdapter
	bytes    int
	sessions []*keptSession // with some that were taken out
	taken    int            // how many
	timer    *time.Timer    // runs while anything is kept
}

// logged is a packet that was delivered.
type logged struct {
	packet *Packet
	to     *Target
	size   int
	time   time.Time
}

// keptSession is what a disconnected socket left behind.
type keptSession struct {
	*Session // nil once it was taken out
	adapter  *memoryAdapter
	time     time.Time
}

func newKept(o *Options) *kept {
	return &kept{
		limits: o.Recovery,
		keep:   o.Recovery.MaxDisconnection + orDefault(o.Engine.PingInterval, 25*time.Second) + orDefault(o.Engine.PingTimeout, 20*time.Second),
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// loggedOverhead is about what a packet takes besides its bytes: the descriptions of the packet and of its target, and
// their places in lists.
const loggedOverhead = 500

// loggedSize is about what it takes to keep a packet.
func loggedSize(p *Packet, to *Target) int {
	size := loggedOverhead + len(p.name) + cap(p.enc.Text)
	for _, b := range p.enc.Binary {
		size += 24 + cap(b)
	}
	for _, rooms := range [][]string{to.Rooms, to.Except} {
		for _, room := range rooms {
			size += 16 + len(room)
		}
	}
	return size
}

// addPacket keeps the newest packet of an adapter.
func (k *kept) addPacket(a *memoryAdapter, p *Packet, to *Target, size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a.log = append(a.log, logged{packet: p, to: to, size: size, time: time.Now()})
	k.packets = append(k.packets, a)
	k.bytes += size
	k.trim()
	k.wind()
}

// addSession keeps a session.
func (k *kept) addSession(a *memoryAdapter, s *Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := &keptSession{Session: s, adapter: a, time: time.Now()}
	a.sessions[s.PrivateID] = one
	k.sessions = append(k.sessions, one)
	k.trim()
	k.wind()
}

// takeSession takes out the session of a private id, with the packets from its last one on. It returns nil if there is
// none that can be gone on with.
func (k *kept) takeSession(a *memoryAdapter, pid, offset string) (s *Session, missed []*Packet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trim()
	one := a.sessions[pid]
	if one == nil {
		return nil, nil
	}
	s = one.Session
	k.forget(one)
	from, ok := a.position(s, offset)
	if !ok {
		return nil, nil
	}
	for _, e := range a.log[from-a.trimmed():] {
		if s.Meant(e.to) {
			missed = append(missed, e.packet)
		}
	}
	return s, missed
}

// forget lets go of a session. Its place in the list stays for a while.
func (k *kept) forget(one *keptSession) {
	delete(one.adapter.sessions, one.PrivateID)
	one.Session, one.adapter = nil, nil
	k.taken++
	if k.taken > len(k.sessions)/2 {
		k.sessions = slices.DeleteFunc(k.sessions, func(s *keptSession) bool { return s.Session == nil })
		k.taken = 0
	}
}

// close lets go of all that an adapter keeps.
func (k *kept) close(a *memoryAdapter) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(a.log) > 0 {
		k.packets = slices.DeleteFunc(k.packets, func(b *memoryAdapter) bool { return b == a })
		for i := range a.log {
			k.bytes -= a.log[i].size
		}
		a.log = nil
	}
	for _, one := range a.sessions {
		k.forget(one)
	}
	if k.timer != nil && len(k.packets)+len(k.sessions) == 0 {
		k.timer.Stop()
		k.timer = nil
	}
}

// trim lets go of what is too old or too much.
func (k *kept) trim() {
	now := time.Now()
	for len(k.packets) > 0 {
		a := k.packets[0]
		e := a.log[0]
		if len(k.packets) <= k.limits.MaxPackets && k.bytes <= k.limits.MaxBytes && now.Sub(e.time) <= k.keep {
			break
		}
		k.bytes -= e.size
		a.log[0] = logged{}
		a.log = a.log[1:]
		k.packets[0] = nil
		k.packets = k.packets[1:]
	}
	for len(k.sessions) > 0 {
		one := k.sessions[0]
		switch {
		case one.Session == nil:
			k.taken--
		case len(k.sessions)-k.taken > k.limits.MaxSessions, now.Sub(one.time) > k.limits.MaxDisconnection:
			delete(one.adapter.sessions, one.PrivateID)
		default:
			return
		}
		k.sessions[0] = nil
		k.sessions = k.sessions[1:]
	}
}

// wind lets the clock run that trims what nobody touches.
func (k *kept) wind() {
	if k.timer == nil && len(k.packets)+len(k.sessions) > 0 {
		k.timer = time.AfterFunc(min(k.limits.MaxDisconnection, time.Minute), k.tick)
	}
}

func (k *kept) tick() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = nil
	k.trim()
	if len(k.packets) == 0 {
		k.packets = nil
	}
	if len(k.sessions) == 0 {
		k.sessions = nil
	}
	k.wind()
}
