package store

import (
	"bytes"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// frame is what a record counts beside its payload, as in a spool.
const frame = 24

// peekBytes bounds what one call of PeekFrom returns, unless a single record is longer.
const peekBytes = 256 << 10

// memLog is a [Log] in memory.
type memLog struct {
	opts spool.Options

	mu      sync.Mutex
	records []Record // oldest first
	next    uint64
	bytes   int64
	closed  bool
	room    chan struct{} // closed when something was removed
	grown   chan struct{} // closed when something was appended
	reports []spool.Report
	telling bool
}

// NewLog returns a [Log] in memory. Of the options it heeds MaxBytes, MaxRecords, MaxAge, Policy and OnReport, with the
// meanings and defaults that they have for a spool. Nil options mean the defaults. Quarantined records are dropped.
func NewLog(opts *spool.Options) Log {
	var o spool.Options
	if opts != nil {
		o = *opts
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	if o.MaxBytes < 0 {
		o.MaxBytes = math.MaxInt64
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = math.MaxInt64
	}
	return &memLog{opts: o, next: 1, room: make(chan struct{}), grown: make(chan struct{})}
}

// Append stores a record.
func (l *memLog) Append(ctx context.Context, e Entry) (uint64, error) {
	return l.AppendBatch(ctx, []Entry{e})
}

// AppendBatch stores records.
func (l *memLog) AppendBatch(ctx context.Context, entries []Entry) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, smokerr.Store("store.append", "log", err)
	}
	need := int64(0)
	for _, e := range entries {
		if len(e.Payload) > spool.MaxPayload || int64(len(e.Payload))+frame > l.opts.MaxBytes {
			return 0, smokerr.InvalidArgument("store.append", "payload", "too long", nil)
		}
		need += int64(len(e.Payload)) + frame
	}
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return 0, smokerr.Closed("store.append")
		case len(entries) == 0:
			return 0, nil
		case l.fits(need, int64(len(entries))):
			return l.add(entries), nil
		case need > l.opts.MaxBytes || int64(len(entries)) > l.opts.MaxRecords || l.opts.Policy == spool.Refuse:
			return 0, smokerr.QueueFull("store.append", "records", len(l.records))
		case l.opts.Policy == spool.DropNewest:
			l.report(spool.Report{Kind: spool.Refused, Records: uint64(len(entries))})
			return 0, smokerr.QueueFull("store.append", "records", len(l.records))
		}
		if err := l.waitRoom(ctx); err != nil {
			return 0, err
		}
	}
}

// waitRoom waits until something was removed. mu is held, but not while it waits.
func (l *memLog) waitRoom(ctx context.Context) error {
	room := l.room
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return smokerr.Store("store.append", "log", context.Cause(ctx))
	}
}

// fits makes room, as far as the policy allows it, and reports whether there is enough. mu is held.
func (l *memLog) fits(bytes, count int64) bool {
	l.expire()
	fits := func() bool {
		return l.bytes <= l.opts.MaxBytes-bytes && int64(len(l.records)) <= l.opts.MaxRecords-count
	}
	if l.opts.Policy == spool.DropOldest && bytes <= l.opts.MaxBytes && count <= l.opts.MaxRecords {
		n := 0
		for first := l.records; !fits(); n++ {
			l.cut(1)
			if fits() {
				l.report(spool.Report{
					Kind: spool.Dropped, First: first[0].Seq, Last: first[n].Seq, Records: uint64(n + 1),
				})
			}
		}
	}
	return fits()
}

// clockSet is when times begin to mean something: a record from before it, when the clock was not set yet, does not expire.
// It is earlier than that of a spool, so that logs in testing/synctest bubbles, which begin in 2000, lose what is too old.
var clockSet = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// expire drops the oldest records that are too old. mu is held.
func (l *memLog) expire() {
	if l.opts.MaxAge <= 0 {
		return
	}
	n, now := 0, time.Now()
	for n < len(l.records) && l.records[n].Time.After(clockSet) && now.Sub(l.records[n].Time) > l.opts.MaxAge {
		n++
	}
	if n > 0 {
		l.report(spool.Report{
			Kind: spool.Expired, First: l.records[0].Seq, Last: l.records[n-1].Seq, Records: uint64(n),
		})
		l.cut(n)
	}
}

// cut takes the first n records out. mu is held.
func (l *memLog) cut(n int) {
	for _, r := range l.records[:n] {
		l.bytes -= int64(len(r.Payload)) + frame
	}
	l.records = l.records[n:]
	if len(l.records) == 0 {
		l.records = nil
	}
	wake(&l.room)
}

func (l *memLog) add(entries []Entry) (first uint64) {
	first = l.next
	for _, e := range entries {
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		l.records = append(l.records, Record{
			Seq: l.next, Time: e.Time.Truncate(time.Microsecond), Tag: e.Tag, Payload: bytes.Clone(e.Payload),
		})
		l.bytes += int64(len(e.Payload)) + frame
		l.next++
	}
	wake(&l.grown)
	return first
}

// PeekFrom returns records.
func (l *memLog) PeekFrom(seq uint64, n int) ([]Record, error) {
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, smokerr.Closed("store.peek")
	}
	l.expire()
	var list []Record
	size := 0
	for _, r := range l.records[l.index(seq):] {
		if size += len(r.Payload); len(list) >= n || len(list) > 0 && size > peekBytes {
			break
		}
		r.Payload = bytes.Clone(r.Payload)
		list = append(list, r)
	}
	return list, nil
}

// index returns where record seq is or would be. mu is held.
func (l *memLog) index(seq uint64) int {
	i, _ := slices.BinarySearchFunc(l.records, seq, func(r Record, seq uint64) int {
		switch {
		case r.Seq < seq:
			return -1
		case r.Seq > seq:
			return 1
		}
		return 0
	})
	return i
}

// Remove takes records out.
func (l *memLog) Remove(upTo uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return smokerr.Closed("store.remove")
	case upTo >= l.next:
		return smokerr.InvalidArgument("store.remove", "upTo", "a number that was never given", nil)
	}
	l.cut(l.index(upTo + 1))
	return nil
}

// Quarantine takes one record out.
func (l *memLog) Quarantine(seq uint64, reason string) error {
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return smokerr.Closed("store.quarantine")
	}
	i := l.index(seq)
	if i == len(l.records) || l.records[i].Seq != seq {
		return smokerr.InvalidArgument("store.quarantine", "seq", "no such record", nil)
	}
	l.bytes -= int64(len(l.records[i].Payload)) + frame
	l.records = slices.Delete(l.records, i, i+1)
	wake(&l.room)
	l.report(spool.Report{Kind: spool.Quarantined, First: seq, Last: seq, Records: 1, Reason: reason})
	return nil
}

// Wait waits for a record.
func (l *memLog) Wait(ctx context.Context, seq uint64) error {
	for {
		l.mu.Lock()
		grown, closed, done := l.grown, l.closed, seq < l.next
		l.mu.Unlock()
		if closed {
			return smokerr.Closed("store.wait")
		}
		if done {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return smokerr.Store("store.wait", "log", context.Cause(ctx))
		}
	}
}

// Sync does nothing: there is nothing that would last.
func (l *memLog) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return smokerr.Closed("store.sync")
	}
	return nil
}

// Len returns the number of records.
func (l *memLog) Len() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.records))
}

// Bytes returns their size.
func (l *memLog) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// Close ends all calls that wait.
func (l *memLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		wake(&l.grown)
		wake(&l.room)
	}
	return nil
}

// report remembers a report until [memLog.tell]. mu is held.
func (l *memLog) report(r spool.Report) {
	if l.opts.OnReport != nil {
		l.reports = append(l.reports, r)
	}
}

// tell hands the reports over, in order and one at a time.
func (l *memLog) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.telling {
		return
	}
	l.telling = true
	for len(l.reports) > 0 {
		r := l.reports[0]
		l.reports = l.reports[1:]
		l.mu.Unlock()
		l.opts.OnReport(r)
		l.mu.Lock()
	}
	l.telling = false
}

// wake ends the waiting for c.
func wake(c *chan struct{}) {
	close(*c)
	*c = make(chan struct{})
}
