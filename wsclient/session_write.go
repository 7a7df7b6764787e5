//go:build !js

package wsclient

import (
	"errors"
	"time"
)

// greetingTime is how long the queue waits for OnConnect.
const greetingTime = time.Second

// write is the writer of a manager with a queue. It ends with the session.
func (s *session) write() {
	defer s.writer.Done()
	s.awaitGreeting()
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
	box.Down(s.closeCode(), s.conn.Err())
}

// awaitGreeting lets OnConnect come before what is queued, unless it takes too long.
func (s *session) awaitGreeting() {
	if s.greeted == nil {
		return
	}
	patience := time.NewTimer(greetingTime)
	defer patience.Stop()
	select {
	case <-s.greeted:
	case <-s.stop:
	case <-patience.C:
	}
}

// closeCode returns the close code of the peer, 0 if it sent none.
func (s *session) closeCode() int {
	if e, ok := errors.AsType[*ClosedError](s.conn.Err()); ok && e.Remote && e.Code != codeAbnormal {
		return e.Code
	}
	return 0
}
