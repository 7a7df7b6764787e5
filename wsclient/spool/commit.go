package spool

import (
	"path/filepath"
	"runtime"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// commit writes the encoded group and ends its requests. The caller has the turn.
func (s *Spool) commit(group []*request) {
	seg := s.tail
	err := s.write(seg.name, s.active, s.buf, seg.end)
	if err == nil && s.opts.Sync == SyncAlways {
		err = s.sync(seg.name, s.active)
	}
	if err != nil {
		s.failed = true
		for _, r := range group {
			r.finish(err)
		}
		return
	}
	s.publish(seg, group)
	if cap(s.buf) > 2*maxGroup {
		s.buf = nil // it was a batch of unusual size
	}
	for _, r := range group {
		r.finish(nil)
	}
	switch {
	case s.opts.Sync == SyncAlways:
		if len(group) > 1 {
			runtime.Gosched() // the others may come back at once
		}
		if s.waiting() == 0 {
			s.mark()
		}
	case s.opts.Sync == SyncEvery:
		poke(s.dirty)
	}
}

// publish shows the group to readers.
func (s *Spool) publish(seg *segment, group []*request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.note(s.next, seg.end)
	seg.end += int64(len(s.buf))
	for _, r := range group {
		s.next += uint64(len(r.entries))
		s.stats.Appended += uint64(len(r.entries))
	}
	s.stats.Groups++
	if s.opts.Sync == SyncAlways {
		s.confirm()
	}
	signal(&s.grown)
}

// confirm notes that everything is synced. mu and the turn are held.
func (s *Spool) confirm() {
	s.synced, s.safe = s.tail.end, s.next-1
}

// mark states behind the last record that all of them are synced. The statement costs no sync: if a crash takes it, the
// end of the log is merely less certain. The next group is written over it.
func (s *Spool) mark() {
	s.mu.Lock()
	seg, safe := s.tail, s.safe
	s.mu.Unlock()
	b := appendFrame(nil, seg.seed, frame{seq: safe, stamp: flagMark | flagSynced})
	if err := s.write(seg.name, s.active, b, seg.end); err != nil {
		s.failed = true // the next append moves to a new segment
	}
}

// syncTail makes everything that was accepted safe.
func (s *Spool) syncTail() error {
	if s.isClosed() {
		return wserr.SpoolClosed("spool.sync")
	}
	return s.flush()
}

// flush syncs the end of the log if it is not synced. The caller has the turn.
func (s *Spool) flush() error {
	if s.failed {
		return s.mend()
	}
	seg := s.tail
	if s.synced == seg.end {
		return nil
	}
	if err := s.sync(seg.name, s.active); err != nil {
		s.failed = true
		return err
	}
	s.mu.Lock()
	s.confirm()
	s.mu.Unlock()
	s.mark()
	return nil
}

// ready prepares the end of the log for another group.
func (s *Spool) ready() error {
	if s.failed {
		return s.mend()
	}
	if s.tail.end < s.opts.SegmentBytes {
		return nil
	}
	if err := s.flush(); err != nil { // a segment that is not the last is safe as a whole
		return err
	}
	seg, f, err := s.create(s.next)
	if err != nil {
		return err
	}
	_ = s.active.Close() // it was synced
	s.active, s.synced = f, seg.end
	s.mu.Lock()
	s.segs, s.tail = append(s.segs, seg), seg
	s.mu.Unlock()
	return nil
}

// create makes the segment file of base. It lasts when create returns.
func (s *Spool) create(base uint64) (*segment, vfs.File, error) {
	name := filepath.Join(s.dir, segName(base))
	header := newHeader(base, s.salt())
	f, err := s.build(name, header)
	if err == nil {
		if err = s.syncDir(); err != nil {
			_ = f.Close() // the first failure counts
		}
	}
	if err != nil {
		_ = s.fs.Remove(name) // without records it is harmless
		return nil, nil, err
	}
	seed, _ := parseHeader(header, base)
	return &segment{name: name, base: base, seed: seed, end: dataStart}, f, nil
}

// mend takes the log up again after a failed write or sync. What a failed sync covered is in doubt for ever, since the
// system may have forgotten that it still has to be written. So the segment ends where it was last synced, and a new
// one begins there. Records that were accepted without a sync are copied into it as far as they can still be read.
func (s *Spool) mend() error {
	old, base := s.tail, s.safe+1
	name := filepath.Join(s.dir, segName(base)) // that of the old one, if nothing of it is safe
	temp := name + tempSuffix
	header := newHeader(base, s.salt())
	seed, _ := parseHeader(header, base)
	b, losses := s.rescue(old, seed)
	f, err := s.build(temp, append(header, b...))
	if err != nil {
		return err
	}
	if err := s.fs.Rename(temp, name); err != nil {
		_ = f.Close() // the first failure counts
		return s.failure("spool.rename", name, err)
	}
	_ = s.active.Truncate(s.synced) // gives room back; the new segment cuts it anyway
	_ = s.active.Close()
	safe := s.synced
	s.active, s.synced = f, dataStart
	seg := &segment{name: name, base: base, seed: seed, end: dataStart + int64(len(b))}
	s.splice(old, seg, safe, losses)
	if err := s.syncDir(); err != nil {
		return err // the new segment is mended in turn
	}
	s.failed = false
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirm()
	return nil
}

// build makes the file name with contents b, synced. The name does not last yet.
func (s *Spool) build(name string, b []byte) (vfs.File, error) {
	f, err := s.fs.Create(name)
	if err != nil {
		return nil, s.failure("spool.create", name, err)
	}
	if err = s.write(name, f, b, 0); err == nil {
		err = s.sync(name, f)
	}
	if err != nil {
		_ = f.Close() // the first failure counts
		return nil, err
	}
	return f, nil
}

// rescue copies what was accepted and not synced into frames for the new segment.
func (s *Spool) rescue(old *segment, seed uint32) (b []byte, losses []item) {
	w := walker{src: s.active, seed: old.seed, off: s.synced, limit: old.end, next: s.safe + 1, stop: s.next, bridge: true}
	for {
		it, _ := w.step() // a walker that bridges does not fail
		switch it.kind {
		case itemEnd:
			return b, losses
		case itemRecord:
			it.frame.stamp &^= flagSynced
			b = appendFrame(b, seed, it.frame)
		case itemLost, itemGap:
			b = appendGap(b, seed, it.first, it.last, 0)
			if it.kind == itemLost {
				losses = append(losses, it)
			}
		case itemMark: // it said less than the sync of the copy
		}
	}
}

// splice puts the new segment behind the old one and notes what could not be copied.
func (s *Spool) splice(old, seg *segment, safe int64, losses []item) {
	s.out.Lock()
	defer s.out.Unlock()
	s.closeReader()
	s.swap(old, seg, safe)
	for _, l := range losses {
		s.noteLost(old, l)
	}
}

// swap puts the new segment behind the old one, or in its place if nothing of that is left. out is held.
func (s *Spool) swap(old, seg *segment, safe int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old.cut(safe)
	if seg.base == old.base {
		s.segs = s.segs[:len(s.segs)-1]
	}
	s.segs, s.tail = append(s.segs, seg), seg
	if s.head >= seg.base || len(s.segs) == 1 {
		s.headOff = dataStart // of the new segment; the records before the head are few
		s.retire()
	}
}

// cut ends the segment at end.
func (g *segment) cut(end int64) {
	g.end = end
	for n := len(g.index); n > 0 && g.index[n-1].off >= end; n-- {
		g.index = g.index[:n-1]
	}
}
