package spool

import (
	"context"
	"iter"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// maxProblems bounds the problems that [Verify] lists one by one.
const maxProblems = 1000

// Health is what [Verify] found in a directory.
type Health struct {
	Segments    int
	Bytes       int64  // size of the segment files
	Records     uint64 // sound records that were not removed
	Removed     uint64 // sound records that are still in a segment but were removed
	Quarantined uint64 // records in the quarantine
	First, Next uint64 // number of the oldest record, and the one after the last

	// Problems are the damaged places, the first 1000 of them. A Torn end is no damage: it is what a power cut
	// leaves, or what a program that runs is just writing.
	Problems []Report
	Damaged  int    // number of damaged places, torn ends left out
	Lost     uint64 // records that they took
}

// Sound reports whether nothing is damaged.
func (h *Health) Sound() bool { return h.Damaged == 0 }

func (h *Health) add(r Report) {
	if r.Kind != Torn {
		h.Damaged++
		h.Lost += r.Records
	}
	if len(h.Problems) < maxProblems {
		h.Problems = append(h.Problems, r)
	}
}

// Verify reads everything in dir and checks it, without changing anything. The directory may be in use. It reads each
// segment once and holds little of it in memory. A directory that cannot be read is a *[SpoolError].
func Verify(ctx context.Context, dir string) (*Health, error) { return verifyOn(ctx, vfs.OS{}, dir) }

func verifyOn(ctx context.Context, fsys vfs.FS, dir string) (*Health, error) {
	list, err := survey(fsys, dir)
	if err != nil {
		return nil, wserr.Spool("spool.verify", dir, err)
	}
	h := &Health{First: list.head(), Segments: len(list.segs)}
	known, err := h.surface(fsys, dir, &list)
	if err != nil {
		return nil, err
	}
	v := verifier{ctx: ctx, fs: fsys, dir: dir, health: h, known: known, safe: list.cursor.safe}
	if err := v.segments(list); err != nil {
		return nil, err
	}
	return h, nil
}

// surface checks what lies around the segments and returns the numbers that the quarantine accounts for.
func (h *Health) surface(fsys vfs.FS, dir string, list *inventory) (spans, error) {
	if list.cursorLost() {
		h.add(Report{Kind: CursorLost, File: cursorName})
	}
	w := ward{name: filepath.Join(dir, wardName)}
	poison, flaws, err := w.load(fsys)
	if err != nil {
		return nil, wserr.Spool("spool.verify", w.name, err)
	}
	for _, r := range flaws {
		h.add(r)
	}
	var known spans
	for _, p := range poison {
		known = known.add(span{p.First, p.Last})
		if p.Record {
			h.Quarantined++
		}
	}
	for _, seg := range list.scarred {
		h.add(Report{Kind: Damaged, File: seg.file(), Bytes: dataStart})
	}
	for _, seg := range list.headless {
		h.add(Report{Kind: Damaged, File: seg.file(), First: seg.base, Bytes: seg.end})
	}
	if len(list.segs) > 0 && h.First < list.segs[0].base {
		h.missing(known, item{first: h.First, last: list.segs[0].base - 1}, "")
	}
	return known, nil
}

// missing adds a damaged place if it hit records that are not accounted for, or bytes that should be sound.
func (h *Health) missing(known spans, it item, file string) {
	first := max(it.first, h.First)
	r := Report{Kind: Damaged, File: file, Offset: it.off, Bytes: it.end - it.off}
	if it.last >= first {
		r.First, r.Last = first, it.last
		r.Records = span{first, it.last}.count() - known.count(first, it.last)
	}
	if r.Records > 0 || r.Bytes > 0 {
		h.add(r)
	}
}

// verifier goes through the segments of a directory.
type verifier struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the call
	fs     vfs.FS
	dir    string
	health *Health
	known  spans
	safe   uint64
	window []byte
}

func (v *verifier) segments(list inventory) error {
	for i, seg := range list.segs {
		if v.ctx.Err() != nil {
			return ended("spool.verify", v.ctx)
		}
		var stop uint64
		if i+1 < len(list.segs) {
			stop = list.segs[i+1].base
		}
		if err := v.segment(seg, stop); err != nil {
			return err
		}
	}
	if len(list.segs) == 0 {
		v.health.Next = max(v.health.First, v.safe+1)
		if v.safe >= v.health.First {
			v.health.missing(v.known, item{first: v.health.First, last: v.safe}, "")
		}
	}
	return nil
}

// segment checks one segment file; stop is 0 for the last one.
func (v *verifier) segment(seg *segment, stop uint64) error {
	f, err := v.fs.Open(seg.name)
	if isMissing(err) {
		return nil // removed by its owner meanwhile
	}
	if err != nil {
		return wserr.Spool("spool.verify", seg.name, err)
	}
	defer f.Close()
	h := v.health
	h.Bytes += seg.end
	w := walker{
		src: f, seed: seg.seed, off: dataStart, limit: seg.end, next: seg.base, stop: stop, bridge: true,
		window: v.window[:0],
	}
	t, _ := seg.scanTail(&w, func(it item) { // a walker that bridges does not fail
		switch {
		case it.kind == itemRecord && it.first >= h.First:
			if _, gone := v.known.has(it.first); !gone {
				h.Records++
			}
		case it.kind == itemRecord:
			h.Removed++
		}
	})
	v.window = w.window
	for _, hole := range t.holes {
		if stop > 0 || t.certain(hole, v.safe) {
			h.missing(v.known, hole, seg.file())
		} else {
			h.add(Report{
				Kind: Torn, First: hole.first, Last: hole.last, File: seg.file(), Offset: hole.off, Bytes: hole.end - hole.off,
			})
		}
	}
	if stop == 0 {
		v.end(seg, t)
	}
	return nil
}

// end judges the end of the log.
func (v *verifier) end(seg *segment, t tailScan) {
	h := v.health
	h.Next = max(t.next, h.First)
	switch {
	case v.safe >= h.Next:
		h.missing(v.known, item{first: h.Next, last: v.safe, off: t.good, end: t.size}, seg.file())
	case t.torn != nil:
		h.add(Report{
			Kind: Torn, First: t.next, File: seg.file(), Offset: t.torn.off, Bytes: t.torn.end - t.torn.off,
		})
	}
}

// Dump returns the records of dir that were not removed, oldest first, without changing anything. Damaged places are
// left out; [Verify] lists them. The directory may be in use. A directory that cannot be read is a *[SpoolError].
func Dump(ctx context.Context, dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		list, err := survey(vfs.OS{}, dir)
		if err != nil {
			yield(Record{}, wserr.Spool("spool.dump", dir, err))
			return
		}
		w := ward{name: filepath.Join(dir, wardName)}
		poison, _, err := w.load(vfs.OS{})
		if err != nil {
			yield(Record{}, wserr.Spool("spool.dump", w.name, err))
			return
		}
		var known spans
		for _, p := range poison {
			known = known.add(span{p.First, p.Last})
		}
		for i, seg := range list.segs {
			var stop uint64
			if i+1 < len(list.segs) {
				stop = list.segs[i+1].base
			}
			if !dumpSegment(ctx, seg, stop, max(list.head(), seg.base), known, yield) {
				return
			}
		}
	}
}

// dumpSegment gives out the records of one segment. It reports whether to go on.
func dumpSegment(
	ctx context.Context, seg *segment, stop, head uint64, known spans, yield func(Record, error) bool,
) bool {
	f, err := vfs.OS{}.Open(seg.name)
	if isMissing(err) {
		return true
	}
	if err != nil {
		return yield(Record{}, wserr.Spool("spool.dump", seg.name, err))
	}
	defer f.Close()
	w := walker{
		src: f, seed: seg.seed, off: dataStart, limit: seg.end, next: seg.base, stop: stop, keep: true, bridge: true,
	}
	for ctx.Err() == nil {
		it, _ := w.step() // a walker that bridges does not fail
		if it.kind == itemEnd {
			return true
		}
		if _, gone := known.has(it.first); it.kind != itemRecord || it.first < head || gone {
			continue
		}
		rec := Record{
			Seq: it.first, Time: stampTime(it.frame.stamp), Tag: stampTag(it.frame.stamp), Payload: it.frame.body,
		}
		if !yield(rec, nil) {
			return false
		}
	}
	yield(Record{}, ended("spool.dump", ctx))
	return false
}
