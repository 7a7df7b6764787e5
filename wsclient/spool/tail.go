package spool

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
)

// tailScan is what the last segment of a log holds.
type tailScan struct {
	good   int64  // end of the last sound frame, marks left out
	size   int64  // of the file
	next   uint64 // number after the last record
	proven int64  // what is before was synced
	safe   uint64 // number of the last record that was
	marked bool   // a mark is all that follows the last record
	holes  []item // damage with records behind it
	torn   *item  // damage at the end
}

// scanTail reads the last segment from its start. It notes the places of its frames.
func (g *segment) scanTail(w *walker, each func(item)) (tailScan, error) {
	t := tailScan{good: dataStart, size: w.limit, next: g.base, proven: dataStart, safe: g.base - 1}
	for {
		it, err := w.step()
		if err != nil {
			return t, err
		}
		switch it.kind {
		case itemEnd:
			t.next = w.next
			return t, nil
		case itemLost:
			if it.last == 0 && it.end == w.limit {
				t.torn = &it
			} else {
				t.holes = append(t.holes, it)
			}
		case itemMark:
			t.proven, t.safe, t.good = it.off, it.frame.seq, it.off
			t.marked = true
		case itemRecord, itemGap:
			if it.frame.is(flagSynced) {
				t.proven, t.safe = it.off, it.first-1
			}
			t.good, t.marked = it.end, false
			g.note(it.first, it.off)
		}
		if each != nil {
			each(it)
		}
	}
}

// certain reports whether a hole hit records that were synced: something later says so, or the cursor does.
func (t *tailScan) certain(hole item, safe uint64) bool {
	return hole.end <= t.proven || hole.first <= safe
}

// recoverTail finds the end of the log, takes away what a power cut left there, and makes sure of the rest. The number
// safe is that of the last record that the cursor knows to have been synced, known that of the last one that may ever
// have been. The turn and out are held.
func (s *Spool) recoverTail(safe, known uint64) error {
	if len(s.segs) == 0 {
		return s.begin(safe, known)
	}
	seg := s.tail
	f, err := s.fs.Edit(seg.name)
	if err != nil {
		return s.failure("spool.open", seg.name, err)
	}
	s.active = f
	if s.reader, err = s.fs.Open(seg.name); err != nil {
		return s.failure("spool.open", seg.name, err)
	}
	s.readerOf = seg
	t, _ := seg.scanTail(&walker{
		src: f, seed: seg.seed, off: dataStart, limit: seg.end, next: seg.base, bridge: true,
	}, nil) // a walker that bridges does not fail
	return s.repairTail(t, safe, known)
}

// begin makes the first segment of a log that has none.
func (s *Spool) begin(safe, known uint64) error {
	base := known + 1
	if err := s.anchor(); err != nil {
		return err
	}
	if s.stored.head == 0 {
		// From the first segment on there is a cursor, so that one that is missing is noticed.
		c := cursor{head: s.head, safe: safe}
		if err := s.writeCursor(c); err != nil {
			return err
		}
		s.stored = c
	}
	seg, f, err := s.create(base)
	if err != nil {
		return err
	}
	s.active, s.synced = f, seg.end
	s.segs, s.tail = append(s.segs, seg), seg
	s.next, s.safe = base, base-1
	if s.head <= safe {
		s.loseFront(safe + 1)
	}
	s.head = base
	return nil
}

// anchor syncs the directory and those above: Open made them, or somebody who was killed before he synced them. One
// above that this process may not sync, or on a file system without such a thing, was not made by it.
func (s *Spool) anchor() error {
	if err := s.syncDir(); err != nil {
		return err
	}
	for dir, parent := s.dir, filepath.Dir(s.dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		if err := s.fs.SyncDir(parent); err != nil && !cannotSync(err) {
			return s.failure("spool.sync", parent, err)
		}
	}
	return nil
}

func cannotSync(err error) bool {
	return slices.ContainsFunc([]error{
		fs.ErrPermission, errors.ErrUnsupported, syscall.EINVAL, syscall.EROFS,
	}, func(reason error) bool { return errors.Is(err, reason) })
}

// repairTail acts on what scanTail found.
func (s *Spool) repairTail(t tailScan, safe, known uint64) error {
	seg := s.tail
	for _, hole := range t.holes {
		if t.certain(hole, safe) {
			s.noteLost(seg, hole)
		} else if err := s.fill(seg, hole); err != nil {
			return err
		}
	}
	seg.end = t.good
	if safe >= t.next {
		s.loseEnd(seg, t, safe)
	} else if t.torn != nil {
		s.reports = append(s.reports, Report{
			Kind: Torn, First: t.next, File: seg.file(), Offset: t.torn.off, Bytes: t.torn.end - t.torn.off,
		})
	}
	dirty := t.torn != nil || known >= t.next
	if dirty {
		if err := s.active.Truncate(seg.end); err != nil {
			return s.failure("spool.truncate", seg.name, err)
		}
	}
	if known >= t.next {
		if err := s.state(seg, t.next, known); err != nil {
			return err
		}
		t.next = known + 1
	}
	s.next = t.next
	if !dirty && (t.marked || safe >= max(seg.base, t.next-1)) {
		s.synced, s.safe = seg.end, t.next-1
		return nil
	}
	return s.secure(seg, t.proven)
}

// loseEnd reports the records from the end of what was found up to safe.
func (s *Spool) loseEnd(seg *segment, t tailScan, safe uint64) {
	lost := item{kind: itemLost, first: t.next, last: safe, off: t.good, end: t.good}
	if t.torn != nil {
		lost.end = t.torn.end
	}
	s.noteLost(seg, lost)
}

// state writes the statement that the records from first to last are lost behind what is in seg.
func (s *Spool) state(seg *segment, first, last uint64) error {
	b := appendGap(nil, seg.seed, first, last, 0)
	if err := s.write(seg.name, s.active, b, seg.end); err != nil {
		return err
	}
	seg.end += int64(len(b))
	s.noteGone(first, last, false)
	return nil
}

// fill overwrites a hole of records that no sync had confirmed with a statement, so that it does not look like damage
// later.
func (s *Spool) fill(seg *segment, hole item) error {
	if hole.last < hole.first {
		return nil
	}
	s.reports = append(s.reports, Report{
		Kind: Torn, First: hole.first, Last: hole.last, Records: span{hole.first, hole.last}.count(),
		File: seg.file(), Offset: hole.off, Bytes: hole.end - hole.off,
	})
	s.noteGone(hole.first, hole.last, false)
	b := appendGap(nil, seg.seed, hole.first, hole.last, max(0, int(hole.end-hole.off-frameHead)))
	if int64(len(b)) != hole.end-hole.off {
		return nil // not made of whole records
	}
	return s.write(seg.name, s.active, b, hole.off)
}

// secure makes what is behind proven safe. It was perhaps never written to the disk, and if an earlier sync of it
// failed, the system may believe that it was. So it is written once more before it is synced.
func (s *Spool) secure(seg *segment, proven int64) error {
	if proven == dataStart {
		proven = 0 // the header likewise
	}
	b := make([]byte, walkBlock)
	for off := proven; off < seg.end; {
		n, err := s.active.ReadAt(b[:min(seg.end-off, walkBlock)], off)
		if n == 0 {
			return s.failure("spool.open", seg.name, err)
		}
		if err := s.write(seg.name, s.active, b[:n], off); err != nil {
			return err
		}
		off += int64(n)
	}
	if err := s.sync(seg.name, s.active); err != nil {
		return err
	}
	if err := s.syncDir(); err != nil {
		return err
	}
	s.synced, s.safe = seg.end, s.next-1
	s.mark()
	return nil
}
