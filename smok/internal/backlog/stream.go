package backlog

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// maxLanes bounds how many parts of a log can wait at once, one behind each outage that was long.
const maxLanes = 16

// stream is one log, with what the hub has of it.
type stream struct {
	name  string
	log   store.Log
	keyed store.Keyed

	mu    sync.Mutex
	next  uint64 // at least the number behind the last record
	start uint64 // the number of the first record, at most
	sent  spans  // with records that the log still has, or with newer ones behind
	gone  span   // what was removed since the hub has it; a crash may bring it back
	lane  uint64 // where the newest lane begins; 0 if there is one lane
	dirty bool   // sent is not written down
	wrote time.Time
}

// load takes up what the hub has. A span whose last record is not what it was is forgotten: the log is another one, and
// what is sent twice does no harm.
func (s *stream) load() error {
	first, err := s.log.PeekFrom(0, 1)
	if err != nil {
		return err
	}
	s.start, s.next = 1, 1
	if len(first) > 0 {
		s.start = first[0].Seq
	}
	s.next = s.start
	text, err := s.keyed.Get(area, s.name)
	if err != nil {
		if errors.Is(err, smokerr.ErrNotFound) || errors.Is(err, smokerr.ErrCorrupt) {
			return nil
		}
		return err
	}
	var known spans
	if json.Unmarshal(text, &known) != nil {
		return nil
	}
	for _, k := range known {
		if k.From >= k.To || k.To <= s.start || k.From < s.next && len(s.sent) > 0 {
			continue
		}
		end, err := s.log.PeekFrom(k.To-1, 1)
		if err != nil {
			return err
		}
		if len(end) > 0 && end[0].Seq == k.To-1 && end[0].Time.UnixMicro() == k.At {
			s.sent.add(span{max(k.From, s.start), k.To, k.At})
			s.next = k.To
		}
	}
	return nil
}

// area is where spans are kept.
const area = "values.sent"

// save writes down what the hub has, but not too often.
func (s *stream) save(now bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty || !now && time.Since(s.wrote) < time.Second {
		return nil
	}
	text, err := json.Marshal(s.known())
	if err != nil {
		return err
	}
	if err := s.keyed.Apply(store.Change{Area: area, Key: s.name, Value: text}); err != nil {
		return err
	}
	s.dirty, s.wrote = false, time.Now()
	return nil
}

// known returns what the hub has, with what was removed: the log may write that down later than this.
func (s *stream) known() spans {
	known := slices.Clone(s.sent)
	switch {
	case s.gone.To == 0:
	case len(known) > 0 && known[0].From <= s.gone.To:
		known[0].From = 0
	default:
		known = slices.Insert(known, 0, s.gone)
	}
	return known
}

func (s *stream) append(ctx context.Context, entries []store.Entry) error {
	first, err := s.log.AppendBatch(ctx, entries)
	if err == nil {
		s.mu.Lock()
		s.next = max(s.next, first+uint64(len(entries)))
		s.mu.Unlock()
	}
	return err
}

// gap is a part of the log that the hub does not have: up to but without to, which is 0 if it has no end.
type gap struct{ from, to uint64 }

// oldest returns the part that waits longest.
func (s *stream) oldest() gap {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, to := s.sent.gap(s.start)
	if to == 0 && s.lane > from {
		to = s.lane
	}
	return gap{from, to}
}

// newest returns the part with what came last, false if that is the oldest as well.
func (s *stream) newest() (gap, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, to := s.sent.gap(s.start)
	last := s.sent.last(s.start)
	if s.lane > last {
		return gap{from: s.lane}, true
	}
	return gap{from: last}, to != 0 && last > from
}

// branch lets what comes from now on go out beside what waits, if that is more than many records.
func (s *stream) branch(many int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := max(s.sent.last(s.start), s.lane)
	if len(s.sent) < maxLanes && s.next > last+uint64(many) {
		s.lane = s.next
	}
}

// confirm records that the hub has what is from number from up to record r, or that it will never have it.
func (s *stream) confirm(from uint64, r *store.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.add(span{from, r.Seq + 1, r.Time.UnixMicro()})
	s.next = max(s.next, r.Seq+1)
	if s.sent.last(s.start) >= s.lane {
		s.lane = 0 // the lane has a span of its own now
	}
	s.dirty = true
}

// skip records that there is nothing in a gap any more: the log has dropped it.
func (s *stream) skip(g gap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.add(span{From: g.from, To: g.to})
	if s.sent.last(s.start) >= s.lane {
		s.lane = 0
	}
	s.dirty = true
}

// trim removes what the hub has from the beginning of the log: all of it if oldest is zero, otherwise what is older, or
// too much for so many bytes.
func (s *stream) trim(oldest time.Time, most int64) error {
	s.mu.Lock()
	var done span
	if len(s.sent) > 0 && s.sent[0].From <= s.start {
		done = s.sent[0]
	}
	s.mu.Unlock()
	if done.To > 0 && !oldest.IsZero() {
		var err error
		if done, err = s.expendable(done.To, oldest, s.log.Bytes()-most); err != nil {
			return err
		}
	}
	if done.To == 0 {
		return nil
	}
	if err := s.log.Remove(done.To - 1); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = max(s.start, done.To)
	s.gone = span{To: done.To, At: done.At}
	s.sent.cut(s.start)
	return nil
}

// expendable returns the records before end that are older than oldest, or make up the excess.
func (s *stream) expendable(end uint64, oldest time.Time, excess int64) (done span, err error) {
	for {
		records, err := s.log.PeekFrom(done.To, 256)
		if err != nil || len(records) == 0 {
			return done, err
		}
		for i := range records {
			r := &records[i]
			if r.Seq >= end || !r.Time.Before(oldest) && excess <= 0 {
				return done, nil
			}
			done.To, done.At = r.Seq+1, r.Time.UnixMicro()
			excess -= int64(len(r.Payload)) + frame
		}
	}
}

// frame is what a record counts in a log beside its payload.
const frame = 24

// waiting returns how many records the hub does not have. It takes those that were set aside, among the ones that it has
// and that are kept, for records.
func (s *stream) waiting() int64 {
	first, err := s.log.PeekFrom(0, 1)
	if err != nil || len(first) == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	has := slices.Clone(s.sent)
	has.cut(first[0].Seq) // the log has dropped what was before
	return max(0, s.log.Len()-int64(has.count()))
}
