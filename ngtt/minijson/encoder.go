package minijson

import "io"

// Encoder writes values to a stream, one after the other. A long list or object need not be in memory as a whole:
//
//	enc.BeginList(2)
//	enc.Encode(first)
//	enc.Encode(second)
//
// Every call is one Write; give it a [bufio.Writer] where values are small. A value that cannot be encoded is an
// *[EncodingError]: nothing of it was written, and the next call may do better. If the writer fails, that error stays.
// An Encoder is for one goroutine at a time.
type Encoder struct {
	w    io.Writer
	opts EncodeOptions
	buf  []byte
	open []stretch
	err  error
}

// stretch is a list or object that was begun and is not complete.
type stretch struct {
	object bool
	keyed  bool // of an object: the key of the next value is written
	left   int  // values to come
}

// NewEncoder returns an Encoder that writes to w; nil options mean the defaults.
func NewEncoder(w io.Writer, opts *EncodeOptions) *Encoder {
	e := &Encoder{w: w}
	if opts != nil {
		e.opts = *opts
	}
	if e.opts.MaxDepth <= 0 {
		e.opts.MaxDepth = maxDepth
	}
	return e
}

// Encode writes one value, which is the next element of the list or object that was begun last, if one is incomplete.
func (e *Encoder) Encode(v any) error {
	if err := e.expect(false); err != nil {
		return err
	}
	opts := e.opts
	opts.MaxDepth -= len(e.open)
	b, err := opts.append(e.buf[:0], v)
	if err != nil {
		return err
	}
	if err := e.write(b); err != nil {
		return err
	}
	e.complete()
	return nil
}

// BeginList writes the head of a list. The next n values are its elements; then it is complete by itself.
func (e *Encoder) BeginList(n int) error { return e.begin(n, false, AppendList) }

// BeginObject writes the head of an object. The next n values are its own, each after a call of [Encoder.Key]; then it
// is complete by itself. That no key comes twice is for the caller to see to.
func (e *Encoder) BeginObject(n int) error { return e.begin(n, true, AppendObject) }

// Key writes the key of the next value of an object, of at most 255 bytes.
func (e *Encoder) Key(key string) error {
	if err := e.expect(true); err != nil {
		return err
	}
	b, err := AppendKey(e.buf[:0], key)
	if err != nil {
		return err
	}
	if err := e.write(b); err != nil {
		return err
	}
	e.open[len(e.open)-1].keyed = true
	return nil
}

// Close returns an *[EncodingError] if a list or object is incomplete. It does not close the writer.
func (e *Encoder) Close() error {
	switch {
	case e.err != nil:
		return e.err
	case len(e.open) > 0:
		return encodingError(ReasonSequence, "", nil)
	}
	return nil
}

func (e *Encoder) begin(n int, object bool, head func([]byte, int) ([]byte, error)) error {
	if err := e.expect(false); err != nil {
		return err
	}
	if len(e.open) >= e.opts.MaxDepth {
		return encodingError(ReasonDepth, "", nil)
	}
	b, err := head(e.buf[:0], n)
	if err != nil {
		return err
	}
	if err := e.write(b); err != nil {
		return err
	}
	e.open = append(e.open, stretch{object: object, left: n})
	if n == 0 {
		e.open = e.open[:len(e.open)-1]
		e.complete()
	}
	return nil
}

// expect returns an error unless a key, or else a value, may come next.
func (e *Encoder) expect(key bool) error {
	if e.err != nil {
		return e.err
	}
	wanted := false
	if n := len(e.open); n > 0 {
		wanted = e.open[n-1].object && !e.open[n-1].keyed
	}
	if key != wanted {
		return encodingError(ReasonSequence, "", nil)
	}
	return nil
}

// complete notes that a value has been written.
func (e *Encoder) complete() {
	for n := len(e.open); n > 0; n-- {
		s := &e.open[n-1]
		s.keyed = false
		if s.left--; s.left > 0 {
			return
		}
		e.open = e.open[:n-1]
	}
}

func (e *Encoder) write(b []byte) error {
	if cap(b) <= maxKept {
		e.buf = b
	}
	n, err := e.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		e.err = ErrStream.Wrap("minijson.encode", "", err)
	}
	return e.err
}
