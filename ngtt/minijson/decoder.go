package minijson

import (
	"errors"
	"io"
)

// maxStream is the longest value of a stream by default, in bytes.
const maxStream = 64 << 20

// minRead is the room for one Read, in bytes.
const minRead = 4 << 10

// Decoder reads values from a stream, one after the other. It reads ahead, and holds no more than a value and what
// came with it in memory: never more than has arrived, whatever a length says. A Decoder is for one goroutine at a
// time.
type Decoder struct {
	r      io.Reader
	opts   DecodeOptions
	buf    []byte
	from   int   // in buf, where the next value begins
	offset int64 // of buf in the stream
	err    error
}

// NewDecoder returns a Decoder that reads from r; nil options mean the defaults.
func NewDecoder(r io.Reader, opts *DecodeOptions) *Decoder {
	d := &Decoder{r: r}
	if opts != nil {
		d.opts = *opts
	}
	if d.opts.MaxBytes <= 0 {
		d.opts.MaxBytes = maxStream
	}
	return d
}

// Decode reads the next value into what v points to. At the end of the stream it returns [io.EOF].
//
// After a value that is well-formed and does not fit v, the next call goes on with the next value. Any other error
// stays: bytes that are no value, a value above a limit, a stream that ends inside a value (the cause is
// [io.ErrUnexpectedEOF]), a reader that fails.
func (d *Decoder) Decode(v any) error {
	if d.err != nil {
		return d.err
	}
	inner := newDecoder(nil, d.opts)
	defer inner.release()
	n, err := d.fill(inner)
	if err != nil {
		d.err = err
		return err
	}
	inner.reset(d.buf[d.from:d.from+n], d.opts)
	inner.base = d.Offset()
	d.from += n
	return inner.into(v)
}

// Offset returns where in the stream the next value begins, in bytes.
func (d *Decoder) Offset() int64 { return d.offset + int64(d.from) }

// fill reads until the next value is in the buffer, and returns its length.
func (d *Decoder) fill(inner *decoder) (int, error) {
	skim := &inner.skim
	skim.reset(inner.opts.MaxDepth, inner.opts.MaxCount)
	for ended := false; ; {
		b := d.buf[d.from:]
		limit := d.opts.MaxBytes
		if ended {
			limit = min(limit, len(b))
		}
		done, reason := skim.run(b, limit, ended, d.opts.Lenient)
		switch {
		case done:
			return skim.pos, nil
		case ended && len(b) == 0:
			return 0, io.EOF
		case reason != "":
			return 0, d.fail(b, skim.pos, reason, ended)
		case ended:
			return 0, d.fail(b, skim.pos, ReasonTruncated, true)
		}
		err := d.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, ErrStream.Wrap("minijson.decode", "", err)
		}
		ended = err != nil
	}
}

// fail returns an error at b[pos].
func (d *Decoder) fail(b []byte, pos int, reason Reason, ended bool) error {
	var (
		tag   byte
		cause error
	)
	if pos < len(b) {
		tag = b[pos]
	}
	if ended && reason == ReasonTruncated {
		cause = io.ErrUnexpectedEOF
	}
	return decodingError(d.Offset()+int64(pos), tag, reason, "", cause)
}

// maxEmpty is how often a reader may return nothing at all.
const maxEmpty = 100

// read adds to the buffer what the reader has.
func (d *Decoder) read() error {
	if d.from > 0 {
		d.offset += int64(d.from)
		d.buf = d.buf[:copy(d.buf, d.buf[d.from:])]
		d.from = 0
	}
	if len(d.buf) == 0 && cap(d.buf) > maxKept {
		d.buf = nil
	}
	if cap(d.buf)-len(d.buf) < minRead {
		d.buf = append(make([]byte, 0, 2*cap(d.buf)+minRead), d.buf...)
	}
	for range maxEmpty {
		n, err := d.r.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+n]
		if n > 0 && errors.Is(err, io.EOF) {
			err = nil // comes again
		}
		if n > 0 || err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}
