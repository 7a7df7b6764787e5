package sioserver

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// memoryAdapter is the adapter of a cluster of one node whose clients can recover their connection state. It numbers
// all packets that are neither volatile nor wait for acknowledgements, without gaps, and keeps them for a while; the
// number is the offset.
type memoryAdapter struct {
	singleAdapter
	kept *kept

	mu     sync.Mutex // guards what follows; held while a packet is delivered, so that offsets arrive in order
	last   uint64     // number of the last packet
	closed bool

	// The lock of kept guards what follows.
	log      []logged // the last packets, without gaps
	sessions map[string]*keptSession
}

func newMemoryAdapter(host *AdapterHost, k *kept) *memoryAdapter {
	return &memoryAdapter{
		singleAdapter: singleAdapter{host: host}, kept: k,
		last:     uint64(time.Now().UnixMilli()), //nolint:gosec // a time that differs from start to start, and is positive
		sessions: make(map[string]*keptSession),
	}
}

// Broadcast keeps a packet and delivers it. One that is larger than all that may be kept is not taken.
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
	size := loggedSize(q, to)
	if size > a.kept.limits.MaxBytes {
		return &sioerr.BufferFullError{
			Info: errkit.Info{Class: sioerr.ErrBufferFull, Op: "emit", Target: p.namespace, Kind: errkit.NotSent},
		}
	}
	a.last++
	a.kept.addPacket(a, q.withoutArgs(), to, size)
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
	if !a.closed {
		a.kept.addSession(a, s)
	}
}

// Restore takes a session out.
func (a *memoryAdapter) Restore(_ context.Context, pid, offset string, attach func(*Session, []*Packet) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, missed := a.kept.takeSession(a, pid, offset)
	return s != nil && attach(s, missed)
}

// position returns the number of the packet after which a session has to go on, if all packets after it are there.
func (a *memoryAdapter) position(s *Session, offset string) (uint64, bool) {
	var from uint64
	switch {
	case offset == s.Last && s.Missed == "": // both are empty if nothing was queued for it
		from, _ = parseOffset(s.End)
	case offset == s.Last:
		from, _ = parseOffset(s.Missed)
		from--
	case offset == "":
		from, _ = parseOffset(s.Start)
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

func (a *memoryAdapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.kept.close(a)
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
