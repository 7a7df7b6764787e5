//go:build !js

package wsclient

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// The largest buffer that the reader keeps between messages. A longer message for receivers gets memory of its own from
// the beginning, which they keep: that is cheaper than a copy.
const (
	maxSpare       = 1 << 10
	maxSpareInline = 32 << 10
)

// read is the reader. It ends with the session, and reports the end.
func (s *session) read() {
	s.m.inbound.flush(s)
	var buf []byte
	for {
		typ, data, err := s.conn.Read(buf)
		if err != nil {
			s.fail(reasonOf(err), err)
			break
		}
		buf = s.deliver(typ, data)
	}
	s.retire(0, "")
	s.m.counters.ended(s.conn)
	s.m.post(func() { s.m.supervisor.sessionEnded(s) })
}

// deliver hands a message on, and returns a buffer for the next one.
func (s *session) deliver(typ wsconn.MessageType, data []byte) []byte {
	now := s.conn.LastRead() // the same as asking the clock, but for nothing
	s.lastData.Store(int64(now.Sub(s.began)))
	msg := Message{Type: typ, Data: data, Gen: s.gen, ReceivedAt: now}
	if s.isPong(msg) {
		return s.spare(data)
	}
	in := &s.m.inbound
	in.gate.Lock()
	defer in.gate.Unlock()
	if s.dismissed.Load() {
		return s.spare(data) // it came too late
	}
	s.m.counters.received(now, len(data))
	if s.m.intercept(msg) {
		return s.spare(data)
	}
	in.seq++
	msg.Seq = in.seq
	if h := s.m.opts.Receive.InlineHandler; h != nil {
		s.busy(true)
		s.m.dispatch.guard("InlineHandler", func() { h(msg) })
		s.busy(false)
		in.dedup.keep()
		return s.spare(data)
	}
	if wasted := cap(data) - len(data); cap(data) <= maxSpare || wasted > len(data)/4 {
		msg.Data = append([]byte{}, data...) // make would clear it first
	}
	if s.put(msg) {
		in.dedup.keep()
	}
	if s.m.opts.Receive.Handler != nil {
		s.m.handle()
	}
	return s.spare(data)
}

// spare returns data as a buffer for the next message, unless it is too large to be kept.
func (s *session) spare(data []byte) []byte {
	limit := maxSpare
	if s.m.opts.Receive.InlineHandler != nil {
		limit = maxSpareInline
	}
	if cap(data) > limit {
		return nil
	}
	return data
}

// busy notes that the reader is in the hands of a consumer, or out of them again. Meanwhile nothing is read, so
// silence says nothing about the peer.
func (s *session) busy(yes bool) {
	if yes {
		s.blocked.Store(1)
		return
	}
	if s.pinging.Load() || s.m.opts.Heartbeat.IdleTimeout > 0 {
		s.unblocked.Store(int64(time.Since(s.began)))
	}
	s.blocked.Store(0)
}

// put gives a message to the queue, and waits for room if that is the policy. It reports whether the message was kept.
// It runs with the inbound gate held.
func (s *session) put(msg Message) (kept bool) {
	dropped, full := s.m.inbox.Put(msg)
	switch {
	case dropped > 0:
		s.m.overflowed(dropped)
		if full {
			s.fail(ReasonSlowConsumer, s.m.inboxFull(uint64(dropped)))
		}
		return s.m.opts.Receive.Overflow == DropOldest
	case full:
		s.putBlocked(msg)
	}
	return true
}

// putBlocked waits for room. When the session ends before there is any, the message is left to the next one.
func (s *session) putBlocked(msg Message) {
	s.busy(true)
	defer s.busy(false)
	if limit := s.m.opts.Receive.SlowConsumerTimeout; limit > 0 {
		slow := time.AfterFunc(limit, func() { s.fail(ReasonSlowConsumer, s.m.inboxFull(0)) })
		defer slow.Stop()
	}
	for s.m.inbox.WaitRoom(s.stop) {
		if _, full := s.m.inbox.Put(msg); !full {
			return
		}
	}
	if next := s.m.live.Load(); next != nil && next != s {
		next.putBlocked(msg) // it took over from this one and waits for its turn to deliver
		return
	}
	s.m.inbound.keep(s.m, msg)
	if s.failed() {
		<-s.conn.Done() // at once: what still comes would only be kept as well
	}
}

// inboxFull makes the error of a consumer that does not keep up.
func (m *Manager) inboxFull(dropped uint64) error {
	return &QueueFullError{
		Info:      errkit.Info{Class: wserr.ErrQueueFull, Op: opReceive, Target: m.target},
		QueueSize: m.opts.Receive.MaxMessages, DroppedCount: dropped, Direction: wserr.Inbound,
		Bytes: m.inbox.Stats().Bytes,
	}
}
