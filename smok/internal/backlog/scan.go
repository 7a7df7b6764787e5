package backlog

import (
	"iter"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Mark is a place in the logs: everything before it was seen.
type Mark struct {
	Trend     uint64 `json:"trend"`
	Permanent uint64 `json:"permanent"`
}

// Mark returns the place behind everything that was appended so far.
func (b *Backlog) Mark() Mark { return Mark{Trend: b.trend.end(), Permanent: b.permanent.end()} }

func (s *stream) end() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// Scan calls fn with every value in the store from a mark on: those of a level in their order. Records that are no values
// are left out.
func (b *Backlog) Scan(from Mark, fn func(v Value)) error {
	for _, s := range b.streams() {
		at := from.Trend
		if s == b.permanent {
			at = from.Permanent
		}
		at, err := s.resume(at)
		if err != nil {
			return err
		}
		for r, err := range s.records(at) {
			if err != nil {
				return err
			}
			s.mu.Lock()
			s.next = max(s.next, r.Seq+1)
			s.mu.Unlock()
			if v, err := Decode(&r); err == nil {
				fn(v)
			}
		}
	}
	return nil
}

// resume takes note that the log reaches up to a mark, and returns where to go on: at the beginning, if the record before
// the mark is not there, and neither is a later one. Then the mark may be that of another log.
func (s *stream) resume(mark uint64) (at uint64, err error) {
	if mark <= 1 {
		return mark, nil
	}
	last, err := s.log.PeekFrom(mark-1, 1)
	if err != nil || len(last) == 0 {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = max(s.next, mark)
	return mark, nil
}

// Samples yields what the store has of a pathpoint, by time. Samples whose time is not known are left out.
func (b *Backlog) Samples(path string) iter.Seq2[value.Sample, error] {
	return func(yield func(value.Sample, error) bool) {
		trend, stop := iter.Pull2(b.samples(b.trend, path))
		defer stop()
		other, err, more := trend() // its pathpoint may have changed its level, more than once
		for s, failed := range b.samples(b.permanent, path) {
			for more && err == nil && failed == nil && other.Time.Before(s.Time) {
				if !yield(other, nil) {
					return
				}
				other, err, more = trend()
			}
			if !yield(s, failed) || failed != nil {
				return
			}
		}
		for ; more; other, err, more = trend() {
			if !yield(other, err) || err != nil {
				return
			}
		}
	}
}

// samples yields what one log has of a pathpoint.
func (b *Backlog) samples(s *stream, path string) iter.Seq2[value.Sample, error] {
	return func(yield func(value.Sample, error) bool) {
		for r, err := range s.records(0) {
			if err != nil {
				yield(value.Sample{}, err)
				return
			}
			v, err := Decode(&r)
			if err != nil || v.Path != path {
				continue
			}
			if v.Boot != 0 {
				at, verdict := b.opts.Resolve(&v)
				if verdict != Known {
					continue
				}
				v.Time = at
			}
			if !yield(v.Sample, nil) {
				return
			}
		}
	}
}

// records yields the records of a log from a number on.
func (s *stream) records(at uint64) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		for {
			records, err := s.log.PeekFrom(at, 1024)
			if err != nil {
				yield(store.Record{}, err)
				return
			}
			if len(records) == 0 {
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
				at = r.Seq + 1
			}
		}
	}
}
