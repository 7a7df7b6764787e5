package minijson

import (
	"encoding/json"
	"math/big"
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

// Append appends the encoding of v to dst. It allocates nothing if dst has the room and v is a dynamic tree, as
// decoding into an any gives, or a pointer to structs, slices, maps of strings, strings and numbers. After an error dst is
// returned as it was.
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
	b := dst
	if dst == nil {
		b = e.own[:0]
	}
	b, err := e.value(b, v)
	switch {
	case err != nil:
		return dst, err
	case dst == nil:
		e.own = b
		return slices.Clone(b), nil
	}
	return b, nil
}

// encoder writes one document. Its methods append to the output that they are given and return it; after an error what
// they return is of no use.
type encoder struct {
	opts    EncodeOptions
	depth   int             // open lists, objects and maps
	hops    int             // pointers, interfaces and methods followed to get here
	own     []byte          // output for those who gave none
	values  []entry[any]    // of the maps that are being sorted, the innermost last
	strings []entry[string] // likewise
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// maxKept is the most that is kept for the next document: bytes of output, or entries.
const maxKept = 64 << 10

func (e *encoder) release() {
	e.depth, e.hops = 0, 0
	if cap(e.own) > maxKept {
		e.own = nil
	}
	e.values, e.strings = emptied(e.values), emptied(e.strings)
	encoders.Put(e)
}

// emptied returns an empty stack for the next document. After an error there may be entries left.
func emptied[V any](stack []entry[V]) []entry[V] {
	if cap(stack) > maxKept/32 {
		return nil
	}
	clear(stack)
	return stack[:0]
}

// value encodes any value, the types of a dynamic tree without reflection.
func (e *encoder) value(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case bool:
		return AppendBool(b, v), nil
	case string:
		return e.string(b, v)
	case int64:
		return AppendInt(b, v), nil
	case int:
		return AppendInt(b, int64(v)), nil
	case uint64:
		return AppendUint(b, v), nil
	case float64:
		return e.float(b, v)
	case []byte:
		if v == nil {
			return append(b, tagNull), nil
		}
		return AppendBytes(b, v)
	case []any:
		if v == nil {
			return append(b, tagNull), nil
		}
		return e.list(b, v)
	case map[string]any:
		if v == nil {
			return append(b, tagNull), nil
		}
		return e.object(b, v)
	case Map:
		if v == nil {
			return append(b, tagNull), nil
		}
		return e.ordered(b, v)
	case *big.Int:
		return AppendBig(b, v)
	case json.Number:
		return e.literal(b, string(v))
	case RawValue:
		return e.raw(b, v)
	}
	return e.reflected(b, v)
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

func (e *encoder) string(b []byte, s string) ([]byte, error) {
	if e.opts.ReplaceInvalidUTF8 && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	return AppendString(b, s)
}

func (e *encoder) float(b []byte, v float64) ([]byte, error) {
	if e.opts.Floats == FloatLossless {
		return AppendFloat(b, v), nil
	}
	return e.opts.Floats.append(b, v)
}

// raw copies an encoded value, after a look at it.
func (e *encoder) raw(b []byte, v RawValue) ([]byte, error) {
	if len(v) == 0 {
		return append(b, tagNull), nil
	}
	if err := check(v, e.opts.MaxDepth-e.depth); err != nil {
		return b, encodingError(ReasonMethod, "RawValue", err)
	}
	return append(b, v...), nil
}

func (e *encoder) list(b []byte, v []any) ([]byte, error) {
	b, err := e.openList(b, len(v))
	if err != nil {
		return b, err
	}
	for i, x := range v {
		if b, err = e.value(b, x); err != nil {
			return b, inIndex(err, i)
		}
	}
	e.depth--
	return b, nil
}

func (e *encoder) openList(b []byte, n int) ([]byte, error) {
	if err := e.open(); err != nil {
		return b, err
	}
	if n < 16 {
		return append(b, tagList|byte(n)), nil
	}
	return AppendList(b, n)
}

func (e *encoder) openObject(b []byte, n int) ([]byte, error) {
	if err := e.open(); err != nil {
		return b, err
	}
	if n < 16 {
		return append(b, tagObject|byte(n)), nil
	}
	return AppendObject(b, n)
}
