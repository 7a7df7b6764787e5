package sioserver

import (
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Emit sends the client an event. It only queues. Errors:
//   - a *[sioclient.InvalidError] for a reserved name, a *[sioclient.PacketError] for an argument that cannot be encoded;
//   - a *[sioclient.DisconnectedError] if the client is gone;
//   - a *[sioclient.BufferFullError] if the client does not read what it is sent; it is then disconnected.
//
// With Options.Recovery, an event for a client that does not read is no error: it is kept like everything that the client
// misses from then on, and sent when it comes back. Clients of Socket.IO 2 cannot, so it stays an error for those.
func (s *Socket) Emit(event string, args ...any) error { return Sender{s: s}.Emit(event, args...) }

// Call sends the client an event and returns the arguments of its acknowledgement. Without a deadline in ctx it waits
// for [DefaultCallTimeout]. Its errors are those of Emit, a *[sioclient.TimeoutError], and a
// *[sioclient.DisconnectedError] as soon as the client is gone.
func (s *Socket) Call(ctx context.Context, event string, args ...any) (packet.Args, error) {
	return Sender{s: s}.Call(ctx, event, args...)
}

// Send sends the client an event named "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// Volatile returns a sender whose events are dropped if the client is not ready to receive at once.
func (s *Socket) Volatile() Sender { return Sender{s: s, to: Target{Volatile: true}} }

// Compress returns a sender whose events are, or are not, worth compressing.
func (s *Socket) Compress(on bool) Sender { return Sender{s: s}.Compress(on) }

// Timeout returns a sender whose calls wait for d.
func (s *Socket) Timeout(d time.Duration) Sender { return Sender{s: s}.Timeout(d) }

// Broadcast means all sockets of the namespace but this one.
func (s *Socket) Broadcast() Broadcast {
	return Broadcast{over: s.n, to: Target{Except: []string{s.id}}}
}

// To means the sockets in any of the rooms, but not this one.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is To.
func (s *Socket) In(rooms ...string) Broadcast { return s.To(rooms...) }

// Except means all sockets but this one and those in any of the rooms.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Local means all sockets of this node but this one.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }

// Sender sends to one socket in a certain way. It never changes.
type Sender struct {
	s  *Socket
	to Target
}

// Volatile lets events be dropped if the client is not ready to receive at once.
func (f Sender) Volatile() Sender {
	f.to.Volatile = true
	return f
}

// Compress says whether events are worth compressing where compression is on.
func (f Sender) Compress(on bool) Sender {
	f.to.NoCompress = !on
	return f
}

// Timeout sets how long calls wait. Zero means [DefaultCallTimeout].
func (f Sender) Timeout(d time.Duration) Sender {
	f.to.Timeout = d
	return f
}

// Emit sends the event: see [Socket.Emit].
func (f Sender) Emit(event string, args ...any) error {
	s := f.s
	if err := checkName("emit", event); err != nil {
		return err
	}
	if s.left() {
		return s.disconnected("emit")
	}
	if !f.to.Volatile && s.connected() && s.pid != "" {
		return f.logged(event, args)
	}
	p := packet.Packet{Type: packet.Event, Namespace: s.n.name, Name: event}
	_, err := f.direct(&p, args)
	return err
}

// logged sends an event that the client gets later if it loses its connection now.
func (f Sender) logged(event string, args []any) error {
	p, err := f.s.n.newPacket(event, args, true)
	if err != nil {
		return err
	}
	to := f.to
	to.Rooms = []string{f.s.id}
	return f.s.n.adapter.Broadcast(p, &to)
}

// direct encodes an event and queues it for this client. Sent is false if it was volatile and dropped.
func (f Sender) direct(p *packet.Packet, args []any) (sent bool, err error) {
	s := f.s
	enc, err := s.n.server.opts.Parser.Encode(p, args...)
	if err != nil {
		return false, err
	}
	if len(enc.Binary) == 0 && !f.to.NoCompress {
		sent, err = s.conn.sendOne(engineio.Encoded(enc.Text), f.to.Volatile)
	} else {
		sent, err = s.conn.send(messages(enc, f.to.NoCompress), f.to.Volatile)
	}
	if err != nil {
		return false, s.sendError(err)
	}
	if sent && (s.outgoing.HasAny() || s.observed()) {
		s.tellSent(p.Name, decodeArgs(s.n.server.opts.Parser, enc))
	}
	return sent, nil
}

// Call sends the event and waits: see [Socket.Call]. A volatile event that was dropped is a
// *[sioclient.BufferFullError] at once.
func (f Sender) Call(ctx context.Context, name string, args ...any) (packet.Args, error) {
	s := f.s
	if err := checkName("call", name); err != nil {
		return packet.Args{}, err
	}
	ctx, limit, cancel := callContext(ctx, f.to.Timeout)
	defer cancel()
	type result struct {
		args packet.Args
		err  error
	}
	results := make(chan result, 1)
	id := s.n.ackID.Add(1) - 1
	if !s.acks.AddID(id, func(args packet.Args, err error) { results <- result{args.Clone(), err} }) {
		return packet.Args{}, s.disconnected("call")
	}
	p := packet.Packet{Type: packet.Event, Namespace: s.n.name, Name: name, ID: id, HasID: true}
	sent, err := f.direct(&p, args)
	if err == nil && !sent {
		err = s.bufferFull()
	}
	if err != nil {
		s.acks.Remove(id)
		return packet.Args{}, err
	}
	defer s.queue.Waiting()()
	select {
	case r := <-results:
		return r.args, r.err
	case <-ctx.Done():
		s.acks.Remove(id)
		return packet.Args{}, callError(ctx, name, limit)
	}
}

// acker is a socket as events see it.
type acker Socket

// SendAck acknowledges an event of the client.
func (a *acker) SendAck(id uint64, args []any) error {
	s := (*Socket)(a)
	if !s.connected() {
		return s.disconnected("ack")
	}
	p := packet.Packet{Type: packet.Ack, Namespace: s.n.name, ID: id, HasID: true}
	enc, err := s.n.server.opts.Parser.Encode(&p, args...)
	if err != nil {
		return err
	}
	if len(enc.Binary) == 0 {
		_, err = s.conn.sendOne(engineio.Encoded(enc.Text), false)
	} else {
		_, err = s.conn.send(messages(enc, false), false)
	}
	return s.sendError(err)
}

// transmit queues a packet that is shared with other sockets, and reports whether it was taken.
func (s *Socket) transmit(p *Packet, msgs []engineio.Message, volatile bool) bool {
	sent, err := s.conn.send(msgs, volatile)
	sent = sent && err == nil
	if p.offset != "" {
		s.mu.Lock()
		switch {
		case sent:
			s.last = p.offset
		case s.lost == "":
			s.lost = p.offset
		}
		s.mu.Unlock()
	}
	if !sent {
		return false
	}
	if s.outgoing.HasAny() || s.observed() {
		s.tellSent(p.name, p.Args())
	}
	return true
}

// tellSent tells of an event that was queued.
func (s *Socket) tellSent(name string, args packet.Args) {
	if s.outgoing.HasAny() {
		s.outgoing.DispatchAny(event.New(name, args), s.failLater)
	}
	s.observe(func(o *Observer) {
		if o.Sent != nil {
			o.Sent(s, name, args)
		}
	})
}

// sendError turns the error of a closed transport into the socket's.
func (s *Socket) sendError(err error) error {
	if errors.Is(err, sioerr.ErrClosed) {
		return s.disconnected("emit")
	}
	return err
}

// disconnected is the error for a client that is gone.
func (s *Socket) disconnected(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &sioerr.DisconnectedError{
		Info:   errkit.Info{Class: sioerr.ErrDisconnected, Op: op, Target: s.n.name, Kind: errkit.NotSent},
		Reason: s.why,
	}
}

func (s *Socket) bufferFull() error {
	messages, bytes := s.conn.session.Buffered()
	return &sioerr.BufferFullError{
		Info:     errkit.Info{Class: sioerr.ErrBufferFull, Op: "call", Target: s.n.name, Kind: errkit.NotSent},
		Messages: messages, Bytes: bytes,
	}
}

// callContext adds the limit of a call to its context. The limit is 0 if the context has a deadline of its own and no
// other limit was asked for.
func callContext(ctx context.Context, limit time.Duration) (context.Context, time.Duration, context.CancelFunc) {
	if limit <= 0 {
		if _, ok := ctx.Deadline(); ok {
			return ctx, 0, func() {}
		}
		limit = DefaultCallTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, limit, cancel
}

// callError is the error of a call whose context is done.
func callError(ctx context.Context, event string, limit time.Duration) error {
	cause := errkit.FromContext(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return sioerr.Bare(sioerr.Err, "call", cause)
	}
	return &sioerr.TimeoutError{
		Info: errkit.Info{Class: sioerr.ErrTimeout, Op: "call", Err: cause}, Event: event, Limit: limit,
	}
}
