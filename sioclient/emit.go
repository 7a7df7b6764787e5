package sioclient

import (
	"errors"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Sender emits events of a socket with other settings than usual. It is a light value that can be kept.
type Sender struct {
	s        *Socket
	volatile bool
	plain    bool
	limit    time.Duration // of Call and of a try; 0 means SocketOptions.AckTimeout
}

// Volatile returns a sender of events that are dropped if they cannot be on their way at once.
func (s *Socket) Volatile() Sender { return Sender{s: s}.Volatile() }

// Compress returns a sender of events that may be compressed, which is the default, or may not. It counts if the
// transport compresses at all.
func (s *Socket) Compress(yes bool) Sender { return Sender{s: s}.Compress(yes) }

// Timeout returns a sender whose calls, and tries with SocketOptions.Retries, wait that long for the acknowledgement.
func (s *Socket) Timeout(d time.Duration) Sender { return Sender{s: s}.Timeout(d) }

// Volatile is [Socket.Volatile], on top of the settings of o.
func (o Sender) Volatile() Sender { o.volatile = true; return o }

// Compress is [Socket.Compress], on top of the settings of o.
func (o Sender) Compress(yes bool) Sender { o.plain = !yes; return o }

// Timeout is [Socket.Timeout], on top of the settings of o.
func (o Sender) Timeout(d time.Duration) Sender { o.limit = d; return o }

// Emit sends an event with any number of arguments: what encoding/json encodes, and []byte anywhere in them, which
// travels as binary; its memory must not be changed afterwards. It never waits.
//
// On a connection an event is sent at most once: what was sent when the connection broke may be lost. Call and
// SocketOptions.Retries tell. Without a connection the event is kept until there is one, unless
// SocketOptions.DisableBuffer is set. Official JavaScript servers refuse more than 10 binary values in one event. Errors,
// all with nothing sent:
//   - *[InvalidError]: the name is reserved (it matches [ErrReserved]), or an argument cannot be sent.
//   - *[PacketError]: an argument cannot be encoded.
//   - *[BufferFullError]: too much waits to be sent.
//   - *[EngineError] that matches [ErrTooLarge]: the server takes no events of that size.
//   - *[BadNamespaceError]: there is a connection to the server, but it does not let the socket in, or the socket has left.
//   - *[DisconnectedError]: there is no connection, and none is being made; it matches [ErrReconnect] if the attempts are
//     used up. With DisableBuffer, there is none at the moment.
//   - one that matches [ErrClosed] after [Manager.Close].
func (s *Socket) Emit(name string, args ...any) error { return Sender{s: s}.Emit(name, args...) }

// Send emits the event "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// Emit is [Socket.Emit] with the settings of o. A volatile event that was dropped is no error.
func (o Sender) Emit(name string, args ...any) error {
	_, err := o.emit(name, args, nil)
	if errors.Is(err, errVolatile) {
		o.s.m.counters.volatileDropped.Add(1)
		return nil
	}
	return err
}

// errVolatile says that an event was dropped as its sender wanted.
var errVolatile = errors.New("not writable")

// emit sends an event. If f is not nil it gets the acknowledgement, or the error, exactly once unless emit fails or
// cancel returned true.
func (o Sender) emit(name string, args []any, f event.AckFunc) (cancel func() bool, err error) {
	s := o.s
	if packet.Reserved(name) {
		return nil, &InvalidError{
			Info:  errkit.Info{Class: sioerr.ErrReserved, Op: "emit", Target: s.m.target},
			Field: "event", Reason: strconv.Quote(name) + " is reserved",
		}
	}
	if s.opts.Retries > 0 && !o.volatile {
		cancel, err = o.enqueue(name, args, f)
	} else {
		cancel, err = o.submit(name, args, f)
	}
	if err == nil {
		s.tellOutgoing(name, args)
	}
	return cancel, err
}

// submit sends an event once.
func (o Sender) submit(name string, args []any, f event.AckFunc) (cancel func() bool, err error) {
	s, m := o.s, o.s.m
	p := packet.Packet{Type: packet.Event, Namespace: s.nsp, Name: name}
	if f != nil {
		p.ID, p.HasID = s.acks.Reserve(), true
	}
	enc, err := m.opts.Parser.Encode(&p, args...)
	if err != nil {
		return nil, err
	}
	e := newEntry(enc, o.plain)
	e.id, e.hasID = p.ID, p.HasID

	m.mu.Lock()
	defer m.mu.Unlock()
	if err := s.offline("emit"); err != nil && !(o.volatile && s.mayConnect()) {
		return nil, err
	}
	if o.volatile && (s.link == nil || len(s.buffer.entries) > 0 || !s.link.conn.Writable()) {
		return nil, s.dropped()
	}
	if f != nil {
		s.acks.AddID(p.ID, f)
	}
	if err := s.deliver(e, !s.opts.DisableBuffer); err != nil {
		s.acks.Remove(p.ID)
		return nil, err
	}
	return func() bool {
		m.mu.Lock()
		s.buffer.remove(p.ID)
		m.mu.Unlock()
		return s.acks.Remove(p.ID)
	}, nil
}

// enqueue sends an event until it is acknowledged.
func (o Sender) enqueue(name string, args []any, f event.AckFunc) (cancel func() bool, err error) {
	s, m := o.s, o.s.m
	it := &retried{name: name, plain: o.plain, done: f, limit: o.limit}
	if it.limit == 0 {
		it.limit = s.opts.AckTimeout
	}
	if it.args, err = packet.NewArgs(args...); err != nil {
		return nil, err
	}
	it.args = it.args.Clone()
	it.size = len(`42"",`) + len(name) + len(it.args.JSON())
	for _, b := range it.args.Attachments() {
		it.size += len(b)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := s.offline("emit"); err != nil {
		return nil, err
	}
	if err := s.retries.add(it); err != nil {
		return nil, err
	}
	return func() bool { return s.retries.cancel(it) }, nil
}

// offline returns why nothing can be sent, not even later; nil if something can. The caller holds the lock.
func (s *Socket) offline(op string) error {
	m := s.m
	switch {
	case m.closed:
		return m.closedError(op)
	case s.link != nil:
		return nil
	case s.mayConnect() && !s.opts.DisableBuffer:
		return nil
	case m.link != nil:
		return &BadNamespaceError{
			Info:      errkit.Info{Class: ErrBadNamespace, Op: op, Target: m.target, Err: s.gone},
			Namespace: s.nsp,
		}
	}
	err := disconnected(op, m.target, reasonOf(s.gone), s.gone)
	err.Kind |= errkit.NotSent
	return err
}

// mayConnect reports whether the socket is at most without a connection for the moment. The caller holds the lock.
func (s *Socket) mayConnect() bool { return !s.m.closed && (s.active || s.gone == nil) }

// dropped makes the error of a volatile event. The caller holds the lock.
func (s *Socket) dropped() error {
	if s.link == nil {
		err := disconnected("emit", s.m.target, "", errVolatile)
		err.Kind |= errkit.NotSent
		return err
	}
	n, size := s.link.conn.Buffered()
	return &BufferFullError{
		Info:     errkit.Info{Class: ErrBufferFull, Op: "emit", Target: s.m.target, Kind: errkit.NotSent, Err: errVolatile},
		Messages: n, Bytes: size,
	}
}

// acker sends the acknowledgements of the events that came over a link.
type acker struct {
	s *Socket
	l *link
}

// SendAck sends an acknowledgement. After the link has ended nobody waits for it any more.
func (a *acker) SendAck(id uint64, args []any) error {
	s, m := a.s, a.s.m
	enc, err := m.opts.Parser.Encode(&packet.Packet{Type: packet.Ack, Namespace: s.nsp, ID: id, HasID: true}, args...)
	if err != nil {
		return err
	}
	e := newEntry(enc, false)
	e.link = a.l
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return m.closedError("ack")
	}
	if s.link != a.l {
		err := disconnected("ack", m.target, "", nil)
		err.Kind |= errkit.NotSent
		return err
	}
	return s.deliver(e, true)
}
