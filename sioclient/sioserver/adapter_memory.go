package sioserver

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// memoryAdapter is the adapter of a cluster of one node whose clients can recover their connection state. It numbers
// all packets that are neither volatile nor wait for acknowledgements, without gaps, and keeps them for a while; the
// number is the offset.
type memoryAdapter struct {
	singleAdapter
	limits *RecoveryOptions
	keep   time.Duration // for packets: longer than for sessions, as those notice a cut late

	mu       sync.Mutex // guards what follows; held while a packet is delivered, so that offsets arrive in order
	log      []logged
	bytes    int
	last     uint64 // number of the last packet
	sessions map[string]*keptSession
	order    []*keptSession // the same ones and some that were taken out, oldest first
	timer    *time.Timer    // runs while anything is kept
	closed   bool
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
	*Session
	time time.Time
}

func newMemoryAdapter(host *AdapterHost, o *Options) *memoryAdapter {
	return &memoryAdapter{
		singleAdapter: singleAdapter{host: host}, limits: o.Recovery,
		keep:     o.Recovery.MaxDisconnection + orDefault(o.Engine.PingInterval, 25*time.Second) + orDefault(o.Engine.PingTimeout, 20*time.Second),
		last:     uint64(time.Now().UnixMilli()), //nolint:gosec // a time that differs from start to start, and is positive
		sessions: make(map[string]*keptSession),
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (a *memoryAdapter) Broadcast(p *Packet, to *Target) error {
	if to.Volatile {
		return a.host.Broadcast(p, to)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil // nobody is there, and nobody will be
	}
	q := p.WithOffset(offsetText(a.last + 1))
	if _, err := q.encoded(); err != nil {
		return err
	}
	a.last++
	a.append(q, to)
	return a.host.Broadcast(q, to)
}

func (a *memoryAdapter) BroadcastWithAck(ctx context.Context, p *Packet, to *Target, count func(int), answer func(packet.Args)) error {
	return a.host.BroadcastWithAck(ctx, p, to, count, answer)
}

// Attach is for sockets that come or go.
func (a *memoryAdapter) Attach(attach func(offset string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	attach(offsetText(a.last))
}

// Persist keeps a session.
func (a *memoryAdapter) Persist(s *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	k := &keptSession{Session: s, time: time.Now()}
	a.sessions[s.PrivateID] = k
	a.order = append(a.order, k)
	a.trim()
	a.wind()
}

// Restore takes a session out.
func (a *memoryAdapter) Restore(_ context.Context, pid, offset string, attach func(*Session, []*Packet) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.sessions[pid]
	if k == nil {
		return false
	}
	delete(a.sessions, pid)
	a.trim()
	from, ok := a.position(k, offset)
	if !ok || time.Since(k.time) > a.limits.MaxDisconnection {
		return false
	}
	var missed []*Packet
	for _, e := range a.log[from-a.trimmed():] {
		if k.Meant(e.to) {
			missed = append(missed, e.packet)
		}
	}
	return attach(k.Session, missed)
}

// position returns the number of the packet after which a session has to go on, if all packets after it are there.
func (a *memoryAdapter) position(k *keptSession, offset string) (uint64, bool) {
	var from uint64
	switch {
	case offset == k.Last && k.Missed == "": // both are empty if nothing was queued for it
		from, _ = parseOffset(k.End)
	case offset == k.Last:
		from, _ = parseOffset(k.Missed)
		from--
	case offset == "":
		from, _ = parseOffset(k.Start)
	default:
		var ok bool
		if from, ok = parseOffset(offset); !ok {
			return 0, false
		}
	}
	return from, from >= a.trimmed() && from <= a.last
}

// trimmed is the number of the last packet that is not kept any more.
func (a *memoryAdapter) trimmed() uint64 { return a.last - uint64(len(a.log)) }

func (a *memoryAdapter) append(p *Packet, to *Target) {
	e := logged{packet: p, to: to, size: p.Size(), time: time.Now()}
	a.log = append(a.log, e)
	a.bytes += e.size
	a.trim()
	a.wind()
}

// trim lets go of what is too old or too much.
func (a *memoryAdapter) trim() {
	now := time.Now()
	n := 0
	for n < len(a.log) {
		e := &a.log[n]
		if len(a.log)-n <= a.limits.MaxPackets && a.bytes <= a.limits.MaxBytes && now.Sub(e.time) <= a.keep {
			break
		}
		a.bytes -= e.size
		*e = logged{}
		n++
	}
	a.log = a.log[n:]
	n = 0
	for n < len(a.order) {
		k := a.order[n]
		gone := a.sessions[k.PrivateID] != k
		if !gone && len(a.sessions) <= a.limits.MaxSessions && now.Sub(k.time) <= a.limits.MaxDisconnection {
			break
		}
		if !gone {
			delete(a.sessions, k.PrivateID)
		}
		a.order[n] = nil
		n++
	}
	a.order = a.order[n:]
}

// wind lets the clock run that trims what nobody touches.
func (a *memoryAdapter) wind() {
	if a.timer == nil && !a.closed && len(a.log)+len(a.order) > 0 {
		a.timer = time.AfterFunc(min(a.limits.MaxDisconnection, time.Minute), a.tick)
	}
}

func (a *memoryAdapter) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = nil
	a.trim()
	if len(a.log) == 0 {
		a.log = nil
	}
	if len(a.order) == 0 {
		a.order = nil
	}
	a.wind()
}

func (a *memoryAdapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.log, a.order, a.bytes = nil, nil, 0
	clear(a.sessions)
	return nil
}

// offsetAlphabet are the digits of offsets: those that the original uses.
const offsetAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

// offsetText writes a number to base 64.
func offsetText(n uint64) string {
	var b [11]byte
	i := len(b)
	for {
		i--
		b[i] = offsetAlphabet[n%64]
		n /= 64
		if n == 0 {
			return string(b[i:])
		}
	}
}

// parseOffset reads a number to base 64.
func parseOffset(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 10 { // ten digits are 60 bits
		return 0, false
	}
	for i := range len(s) {
		d := offsetDigit(s[i])
		if d < 0 {
			return 0, false
		}
		n = n*64 + uint64(d) //nolint:gosec // a digit
	}
	return n, true
}

func offsetDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 36
	case c == '-':
		return 62
	case c == '_':
		return 63
	}
	return -1
}
