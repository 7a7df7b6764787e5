//go:build !js

package wsclient

import (
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/gate"
)

// inbound is what the readers of sessions share. While one session takes over from another there are two.
type inbound struct {
	gate  gate.Gate // held by the reader that delivers a message, and guards what follows
	seq   uint64    // of the last message
	dedup *dedup    // nil unless repetitions are recognised

	mu     sync.Mutex // guards what follows
	held   []Message  // read by a session that ended before there was room for it
	closed bool
}

// intercept looks for messages that are not for receivers: acknowledgements, answers to subscriptions and requests,
// repetitions. It runs with the gate held.
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
	if m.requests.some.Load() {
		var answer bool
		m.dispatch.guard("Request", func() { answer = m.requests.take(msg) })
		if answer {
			return true
		}
	}
	if m.inbound.dedup == nil {
		return false
	}
	var repeated bool
	m.dispatch.guard("Receive.Dedup.Key", func() { repeated = m.inbound.dedup.repeated(msg) })
	if repeated {
		m.counters.duplicates.Add(1)
	}
	return repeated
}

// flush puts messages into the queue that an earlier session had read and found no room for.
func (in *inbound) flush(s *session) {
	in.gate.Lock()
	defer in.gate.Unlock()
	in.mu.Lock()
	held := in.held
	in.held = nil
	in.mu.Unlock()
	for _, msg := range held {
		s.put(msg)
	}
}

// release puts messages into the queue that were held, as far as there is room by now, and reports whether it was any.
func (in *inbound) release(m *Manager) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for n < len(in.held) {
		if _, full := m.inbox.Put(in.held[n]); full {
			break
		}
		n++
	}
	in.held = slices.Delete(in.held, 0, n)
	return n > 0
}

// keep holds a message for the next session. When there will be none, it goes into the queue although that is full.
func (in *inbound) keep(m *Manager, msg Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		m.overflowed(m.inbox.PutLast(msg))
		return
	}
	in.held = append(in.held, msg)
}

// close is called when there will be no other session. It does not wait for the gate, which somebody may hold who waits
// for a consumer.
func (in *inbound) close(m *Manager) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	for _, msg := range in.held {
		m.overflowed(m.inbox.PutLast(msg))
	}
	if len(in.held) > 0 && m.opts.Receive.Handler != nil {
		m.handle()
	}
	in.held = nil
}
