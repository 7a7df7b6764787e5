package spool

import "time"

// keep does what is due after a while: the sync of SyncEvery and the writing of the cursor. It sleeps as long as
// nothing changes.
func (s *Spool) keep() {
	var syncDue, cursorDue <-chan time.Time
	for {
		select {
		case <-s.stop:
			return
		case <-s.dirty:
			if syncDue == nil {
				syncDue = time.After(s.opts.SyncInterval)
			}
		case <-s.lagging:
			if cursorDue == nil {
				cursorDue = time.After(s.opts.CursorInterval)
			}
		case <-syncDue:
			syncDue = nil
			if err := s.keepTail(); err != nil {
				s.report(Report{Kind: Failed, Err: err})
				poke(s.dirty)
			}
		case <-cursorDue:
			cursorDue = nil
			if err := s.keepCursor(); err != nil {
				s.report(Report{Kind: Failed, Err: err})
				poke(s.lagging)
			}
			s.tellAll(false)
		}
		s.deliver()
	}
}

func (s *Spool) keepTail() error {
	select {
	case s.turn <- struct{}{}:
	case <-s.stop:
		return nil
	}
	defer func() { <-s.turn }()
	return s.flush()
}

func (s *Spool) keepCursor() error {
	s.out.Lock()
	defer s.out.Unlock()
	return s.saveCursor()
}
