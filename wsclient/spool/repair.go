package spool

import (
	"context"
	"slices"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Repair makes dir sound: it does what [Open] does, and then writes every segment anew in which something is damaged.
// All sound records are kept. What is damaged goes to the quarantine and to onReport, which may be nil; in its place
// stands a statement of what is lost. A crash during the repair leaves a directory that can be opened or repaired.
//
// It returns what Verify finds afterwards. A directory that is open is a *[ConfigError].
func Repair(ctx context.Context, dir string, onReport func(Report)) (*Health, error) {
	return repairOn(ctx, vfs.OS{}, randomSalt, dir, onReport)
}

func repairOn(
	ctx context.Context, fsys vfs.FS, salt func() uint64, dir string, onReport func(Report),
) (*Health, error) {
	if _, err := fsys.List(dir); err != nil {
		return nil, wserr.Spool("spool.repair", dir, err) // Open would make it
	}
	s, err := openOn(fsys, salt, dir, &Options{MaxBytes: -1, OnReport: onReport})
	if err != nil {
		return nil, err
	}
	err = s.renew(ctx)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return verifyOn(ctx, fsys, dir)
}

// renew writes the damaged files anew.
func (s *Spool) renew(ctx context.Context) error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.out.Lock()
	defer s.out.Unlock()
	list, err := survey(s.fs, s.dir)
	if err != nil {
		return s.failure("spool.repair", s.dir, err)
	}
	for i, seg := range s.segs {
		if ctx.Err() != nil {
			return ended("spool.repair", ctx)
		}
		stop := s.next
		if i+1 < len(s.segs) {
			stop = s.segs[i+1].base
		}
		scarred := slices.ContainsFunc(list.scarred, func(g *segment) bool { return g.name == seg.name })
		if err := s.renewSegment(seg, stop, scarred); err != nil {
			return err
		}
	}
	return nil
}

// renewSegment writes seg anew if something in it is damaged. stop is the number after its last record.
func (s *Spool) renewSegment(seg *segment, stop uint64, scarred bool) error {
	f, err := s.fs.Open(seg.name)
	if err != nil {
		return s.failure("spool.repair", seg.name, err)
	}
	defer f.Close()
	s.closeReader()
	if s.reader, err = s.fs.Open(seg.name); err != nil {
		return s.failure("spool.repair", seg.name, err)
	}
	s.readerOf = seg
	damaged := scarred
	walk := func(fn func(item) error) error {
		w := walker{src: f, seed: seg.seed, off: dataStart, limit: seg.end, next: seg.base, stop: stop, bridge: true}
		for {
			it, _ := w.step() // a walker that bridges does not fail
			if it.kind == itemEnd {
				return nil
			}
			if err := fn(it); err != nil {
				return err
			}
		}
	}
	_ = walk(func(it item) error {
		if it.kind == itemLost {
			damaged = true
			s.noteLost(seg, it)
		}
		return nil
	})
	if !damaged {
		return nil
	}
	return s.rewrite(seg, walk)
}

// rewrite writes what walk finds in seg into a file that takes its place.
func (s *Spool) rewrite(seg *segment, walk func(func(item) error) error) error {
	temp := seg.name + tempSuffix
	f, err := s.fs.Create(temp)
	if err != nil {
		return s.failure("spool.create", temp, err)
	}
	b := newHeader(seg.base, s.salt())
	seed, _ := parseHeader(b, seg.base)
	var end int64
	flush := func() error {
		err := s.write(temp, f, b, end)
		end += int64(len(b))
		b = b[:0]
		return err
	}
	err = walk(func(it item) error {
		switch it.kind {
		case itemRecord:
			b = appendFrame(b, seed, frame{seq: it.first, stamp: it.frame.stamp &^ flagSynced, body: it.frame.body})
		case itemLost, itemGap:
			if it.last >= it.first {
				b = appendGap(b, seed, it.first, it.last, 0)
			}
		case itemMark, itemEnd:
		}
		if len(b) < walkBlock {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = s.sync(temp, f)
	}
	if cerr := f.Close(); err == nil && cerr != nil {
		err = s.failure("spool.close", temp, cerr)
	}
	if err != nil {
		return err
	}
	return s.install(seg, temp, seed, end)
}

// install puts the file temp in the place of seg.
func (s *Spool) install(seg *segment, temp string, seed uint32, end int64) error {
	s.closeReader()
	if err := s.fs.Rename(temp, seg.name); err != nil {
		return s.failure("spool.rename", seg.name, err)
	}
	if err := s.syncDir(); err != nil {
		return err
	}
	if seg == s.tail {
		f, err := s.fs.Edit(seg.name)
		if err != nil {
			return s.failure("spool.open", seg.name, err)
		}
		_ = s.active.Close() // the file that was replaced
		s.active, s.synced = f, end
	}
	s.mu.Lock()
	seg.seed, seg.end, seg.index = seed, end, nil
	if seg == s.segs[0] {
		s.headOff = dataStart // the records before the head are skipped by their numbers
	}
	s.mu.Unlock()
	if seg == s.tail {
		s.mark()
	}
	return nil
}
