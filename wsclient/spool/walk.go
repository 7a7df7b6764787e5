package spool

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	walkBlock = 64 << 10 // bytes read at a time
	sector    = 4 << 10  // what is given up around a place that cannot be read
	// resyncEffort bounds the checksums computed in the search for the next sound frame, in multiples of what is left
	// of the segment. Payloads made to look like frames cannot make it last longer.
	resyncEffort = 16
)

// itemKind says what a walker came upon.
type itemKind int

const (
	itemEnd    itemKind = iota // nothing more
	itemRecord                 // a record
	itemMark                   // a mark
	itemGap                    // records that are known to be lost
	itemLost                   // bytes that are no frame, or records that are missing
)

// item is one step of a walker.
type item struct {
	kind  itemKind
	frame frame  // of a record, mark or gap
	first uint64 // first record of a gap or loss
	last  uint64 // its last record; below first if no record is lost, 0 if that is unknown
	off   int64  // where it starts
	end   int64  // and ends
}

// walker reads the frames of one segment in order and comes through whatever is damaged: it searches the next frame
// that fits and says what is missing before it. It never goes back, so it ends.
type walker struct {
	src   io.ReaderAt
	seed  uint32
	off   int64  // the next byte to look at
	limit int64  // end of what may be read
	next  uint64 // number of the next record
	stop  uint64 // number of the first record that does not belong to the segment; 0 if unknown

	block    int64 // bytes to read at a time; 0 means walkBlock
	keep     bool  // bodies stay valid: windows are not used again
	bridge   bool  // places that cannot be read are damage, not an error
	window   []byte
	start    int64 // where the window starts
	finished bool
	effort   int64 // bytes checked in the search for a sound frame
}

// step returns the next item. An error is one of reading; another step tries again.
func (w *walker) step() (item, error) {
	if w.done() {
		return w.finish(), nil
	}
	f, size, err := w.frameAt(w.off)
	if err != nil {
		return item{}, err
	}
	if size == 0 {
		return w.resync()
	}
	return w.accept(f, size), nil
}

func (w *walker) done() bool { return w.off >= w.limit || (w.stop > 0 && w.next >= w.stop) }

// finish says once which records are missing at the end.
func (w *walker) finish() item {
	if w.finished || w.stop == 0 || w.next >= w.stop {
		return item{kind: itemEnd, off: w.off, end: w.off}
	}
	w.finished = true
	lost := item{kind: itemLost, first: w.next, last: w.stop - 1, off: w.off, end: w.off}
	w.next = w.stop
	return lost
}

// accept takes the frame at the current place.
func (w *walker) accept(f frame, size int64) item {
	if w.stop > 0 && f.seq >= w.stop {
		w.off = w.limit // cut by the next segment
		return w.finish()
	}
	missing := f.seq
	if f.is(flagMark) {
		missing++ // the mark's own number is that of a record before it
	}
	if missing > w.next {
		lost := item{kind: itemLost, first: w.next, last: missing - 1, off: w.off, end: w.off}
		w.next = missing
		return lost
	}
	it := item{kind: itemRecord, frame: f, first: f.seq, last: f.last(), off: w.off, end: w.off + size}
	switch {
	case f.is(flagMark):
		it.kind = itemMark
	case f.is(flagGap):
		it.kind = itemGap
		w.next = it.last + 1
	default:
		w.next = f.seq + 1
	}
	w.off = it.end
	return it
}

// frameAt decodes the frame at off; size is 0 if there is none that could follow.
func (w *walker) frameAt(off int64) (f frame, size int64, err error) {
	head, err := w.bytes(off, frameHead)
	if err != nil || len(head) < frameHead || !w.plausible(head) {
		return frame{}, 0, err
	}
	size = frameSize(head)
	if size == 0 || off+size > w.limit {
		return frame{}, 0, nil
	}
	b, err := w.bytes(off, size)
	if err != nil || int64(len(b)) < size {
		return frame{}, 0, err
	}
	w.effort += size
	f, ok := decodeFrame(b, w.seed)
	if !ok || (f.is(flagGap) && f.last() < f.seq) {
		return frame{}, 0, nil
	}
	return f, size, nil
}

// plausible reports whether the number in the head could be the next one: it does not go back, and it does not jump
// further than any log does.
func (w *walker) plausible(head []byte) bool {
	seq := binary.LittleEndian.Uint64(head[8:])
	if head[23]&(flagMark>>56) != 0 {
		seq++
	}
	return seq >= w.next && seq-w.next < 1<<32
}

// resync searches the next sound frame behind the current place and returns what is lost before it.
func (w *walker) resync() (item, error) {
	lost := item{kind: itemLost, first: w.next, off: w.off}
	w.effort = 0
	budget := (w.limit - w.off) * resyncEffort
	for p := w.off + 1; p+frameHead <= w.limit && w.effort <= budget; p++ {
		head, err := w.bytes(p, frameHead)
		if err != nil {
			return item{}, err
		}
		if len(head) < frameHead {
			break
		}
		if !w.plausible(head) {
			continue
		}
		f, size, err := w.frameAt(p)
		if err != nil {
			return item{}, err
		}
		if size == 0 {
			continue
		}
		if w.stop > 0 && f.seq >= w.stop {
			break
		}
		lost.end, lost.last = p, f.seq-1
		if f.is(flagMark) {
			lost.last++
		}
		w.off, w.next = p, lost.last+1
		return lost, nil
	}
	lost.end = w.limit
	if w.stop > 0 {
		lost.last = w.stop - 1
		w.next = w.stop
	}
	w.off = w.limit
	return lost, nil
}

// bytes returns n bytes at off, fewer if the file ends before.
func (w *walker) bytes(off, n int64) ([]byte, error) {
	if at := off - w.start; at >= 0 && at+n <= int64(len(w.window)) {
		return w.window[at : at+n], nil
	}
	block := w.block
	if block == 0 {
		block = walkBlock
	}
	want := min(max(n, block), w.limit-off)
	if w.keep || int64(cap(w.window)) < want {
		w.window = make([]byte, want)
	}
	w.window, w.start = w.window[:want], off
	got, err := w.src.ReadAt(w.window, off)
	if err != nil && !errors.Is(err, io.EOF) {
		if !w.bridge {
			w.window = w.window[:0]
			return nil, err
		}
		got = w.readAround(off)
		err = nil
	}
	if int64(got) < want && err != nil {
		w.limit = min(w.limit, off+int64(got)) // the file is shorter than it was
	}
	w.window = w.window[:got]
	return w.window[:min(n, int64(got))], nil
}

// readAround fills the window by sectors; those that cannot be read become zeros.
func (w *walker) readAround(off int64) int {
	for at := int64(0); at < int64(len(w.window)); {
		part := w.window[at:min(at+sector-(off+at)%sector, int64(len(w.window)))]
		n, err := w.src.ReadAt(part, off+at)
		if errors.Is(err, io.EOF) {
			return int(at) + n
		}
		if err != nil {
			clear(part)
		}
		at += int64(len(part))
	}
	return len(w.window)
}
