// Package budget lets two logs share one bound: when there is no room, the oldest records of the lesser log go, and those of
// the greater one only when the lesser one is empty.
package budget

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// Log is the log of package store.
type Log interface {
	Append(ctx context.Context, e spool.Entry) (uint64, error)
	AppendBatch(ctx context.Context, entries []spool.Entry) (uint64, error)
	PeekFrom(seq uint64, n int) ([]spool.Record, error)
	Remove(upTo uint64) error
	Quarantine(seq uint64, reason string) error
	Wait(ctx context.Context, seq uint64) error
	Sync() error
	Len() int64
	Bytes() int64
	Close() error
}

// frame is what a record counts beside its payload.
const frame = 24

// reportEvery is how often losses are reported.
const reportEvery = time.Second

// Options are the settings of [Share].
type Options struct {
	MaxBytes int64 // of both together
	// OnLesser and OnGreater are told what each log lost, one report at a time and at most one a second. They may be nil.
	OnLesser, OnGreater func(spool.Report)
}

// pool is what the two logs share.
type pool struct {
	max    int64
	shares [2]*share // the lesser, the greater

	mu      sync.Mutex
	pending int64 // bytes of records that are being appended
}

// share is one of the two logs, with the bound around it.
type share struct {
	Log
	pool    *pool
	greater bool
	heads   heads // guarded by pool.mu
	losses  losses
}

// Share returns the two logs with their common bound around them. Those beneath have none of their own, and are no longer
// used by others. Each of the two is closed alone.
func Share(lesser, greater Log, opts Options) (Log, Log) {
	p := &pool{max: opts.MaxBytes}
	p.shares[0] = &share{Log: lesser, pool: p, losses: losses{tell: opts.OnLesser}}
	p.shares[1] = &share{Log: greater, pool: p, greater: true, losses: losses{tell: opts.OnGreater}}
	return p.shares[0], p.shares[1]
}

// Append stores a record.
func (s *share) Append(ctx context.Context, e spool.Entry) (uint64, error) {
	need := int64(len(e.Payload)) + frame
	if err := s.reserve(need, 1); err != nil {
		return 0, err
	}
	defer s.pool.release(need)
	return s.Log.Append(ctx, e)
}

// AppendBatch stores records.
func (s *share) AppendBatch(ctx context.Context, entries []spool.Entry) (uint64, error) {
	need := int64(0)
	for _, e := range entries {
		need += int64(len(e.Payload)) + frame
	}
	if err := s.reserve(need, len(entries)); err != nil {
		return 0, err
	}
	defer s.pool.release(need)
	return s.Log.AppendBatch(ctx, entries)
}

// Remove takes records out.
func (s *share) Remove(upTo uint64) error {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.heads.removed(upTo)
	return s.Log.Remove(upTo)
}

// Quarantine takes one record out.
func (s *share) Quarantine(seq uint64, reason string) error {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.heads = heads{}
	return s.Log.Quarantine(seq, reason)
}

// Close closes the log and reports what is not yet.
func (s *share) Close() error {
	err := s.Log.Close()
	s.losses.close()
	return err
}

// reserve makes room for count records of so many bytes.
func (s *share) reserve(need int64, count int) error {
	p := s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	lesser, greater := p.shares[0], p.shares[1]
	if fits, err := s.canFit(need); err != nil {
		return err
	} else if !fits {
		s.losses.add(spool.Report{Kind: spool.Refused, Records: uint64(count)})
		return smokerr.QueueFull("store.append", "records", int(lesser.Len()+greater.Len()))
	}
	for _, victim := range p.shares {
		if err := victim.shrink(func() int64 {
			return lesser.Bytes() + greater.Bytes() + p.pending + need - p.max
		}); err != nil {
			return err
		}
		if !s.greater {
			break
		}
	}
	p.pending += need
	return nil
}

// canFit reports whether so many bytes would fit if everything was dropped that they may displace: records of the greater
// log only by the greater log. pool.mu is held.
func (s *share) canFit(need int64) (bool, error) {
	p := s.pool
	free := p.max - p.pending - need
	if s.greater || free < 0 {
		return free >= 0, nil
	}
	greater := p.shares[1]
	if greater.Bytes() <= free {
		return true, nil
	}
	_, err := greater.PeekFrom(0, 1) // drops what is too old
	return greater.Bytes() <= free, err
}

func (p *pool) release(need int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending -= need
}

// shrink removes the oldest records until nothing is over, or the log is empty. pool.mu is held.
func (s *share) shrink(over func() int64) error {
	for over() > 0 && s.Len() > 0 {
		if err := s.heads.fill(s.Log); err != nil {
			return err
		}
		first, last, n := s.heads.take(over()) // less than before if records were too old
		if n == 0 {
			return nil
		}
		if err := s.Log.Remove(last); err != nil {
			return err
		}
		s.losses.add(spool.Report{Kind: spool.Dropped, First: first, Last: last, Records: n})
	}
	return nil
}
