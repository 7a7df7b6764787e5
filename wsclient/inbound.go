//go:build !js

package wsclient

import (
	"github.com/fieldlink-go/fieldlink/wsclient/internal/gate"
)

// inbound is what the readers of sessions share. While one session takes over from another there are two.
type inbound struct {
	gate  gate.Gate
	seq   uint64    // of the last message
	held  []Message // read by a session that ended before there was room for it
	dedup *dedup    // nil unless repetitions are recognised
}

// intercept looks for messages that are not for receivers: acknowledgements, answers to subscriptions, repetitions. It
// runs with the gate held.
func (m *Manager) intercept(msg Message) bool {
	if a := m.opts.Send.Ack; a != nil {
		var ack Ack
		var ok bool
		m.dispatch.guard("Send.Ack.Extract", func() { ack, ok = a.Extract(msg) })
		if ok {
			m.outbox.Acknowledge(msg.Gen, ack.IDs, ack.Nack)
			if !a.Deliver {
				return true
			}
		}
	}
	if m.opts.Subscribe.AckMatch != nil {
		var answer bool
		m.dispatch.guard("Subscribe.AckMatch", func() { answer = m.subs.take(msg) })
		if answer {
			return true
		}
	}
	return m.inbound.dedup != nil && m.repeated(msg)
}

// repeated reports whether a message came before, and remembers it if not.
func (m *Manager) repeated(msg Message) bool {
	var key string
	var ok bool
	m.dispatch.guard("Receive.Dedup.Key", func() { key, ok = m.opts.Receive.Dedup.Key(msg) })
	if !ok {
		return false
	}
	key = short(key)
	if m.inbound.dedup.has(key) {
		m.counters.duplicates.Add(1)
		return true
	}
	m.inbound.dedup.add(key)
	return false
}

// flush puts messages into the queue that an earlier session had read and found no room for.
func (in *inbound) flush(s *session) {
	in.gate.Lock()
	defer in.gate.Unlock()
	held := in.held
	in.held = nil
	for _, msg := range held {
		s.put(msg)
	}
}

// giveUp puts such messages into the queue as far as possible, when there will be no other session.
func (in *inbound) giveUp(m *Manager) {
	in.gate.Lock()
	defer in.gate.Unlock()
	for _, msg := range in.held {
		if _, full := m.inbox.Put(msg); full {
			m.overflowed(m.inbox.PutLast(msg))
		}
	}
	in.held = nil
}
