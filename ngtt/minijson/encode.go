package minijson

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxDepth is how deep lists, objects and maps may be nested by default, in both directions.
const maxDepth = 512

// EncodeOptions says how values are encoded. The zero value is what [Marshal] uses.
type EncodeOptions struct {
	// Floats says in which form a float64 is written. Zero means FloatLossless.
	Floats FloatPolicy

	// MaxDepth is how many lists, objects and maps may be open at once; more are an [EncodingError], so that a
	// cycle is one too. Zero means 512.
	MaxDepth int

	// ReplaceInvalidUTF8 writes U+FFFD for bytes that are no UTF-8. Without it they are an [EncodingError].
	ReplaceInvalidUTF8 bool

	// TextMarshalers writes types with a method MarshalText as the string that it returns.
	TextMarshalers bool
}

// Marshal returns the encoding of v. See the package comment for what is written for which type.
func Marshal(v any) ([]byte, error) { return EncodeOptions{}.Append(nil, v) }

// Append appends the encoding of v to dst. It allocates nothing if dst has the room and v is made of structs, slices
// and numbers, or of the types that decoding into an any gives. After an error dst is returned as it was.
func Append(dst []byte, v any) ([]byte, error) { return EncodeOptions{}.Append(dst, v) }

// Marshal returns the encoding of v.
func (o EncodeOptions) Marshal(v any) ([]byte, error) { return o.Append(nil, v) }

// Append appends the encoding of v to dst. After an error dst is returned as it was.
func (o EncodeOptions) Append(dst []byte, v any) ([]byte, error) {
	if o.MaxDepth <= 0 {
		o.MaxDepth = maxDepth
	}
	return o.append(dst, v)
}

// append is Append with a MaxDepth that is set: 0 leaves no room for a list or object.
func (o EncodeOptions) append(dst []byte, v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	e.opts = o
	e.buf = dst
	if dst == nil {
		e.buf = e.own[:0]
	}
	if err := e.value(v); err != nil {
		return dst, err
	}
	if dst == nil {
		e.own = e.buf
		return slices.Clone(e.buf), nil
	}
	return e.buf, nil
}

// encoder writes one document.
type encoder struct {
	opts    EncodeOptions
	buf     []byte
	depth   int // open lists, objects and maps
	hops    int // pointers and interfaces followed to get here
	own     []byte
	entries []entry // of the objects that are being sorted, the innermost last
}

// entry is one pair of an object.
type entry struct {
	key   string
	value any
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// maxKept is the most that is kept for the next document: bytes of output, or entries.
const maxKept = 64 << 10

func (e *encoder) release() {
	e.buf, e.depth, e.hops = nil, 0, 0
	if cap(e.own) > maxKept {
		e.own = nil
	}
	if cap(e.entries) > maxKept/32 {
		e.entries = nil
	}
	clear(e.entries[:cap(e.entries)])
	e.entries = e.entries[:0]
	encoders.Put(e)
}

// value encodes any value, the types of a dynamic tree without reflection.
func (e *encoder) value(v any) error {
	var err error
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, tagNull)
	case bool:
		e.buf = AppendBool(e.buf, v)
	case string:
		return e.string(v)
	case int64:
		e.buf = AppendInt(e.buf, v)
	case int:
		e.buf = AppendInt(e.buf, int64(v))
	case uint64:
		e.buf = AppendUint(e.buf, v)
	case float64:
		return e.float(v)
	case []byte:
		if v == nil {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		e.buf, err = AppendBytes(e.buf, v)
	case []any:
		if v == nil {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		return e.list(v)
	case map[string]any:
		if v == nil {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		return e.object(v)
	case Map:
		if v == nil {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		return e.ordered(v)
	case *big.Int:
		e.buf, err = AppendBig(e.buf, v)
	case json.Number:
		return e.literal(string(v))
	case RawValue:
		return e.raw(v)
	default:
		return e.reflected(v)
	}
	return err
}

// reflected encodes a value of any other type.
func (e *encoder) reflected(v any) error {
	rv := reflect.ValueOf(v)
	if k := rv.Kind(); (k == reflect.Map || k == reflect.Slice) && rv.IsNil() {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	return encoderOf(rv.Type())(e, rv)
}

// open begins a list, an object or a map.
func (e *encoder) open() error {
	if e.depth >= e.opts.MaxDepth {
		return encodingError(ReasonDepth, "", nil)
	}
	e.depth++
	return nil
}

// maxHops is how many pointers, interfaces and methods may lead to a value.
const maxHops = 16 * maxDepth

// follow begins what a pointer, an interface or a method leads to. Chains of these are bounded too, since they may be
// cycles without lists and objects.
func (e *encoder) follow() error {
	if e.hops >= maxHops {
		return encodingError(ReasonDepth, "", nil)
	}
	e.hops++
	return nil
}

func (e *encoder) string(s string) (err error) {
	if e.opts.ReplaceInvalidUTF8 && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	e.buf, err = AppendString(e.buf, s)
	return err
}

func (e *encoder) float(v float64) (err error) {
	e.buf, err = e.opts.Floats.append(e.buf, v)
	return err
}

// raw copies an encoded value, after a look at it.
func (e *encoder) raw(v RawValue) error {
	if len(v) == 0 {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	if err := check(v, e.opts.MaxDepth-e.depth); err != nil {
		return encodingError(ReasonMethod, "RawValue", err)
	}
	e.buf = append(e.buf, v...)
	return nil
}

func (e *encoder) list(v []any) error {
	if err := e.open(); err != nil {
		return err
	}
	var err error
	if e.buf, err = AppendList(e.buf, len(v)); err != nil {
		return err
	}
	for i, x := range v {
		if err := e.value(x); err != nil {
			return inIndex(err, i)
		}
	}
	e.depth--
	return nil
}
