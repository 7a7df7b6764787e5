package minijson

import (
	"encoding/binary"
	"math"
	"reflect"
	"sync"
)

// DecodeOptions says how values are decoded. The zero value is what [Unmarshal] uses.
type DecodeOptions struct {
	// MaxDepth is how many lists, objects and maps may be open at once. Zero means 512.
	MaxDepth int

	// MaxBytes is the longest value, in bytes. Zero means 64 MiB for a [Decoder], and no limit for input that is in
	// memory already.
	MaxBytes int

	// MaxCount is how many elements all lists, objects and maps of a value may have together. It bounds the memory
	// that small input takes: in an any, an object with one entry costs some 350 bytes and takes 3 of input. Zero
	// means no limit but that of the input's size.
	MaxCount int

	// DisallowDuplicateKeys refuses two equal keys in one object or map. Without it the last one counts.
	DisallowDuplicateKeys bool

	// DisallowUnknownFields refuses keys that a struct has no field for. Without it they are skipped.
	DisallowUnknownFields bool

	// TextUnmarshalers gives strings to types with a method UnmarshalText.
	TextUnmarshalers bool

	// Lenient accepts what the original accepts and should not: bytes after the value, and a last value cut short
	// if that is bytes or an integer with a length of its own.
	Lenient bool
}

// Unmarshal decodes b, exactly one value, into what v points to. The package comment says which value fits which type.
// Nothing decoded shares memory with b. After an error v may hold a part of the value.
func Unmarshal(b []byte, v any) error { return DecodeOptions{}.Unmarshal(b, v) }

// Parse decodes the first value of b and returns how many bytes it takes.
func Parse(b []byte) (v any, n int, err error) { return DecodeOptions{}.Parse(b) }

// Valid returns nil if b is exactly one value, else a *[DecodingError] that says where it is not. It allocates
// nothing but the error.
func Valid(b []byte) error {
	if size, ok := glance(b, 0); ok && size == len(b) {
		return nil
	}
	return check(b, maxDepth)
}

// Unmarshal decodes b, exactly one value, into what v points to.
func (o DecodeOptions) Unmarshal(b []byte, v any) error {
	d := newDecoder(b, o)
	defer d.release()
	if err := d.into(v); err != nil {
		return err
	}
	if d.pos < len(b) && !o.Lenient {
		d.at = d.pos
		return d.fail(ReasonTrailing)
	}
	return nil
}

// Parse decodes the first value of b and returns how many bytes it takes.
func (o DecodeOptions) Parse(b []byte) (v any, n int, err error) {
	d := newDecoder(b, o)
	defer d.release()
	if v, err = d.any(); err != nil {
		return nil, 0, err
	}
	return v, d.pos, nil
}

// decoder reads one document.
type decoder struct {
	opts  DecodeOptions
	b     []byte
	pos   int
	at    int   // where the tag or key being decoded is
	base  int64 // offset of b in its stream
	owed  int   // keys and values that are yet to come in open containers: each takes a byte at least
	depth int
	count int
	skim  skimmer
	texts slab
	keys  keyCache
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(b []byte, o DecodeOptions) *decoder {
	d := decoders.Get().(*decoder)
	d.reset(b, o)
	return d
}

func (d *decoder) reset(b []byte, o DecodeOptions) {
	if o.MaxDepth <= 0 {
		o.MaxDepth = maxDepth
	}
	if o.MaxCount <= 0 {
		o.MaxCount = math.MaxInt
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = math.MaxInt
	}
	d.opts, d.b = o, b
	d.pos, d.at, d.base, d.owed, d.depth, d.count = 0, 0, 0, 0, 0, 0
}

func (d *decoder) release() {
	d.b = nil
	decoders.Put(d)
}

// into decodes the next value into what v points to.
func (d *decoder) into(v any) error {
	if d.left() > d.opts.MaxBytes {
		return d.fail(ReasonSize)
	}
	if p, ok := v.(*any); ok && p != nil {
		x, err := d.any()
		if err == nil {
			*p = x
		}
		return err
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return ErrTarget.Errorf("minijson.decode", "%T is no pointer to a value", v)
	}
	return decoderOf(rv.Type().Elem())(d, rv.Elem())
}

// left returns how many bytes have not been read.
func (d *decoder) left() int { return len(d.b) - d.pos }

// fail returns an error at the tag or key that is being decoded.
func (d *decoder) fail(reason Reason) error { return d.failWith(reason, nil, nil) }

// unfit returns an error about a value that does not fit the Go type.
func (d *decoder) unfit(reason Reason, t reflect.Type) error { return d.failWith(reason, t, nil) }

func (d *decoder) failWith(reason Reason, t reflect.Type, cause error) error {
	var (
		tag    byte
		goType string
	)
	if d.at < len(d.b) {
		tag = d.b[d.at]
	}
	if t != nil {
		goType = t.String()
	}
	return decodingError(d.base+int64(d.at), tag, reason, goType, cause)
}

// head reads a tag and its length field: n is the length of the payload in bytes or the number of elements.
func (d *decoder) head() (k kind, n uint32, err error) {
	d.at = d.pos
	if d.pos >= len(d.b) {
		return 0, 0, d.fail(ReasonTruncated)
	}
	f := forms[d.b[d.pos]]
	d.pos++
	if f.width == 0 {
		if f.kind == kindUnknown {
			return 0, 0, d.fail(ReasonUnknownTag)
		}
		return f.kind, uint32(f.n), nil
	}
	if d.left() < int(f.width) {
		return 0, 0, d.fail(ReasonTruncated)
	}
	n = lengthField(d.b[d.pos:], f.width)
	d.pos += int(f.width)
	return f.kind, n, nil
}

func lengthField(b []byte, width uint8) uint32 {
	switch width {
	case 1:
		return uint32(b[0])
	case 2:
		return uint32(binary.BigEndian.Uint16(b))
	}
	return binary.BigEndian.Uint32(b)
}

// payload reads n bytes. They share memory with the input.
func (d *decoder) payload(k kind, n uint32) ([]byte, error) {
	if uint64(n) > uint64(d.left()) {
		if !d.opts.Lenient || !mayBeShort(k, d.b[d.at]) {
			return nil, d.fail(ReasonTruncated)
		}
		n = uint32(d.left())
	}
	p := d.b[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return p, nil
}

// mayBeShort reports whether the original takes such a value if it is cut short.
func mayBeShort(k kind, tag byte) bool { return k == kindBytes || tag == tagInteger }

// text reads the n bytes of a string.
func (d *decoder) text(n uint32) ([]byte, error) {
	p, err := d.payload(kindString, n)
	if err == nil && !validBytes(p) {
		err = d.fail(ReasonUTF8)
	}
	return p, err
}

// rawKey reads the key of a pair of an object. It is not known to be UTF-8.
func (d *decoder) rawKey() ([]byte, error) {
	d.owed--
	d.at = d.pos
	if d.pos >= len(d.b) {
		return nil, d.fail(ReasonTruncated)
	}
	begin := d.pos + 1
	end := begin + int(d.b[d.pos])
	if end > len(d.b) {
		return nil, d.fail(ReasonTruncated)
	}
	d.pos = end
	return d.b[begin:end], nil
}

// open begins a list, or an object or map with perItem 2. It returns n as an int once there can be as many elements.
func (d *decoder) open(n uint32, perItem int) (int, error) {
	if d.depth >= d.opts.MaxDepth {
		return 0, d.fail(ReasonDepth)
	}
	if uint64(n)*uint64(perItem) > uint64(max(0, d.left()-d.owed)) {
		return 0, d.fail(ReasonTruncated)
	}
	if d.count += int(n); d.count > d.opts.MaxCount {
		return 0, d.fail(ReasonCount)
	}
	d.depth++
	d.owed += int(n) * perItem
	return int(n), nil
}

// skip reads a value and forgets it.
func (d *decoder) skip() error {
	d.at = d.pos
	d.skim.reset(d.opts.MaxDepth-d.depth, d.opts.MaxCount-d.count)
	done, reason := d.skim.run(d.b[d.pos:], d.left()-d.owed, true, d.opts.Lenient)
	d.pos += d.skim.pos
	d.count += d.skim.count
	switch {
	case reason != "":
	case !done:
		reason = ReasonTruncated
	default:
		return nil
	}
	d.at = d.pos
	return d.fail(reason)
}

// check returns an error unless b is exactly one value.
func check(b []byte, depth int) error {
	d := newDecoder(b, DecodeOptions{})
	defer d.release()
	d.depth = d.opts.MaxDepth - depth
	if err := d.skip(); err != nil {
		return err
	}
	if d.pos < len(b) {
		d.at = d.pos
		return d.fail(ReasonTrailing)
	}
	return nil
}
