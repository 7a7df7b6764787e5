package wire

import (
	"errors"
	"io"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const (
	// blockSize is how much is read at once where the length of what comes is unknown, and the room for a frame
	// before any of it has arrived.
	blockSize = 64 << 10

	// keptSize is the largest buffer that outlives its frame.
	keptSize = 4 * blockSize
)

// Reader reads frames from a stream. Its memory grows with what has arrived, to twice the longest body at most, never with
// what a header announces, and shrinks again after a long frame.
//
// It is not safe for concurrent use.
type Reader struct {
	src   io.Reader
	limit int64
	buf   []byte // what was read and not yet returned is buf[begin:end]
	begin int
	end   int
	err   error // the first; nothing is read after it
}

// NewReader returns a reader of src that refuses bodies of more than limit bytes. Zero or less means no limit but the
// 4 GiB of the protocol.
func NewReader(src io.Reader, limit int64) *Reader {
	return &Reader{src: src, limit: limit}
}

// Buffered reports whether the next call of [Reader.Next] returns without reading.
func (r *Reader) Buffered() bool {
	h, ok := ParseHeader(r.buf[r.begin:r.end])
	return r.err != nil || ok && (r.tooLong(h) || int64(r.end-r.begin) >= HeaderSize+int64(h.Length))
}

// Next returns the next frame. Its body is valid until the next call.
//
// It returns io.EOF where the stream ends between two frames, and io.ErrUnexpectedEOF where it ends in one. A body above
// the limit is an *[InvalidFrameError] of kind errkit.TooLarge; the stream cannot be read further. Errors of the
// source come as they are. After an error, every call returns it again.
func (r *Reader) Next() (Frame, error) {
	if r.err != nil {
		return Frame{}, r.err
	}
	f, err := r.next()
	if err != nil {
		r.err, r.buf, r.begin, r.end = err, nil, 0, 0
	}
	return f, err
}

func (r *Reader) next() (Frame, error) {
	if r.begin == r.end {
		r.begin, r.end = 0, 0
		if cap(r.buf) > keptSize {
			r.buf = nil
		}
	}
	for r.end-r.begin < HeaderSize {
		if err := r.fill(HeaderSize); err != nil {
			return Frame{}, r.cut(err)
		}
	}
	h, _ := ParseHeader(r.buf[r.begin:r.end])
	if r.tooLong(h) {
		return Frame{}, Invalid("read", h, errkit.TooLarge, "body above the limit of "+strconv.FormatInt(r.limit, 10)+" bytes")
	}
	size := HeaderSize + int64(h.Length)
	if int64(int(size)) != size {
		return Frame{}, Invalid("read", h, errkit.TooLarge, "body above the memory of this machine")
	}
	for r.end-r.begin < int(size) {
		if err := r.fill(int(size)); err != nil {
			return Frame{}, r.cut(err)
		}
	}
	body := r.buf[r.begin+HeaderSize : r.begin+int(size) : r.begin+int(size)]
	r.begin += int(size)
	return Frame{Type: h.Type, TID: h.TID, Body: body}, nil
}

func (r *Reader) tooLong(h Header) bool { return r.limit > 0 && int64(h.Length) > r.limit }

// fill reads once, on the way to a frame of size bytes from r.begin. A frame that has no room in a block is not read
// beyond its end: the next one then begins at the front of the buffer and is never moved.
func (r *Reader) fill(size int) error {
	r.makeRoom(size)
	room := r.buf[r.end:]
	if size > blockSize {
		room = room[:min(len(room), r.begin+size-r.end)]
	}
	for range 100 {
		n, err := r.src.Read(room)
		if n > 0 {
			r.end += n
			return nil // an error comes again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// makeRoom makes room for reading: first a block, then a frame of size bytes that begins at the front, doubling only
// what is full.
func (r *Reader) makeRoom(size int) {
	if len(r.buf) == 0 {
		r.buf = make([]byte, blockSize)
		return
	}
	if r.begin+size <= len(r.buf) {
		return
	}
	r.end = copy(r.buf, r.buf[r.begin:r.end])
	r.begin = 0
	if r.end < len(r.buf) {
		return
	}
	grown := make([]byte, min(size, 2*len(r.buf)))
	copy(grown, r.buf)
	r.buf = grown
}

// cut says what the end of the source means at this place.
func (r *Reader) cut(err error) error {
	if errors.Is(err, io.EOF) && r.end > r.begin {
		return io.ErrUnexpectedEOF
	}
	return err
}
