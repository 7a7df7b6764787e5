//go:build !js

package wsclient

import "errors"

// write is the writer of a manager with a queue. It ends with the session.
func (s *session) write() {
	defer s.writer.Done()
	awaitHook(s.greeted, s.stop)
	if s.prior != nil {
		s.prior.endWriter()
	}
	box := s.m.outbox
	box.Up(s.gen)
	for {
		msgs, err := box.Next(s.stop)
		if err != nil {
			s.fail(reasonOf(err), err)
			break
		}
		if len(msgs) == 0 {
			break
		}
		n, err := s.conn.WriteBatch(msgs)
		box.Sent(n)
		s.m.counters.sent(msgs[:n])
		if err != nil {
			s.fail(reasonOf(err), err)
			break
		}
	}
	// Why the connection ended is certain only when it has.
	s.maybeLost = box.Down(s.closeCode(), s.conn.Err())
	s.mu.Lock()
	s.poisoned = box.Poisoned()
	s.mu.Unlock()
}

// closeCode returns the close code of the peer, 0 if it sent none.
func (s *session) closeCode() int {
	if e, ok := errors.AsType[*ClosedError](s.conn.Err()); ok && e.Remote && e.Code != codeAbnormal {
		return e.Code
	}
	return 0
}
