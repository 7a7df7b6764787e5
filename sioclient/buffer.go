package sioclient

import (
	"errors"
	"slices"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// buffer holds packets that cannot be sent yet: there is no connection, or its own queue is full. The manager's lock
// guards it.
type buffer struct {
	limits  event.Limits
	entries []entry
	bytes   int
}

// entry is a packet to be sent.
type entry struct {
	msgs  []engineio.Message
	size  int
	id    uint64
	hasID bool  // whether it is an event that wants an acknowledgement
	link  *link // the one that it has to be sent on; nil for any
}

func newEntry(enc packet.Encoded, plain bool) entry {
	return entry{msgs: messages(enc, plain), size: enc.Size()}
}

func (b *buffer) add(e entry) error {
	if err := b.room(e.size); err != nil {
		return err
	}
	b.entries = append(b.entries, e)
	b.bytes += e.size
	return nil
}

// room returns an error if something of a size does not fit. Into an empty buffer everything does.
func (b *buffer) room(size int) error {
	if len(b.entries) == 0 || len(b.entries) < b.limits.Messages && b.bytes+size <= b.limits.Bytes {
		return nil
	}
	return &BufferFullError{
		Info:     errkit.Info{Class: ErrBufferFull, Op: "emit", Kind: errkit.NotSent},
		Messages: len(b.entries), Bytes: b.bytes,
	}
}

func (b *buffer) pop() {
	b.bytes -= b.entries[0].size
	b.entries[0] = entry{}
	b.entries = b.entries[1:]
	if len(b.entries) == 0 {
		b.entries = nil
	}
}

// remove removes the event that waits for an acknowledgement under an id, if it is there.
func (b *buffer) remove(id uint64) {
	i := slices.IndexFunc(b.entries, func(e entry) bool { return e.hasID && e.id == id })
	if i >= 0 {
		b.bytes -= b.entries[i].size
		b.entries = slices.Delete(b.entries, i, i+1)
	}
}

// unlink forgets what only the link that ended could carry, and returns the ids of the events that stay.
func (b *buffer) unlink() map[uint64]bool {
	var ids map[uint64]bool
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool {
		if e.link != nil {
			b.bytes -= e.size
			return true
		}
		if e.hasID {
			if ids == nil {
				ids = make(map[uint64]bool)
			}
			ids[e.id] = true
		}
		return false
	})
	return ids
}

// clear drops everything and returns how many events it held of which nobody waits for an acknowledgement.
func (b *buffer) clear() (lost int) {
	for _, e := range b.entries {
		if !e.hasID {
			lost++
		}
	}
	b.entries, b.bytes = nil, 0
	return lost
}

// deliver sends a packet or, if it may wait, keeps it until that is possible. The caller holds the manager's lock.
func (s *Socket) deliver(e entry, mayWait bool) error {
	if s.link != nil && len(s.buffer.entries) == 0 {
		err := s.link.send(e.msgs)
		if err == nil {
			s.m.counters.sent.Add(1)
			return nil
		}
		if !mayWait || !laterPerhaps(err) {
			return err
		}
	}
	return s.buffer.add(e)
}

// laterPerhaps reports whether a packet that the transport did not take may be taken later: by this connection, which
// tells when, or by the next.
func laterPerhaps(err error) bool {
	return errors.Is(err, ErrBufferFull) || errors.Is(err, ErrDisconnected)
}

// flush sends what is kept, as much as the connection takes. The caller holds the manager's lock.
func (s *Socket) flush() {
	for len(s.buffer.entries) > 0 && s.link != nil {
		e := s.buffer.entries[0]
		err := s.link.send(e.msgs)
		if err != nil && laterPerhaps(err) {
			return
		}
		s.buffer.pop()
		switch {
		case err == nil:
			s.m.counters.sent.Add(1)
		case e.hasID:
			s.m.wg.Go(func() { s.acks.Fail(e.id, err) }) // not in the queue: a handler may be waiting for it
		default:
			s.m.counters.dropped.Add(1)
			s.report(err)
		}
	}
}

// drop gives up what was accepted and not sent. The caller holds the manager's lock.
func (s *Socket) drop(cause error, after *deferred) {
	lost := s.buffer.clear()
	waiting, silent := s.retries.clear()
	lost += silent
	if lost > 0 {
		s.m.counters.dropped.Add(uint64(lost))
		s.report(&DisconnectedError{
			Info: errkit.Info{
				Class: ErrDisconnected, Op: "emit", Target: s.m.target, Err: &lostEvents{n: lost, cause: cause},
			},
			Reason: reasonOf(cause),
		})
	}
	fail := s.acks.Detach(nil)
	after.add(func() {
		for _, it := range waiting {
			it.done(packet.Args{}, s.callError(cause, it.tries > 0))
		}
		fail(s.callError(cause, false))
	})
}

func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*DisconnectedError](err); ok {
		return e.Reason
	}
	return ""
}

// lostEvents says how many accepted events were not sent.
type lostEvents struct {
	n     int
	cause error
}

func (e *lostEvents) Error() string {
	return strconv.Itoa(e.n) + " events not sent: " + e.cause.Error()
}

func (e *lostEvents) Unwrap() error { return e.cause }
