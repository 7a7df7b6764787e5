package spool

import (
	"context"
	"iter"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

const (
	readRecords = 1024      // records that an iterator reads ahead
	readBytes   = 256 << 10 // bytes that one call reads, except for a single longer record
	readPerRec  = 256       // bytes read at first per record that is asked for
	leastBlock  = 4 << 10
	// readAttempts is how often a place on the disk may fail to be read before it counts as damaged.
	readAttempts = 3
)

// strike counts the failures to read one place.
type strike struct {
	place
	count int
}

// Peek returns the oldest records, at most n, without removing them; none if the spool is empty. It may return fewer
// than there are: one call reads at most 256 KiB, or one longer record.
func (s *Spool) Peek(n int) ([]Record, error) { return s.PeekFrom(0, n) }

// PeekFrom is like Peek but starts at the record with number seq, or the next one that there is.
func (s *Spool) PeekFrom(seq uint64, n int) ([]Record, error) {
	defer s.deliver()
	s.out.Lock()
	defer s.out.Unlock()
	if s.isClosed() {
		return nil, wserr.SpoolClosed("spool.peek")
	}
	if s.opts.MaxAge > 0 {
		s.shed(Expired, s.expired)
	}
	return s.read(seq, n)
}

// Records returns the records from number seq on, or from the oldest one if that is later, and waits for more when it
// has given all. It ends without an error when ctx is done, and with one when the disk fails or the spool is closed.
// Records are not removed by this. Memory is bounded by what is read ahead: at most 256 KiB or one longer record.
func (s *Spool) Records(ctx context.Context, seq uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			end := s.endSeq()
			recs, err := s.PeekFrom(seq, readRecords)
			for _, r := range recs {
				if ctx.Err() != nil || !yield(r, nil) {
					return
				}
				seq = r.Seq + 1
			}
			if err == nil && len(recs) == 0 {
				seq = max(seq, end) // up to there nothing is left
				err = s.wait(ctx, seq)
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
		}
	}
}

// Wait returns nil when a record with number seq or above has been appended. It returns an error when ctx is done or the
// spool is closed before.
func (s *Spool) Wait(ctx context.Context, seq uint64) error {
	if err := s.wait(ctx, seq); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ended("spool.wait", ctx)
	}
	return nil
}

// wait is Wait without an error for a context that is done.
func (s *Spool) wait(ctx context.Context, seq uint64) error {
	for {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			return wserr.SpoolClosed("spool.wait")
		case max(seq, s.head) < s.next:
			s.mu.Unlock()
			return nil
		}
		grown := listen(&s.grown)
		s.mu.Unlock()
		select {
		case <-grown:
		case <-s.stop:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Spool) endSeq() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// read returns up to n records from number seq on. out is held.
func (s *Spool) read(seq uint64, n int) (recs []Record, err error) {
	bytes := 0
	err = s.visit(seq, block(n), func(it item) bool {
		if len(recs) >= n || (len(recs) > 0 && bytes+len(it.frame.body) > readBytes) {
			return false
		}
		bytes += len(it.frame.body)
		recs = append(recs, Record{
			Seq: it.frame.seq, Time: stampTime(it.frame.stamp), Tag: stampTag(it.frame.stamp), Payload: it.frame.body,
		})
		return true
	})
	if len(recs) > 0 {
		return recs, nil // a failure behind them comes up again
	}
	return nil, err
}

// block returns how much to read at a time for n records.
func block(n int) int64 { return min(max(int64(n)*readPerRec, leastBlock), walkBlock) }

// visit calls fn for the records from number seq on, in order, until it returns false. Damage on the way is noted. A
// place that cannot be read is an error, and damage once that has happened a few times. out is held.
func (s *Spool) visit(seq uint64, block int64, fn func(item) bool) error {
	for {
		seg, w := s.walkerAt(seq)
		if w == nil {
			return nil
		}
		w.block = block
		if err := s.load(seg, w); err != nil {
			return err
		}
		for {
			it, err := w.step()
			if err != nil {
				if s.strike(seg, w.off) < readAttempts {
					return s.failure("spool.read", seg.name, err)
				}
				w.bridge = true
				continue
			}
			if it.kind == itemEnd {
				break
			}
			if !s.pass(seg, it, seq, fn) {
				s.at = place{seq: it.first, off: it.off}
				return nil
			}
			s.index(seg, w)
		}
		seq = w.next
	}
}

// pass handles one item on the way. It reports whether to go on.
func (s *Spool) pass(seg *segment, it item, seq uint64, fn func(item) bool) bool {
	switch it.kind {
	case itemLost:
		s.noteLost(seg, it)
	case itemGap:
		s.noteGone(it.first, it.last, true)
	case itemRecord:
		return it.first < seq || s.isGone(it.first) || fn(it)
	case itemMark, itemEnd:
	}
	return true
}

// walkerAt returns a walker that starts at record seq or shortly before it, nil if there is no such record yet.
func (s *Spool) walkerAt(seq uint64) (*segment, *walker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq = max(seq, s.head)
	if seq >= s.next {
		return nil, nil
	}
	i := len(s.segs) - 1
	for s.segs[i].base > seq && i > 0 {
		i--
	}
	seg, stop := s.segs[i], s.next
	if i+1 < len(s.segs) {
		stop = s.segs[i+1].base
	}
	from := seg.find(seq)
	if i == 0 && s.headOff > from.off && s.head <= seq {
		from = place{seq: s.head, off: s.headOff}
	}
	if seg == s.readerOf && s.at.off > from.off && s.at.seq <= seq && s.at.off <= seg.end {
		from = s.at
	}
	return seg, &walker{
		seed: seg.seed, off: from.off, next: from.seq, limit: seg.end, stop: stop, keep: true,
	}
}

// load opens the file of seg for w, or uses the one that is open. A file that cannot be opened time and again counts
// as damaged as a whole.
func (s *Spool) load(seg *segment, w *walker) error {
	if s.readerOf != seg {
		s.closeReader()
		f, err := s.fs.Open(seg.name)
		if err != nil {
			if s.strike(seg, w.off) < readAttempts {
				return s.failure("spool.read", seg.name, err)
			}
			w.limit = w.off
			return nil
		}
		s.reader, s.readerOf = f, seg
	}
	w.src = s.reader
	return nil
}

// strike counts a failure to read at off of seg.
func (s *Spool) strike(seg *segment, off int64) int {
	at := place{seq: seg.base, off: off}
	if s.bad.place != at {
		s.bad = strike{place: at}
	}
	s.bad.count++
	return s.bad.count
}

// index remembers where the walker is.
func (s *Spool) index(seg *segment, w *walker) {
	s.at = place{seq: w.next, off: w.off}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.note(w.next, w.off)
}

func (s *Spool) closeReader() {
	if s.reader != nil {
		_ = s.reader.Close() // it was only read
	}
	s.reader, s.readerOf, s.at = nil, nil, place{}
}
