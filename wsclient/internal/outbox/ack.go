package outbox

import (
	"strconv"
	"time"
)

// Acknowledge takes the ids that the peer acknowledges, or with nack refuses, on the connection gen. Ids of nothing that
// waits for an acknowledgement are ignored, and so are other connections than the present one.
func (b *Box) Acknowledge(gen uint64, ids []string, nack bool) {
	b.mu.Lock()
	defer b.unlock()
	if b.cfg.Ack == nil || !b.up || gen != b.gen {
		b.stats.Strays += uint64(len(ids))
		return
	}
	for _, id := range ids {
		if !b.answered(&b.flight, id, nack) && !b.answered(&b.wait, id, nack) {
			b.stats.Strays++
		}
	}
	b.flight.trim()
	b.settle()
	b.wake()
}

// answered looks for id in q among what the peer may have, and ends its way. mu is held.
func (b *Box) answered(q *ring, id string, nack bool) bool {
	number := uint64(0)
	if b.cfg.Ack.ID == nil {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return false
		}
		number = n
	}
	for pos := q.head; pos != q.tail; pos++ {
		e := q.at(pos)
		if e.gone {
			continue
		}
		if !e.whole && q == &b.wait {
			return false // the peer knows none of those behind
		}
		if b.cfg.Ack.ID == nil && e.number != number || b.cfg.Ack.ID != nil && e.id != id {
			continue
		}
		if nack {
			b.lose(Message{Type: e.typ, Data: e.data, Number: e.number}, Dropped, b.errRefused())
			b.finish(q, e, &b.stats.Refused, Dropped, b.errRefused())
			return true
		}
		b.finish(q, e, &b.stats.Delivered, Acked, nil)
		if b.cfg.Ack.Cumulative {
			b.upTo(q, pos)
		}
		return true
	}
	return false
}

// upTo acknowledges what is before pos in q. mu is held.
func (b *Box) upTo(q *ring, pos uint64) {
	if q == &b.wait {
		b.flight.each(func(e *entry) { b.finish(&b.flight, e, &b.stats.Delivered, Acked, nil) })
	}
	for p := q.head; p != pos; p++ {
		if e := q.at(p); !e.gone {
			b.finish(q, e, &b.stats.Delivered, Acked, nil)
		}
	}
}

// late deals with what was not acknowledged in time. mu is held.
func (b *Box) late(now int64) {
	ack := b.cfg.Ack
	if ack == nil || ack.Timeout <= 0 {
		return
	}
	b.flight.each(func(e *entry) {
		if !e.whole || !e.handed || e.due || now < e.sentAt+int64(ack.Timeout) {
			return
		}
		e.cleared = true
		if ack.Reconnect {
			b.ackLate = b.errAckTimeout(ack.Timeout)
		} else {
			e.due = true
			b.due++
		}
		b.wake()
	})
}

// setAlarm sees to it that ring runs at a time of the box's clock. mu is held.
func (b *Box) setAlarm(at int64) {
	if b.closed || (b.alarmAt != 0 && b.alarmAt <= at) {
		return
	}
	b.alarmAt = at
	d := time.Duration(at - b.now())
	if b.alarm == nil {
		b.alarm = time.AfterFunc(d, b.ring)
	} else {
		b.alarm.Reset(d)
	}
}

// ring does what is due at this time.
func (b *Box) ring() {
	b.mu.Lock()
	defer b.unlock()
	if b.closed {
		return
	}
	b.alarmAt = 0
	now := b.now()
	b.expire(&b.wait, now)
	if b.disk != nil {
		b.expire(&b.disk.memory, now)
		b.wake() // the disk may be tried again
	}
	b.late(now)
	b.settle()
	b.plan()
}

// expire ends what has waited too long, which is at the front since all wait equally long. mu is held.
func (b *Box) expire(q *ring, now int64) {
	for q.tidy(); q.len() > 0; q.tidy() {
		e := q.front()
		if e.gone || e.expires == 0 || now < e.expires {
			return
		}
		b.fail(q, e, &b.stats.Expired, Expired, b.errExpired())
	}
}

// plan sets the alarm for what comes next. mu is held.
func (b *Box) plan() {
	if b.cfg.TTL > 0 {
		if b.wait.tidy(); b.wait.len() > 0 && b.wait.front().expires > 0 {
			b.setAlarm(b.wait.front().expires)
		}
		if b.disk != nil {
			if m := &b.disk.memory; m.live > 0 {
				m.tidy()
				b.setAlarm(m.front().expires)
			}
		}
	}
	if b.cfg.Ack == nil || b.cfg.Ack.Timeout <= 0 || b.ackLate != nil {
		return
	}
	b.flight.each(func(e *entry) {
		if e.handed && e.whole && !e.due {
			b.setAlarm(max(e.sentAt+int64(b.cfg.Ack.Timeout), 1))
		}
	})
}
