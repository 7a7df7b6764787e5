package spool

import (
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// clockSet is the time before which a clock is taken as not set.
var clockSet = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Remove takes the records up to and with number upTo out of the log. Numbers that are removed already do nothing, one
// that was never given is a *[ConfigError].
//
// The removal holds at once in this process. It is written to the disk after [Options.CursorInterval], so after a crash
// the records of that time come again; [Spool.Sync] writes it at once. An error says that the disk failed to take it
// down; it is tried again with the next one.
func (s *Spool) Remove(upTo uint64) error {
	defer s.deliver()
	s.out.Lock()
	defer s.out.Unlock()
	s.mu.Lock()
	head, next, closed := s.head, s.next, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return wserr.SpoolClosed("spool.remove")
	case upTo >= next:
		return wserr.Config("spool.remove", "upTo", "no such record")
	case upTo < head:
		return nil
	}
	to, off := s.locate(upTo + 1)
	s.mu.Lock()
	s.stats.Removed += upTo + 1 - s.head - s.gone.count(s.head, upTo)
	s.advance(to, off)
	s.mu.Unlock()
	return s.settle()
}

// locate returns the first record from seq on that is not gone, and where it is in its segment. out is held.
func (s *Spool) locate(seq uint64) (uint64, int64) {
	s.mu.Lock()
	next, end := s.next, s.segs[len(s.segs)-1].end
	for _, g := range s.segs {
		if g.base == seq {
			if _, gone := s.gone.has(seq); !gone {
				s.mu.Unlock()
				return seq, dataStart
			}
		}
	}
	s.mu.Unlock()
	at := place{seq: next, off: end}
	if seq >= next {
		return at.seq, at.off
	}
	err := s.visit(seq, leastBlock, func(it item) bool {
		at = place{seq: it.first, off: it.off}
		return false
	})
	if err != nil { // a little less exact: the records before are skipped by their numbers
		s.mu.Lock()
		defer s.mu.Unlock()
		return seq, s.segmentOf(seq).find(seq).off
	}
	return at.seq, at.off
}

// segmentOf returns the segment that seq belongs to. mu is held.
func (s *Spool) segmentOf(seq uint64) *segment {
	i := len(s.segs) - 1
	for i > 0 && s.segs[i].base > seq {
		i--
	}
	return s.segs[i]
}

// advance makes to, at off of its segment, the oldest record. mu and out are held.
func (s *Spool) advance(to uint64, off int64) {
	before := s.size()
	s.head, s.headOff = to, off
	s.retire()
	if s.segs[0].base >= to {
		s.headOff = dataStart // the log has moved to another segment meanwhile
	}
	s.moved += before - s.size()
	s.gone = s.gone.from(to)
	s.recount()
	signal(&s.room)
}

// retire takes the segments before the head out of the log. mu and out are held.
func (s *Spool) retire() {
	for len(s.segs) > 1 && s.segs[1].base <= s.head {
		s.doomed = append(s.doomed, s.segs[0].name)
		s.segs = s.segs[1:]
	}
}

// recount counts what is gone. mu is held.
func (s *Spool) recount() {
	s.goneCount = 0
	if s.next > s.head {
		s.goneCount = s.gone.count(s.head, s.next-1)
	}
}

// settle writes the cursor if enough was removed, and leaves it to the keeper otherwise. out is held.
func (s *Spool) settle() error {
	if s.moved >= cursorStep || len(s.doomed) > 0 {
		return s.saveCursor()
	}
	poke(s.lagging)
	return nil
}

// makeRoom expires what is too old and, under DropOldest, drops what is in the way of so many records and bytes. It
// reports whether they fit. The caller has the turn.
func (s *Spool) makeRoom(records, bytes int64) bool {
	s.out.Lock()
	defer s.out.Unlock()
	if s.opts.MaxAge > 0 {
		s.shed(Expired, s.expired)
	}
	if s.opts.Policy == DropOldest {
		s.mu.Lock()
		overRecords, overBytes := s.live()+records-s.opts.MaxRecords, s.size()+bytes-s.opts.MaxBytes
		s.mu.Unlock()
		s.shed(Dropped, func(it item) bool {
			if overRecords <= 0 && overBytes <= 0 {
				return false
			}
			overRecords--
			overBytes -= it.end - it.off
			return true
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fits(records, bytes)
}

// expired reports whether a record is too old.
func (s *Spool) expired(it item) bool {
	at := stampTime(it.frame.stamp)
	return at.After(clockSet) && time.Since(at) > s.opts.MaxAge
}

// shed drops records from the oldest on as long as more says so, and counts them as kind. out is held.
func (s *Spool) shed(kind ReportKind, more func(item) bool) {
	s.mu.Lock()
	first, to, off := s.head, s.next, s.segs[len(s.segs)-1].end
	s.mu.Unlock()
	var n, last uint64
	err := s.visit(first, leastBlock, func(it item) bool {
		if !more(it) {
			to, off = it.first, it.off
			return false
		}
		n, last = n+1, it.first
		return true
	})
	if n == 0 {
		return
	}
	if err != nil {
		to, off = s.locate(last + 1)
	}
	s.mu.Lock()
	if kind == Expired {
		s.stats.Expired += n
	} else {
		s.stats.Dropped += n
	}
	s.advance(to, off)
	s.lose(kind, first, last, n)
	s.mu.Unlock()
	if err := s.settle(); err != nil {
		s.report(Report{Kind: Failed, Err: err})
	}
}
