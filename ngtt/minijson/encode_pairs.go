package minijson

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
)

// pair is one entry of a Go map in encoded form.
type pair struct{ key, value []byte }

// text returns the bytes of a key that is a string.
func (p pair) text() (text []byte, ok bool) {
	f := forms[p.key[0]]
	return p.key[1+f.width:], f.kind == kindString
}

// pairs encodes a Go map of any type. If all of its keys are strings, be it by chance as in a map[any]any, it is
// sorted by their bytes, else by the encoded keys.
func (e *encoder) pairs(b []byte, m reflect.Value, encode encodeFunc) ([]byte, error) {
	if err := e.open(); err != nil {
		return b, err
	}
	begin, n := len(b), m.Len()
	ends := make([]int, 0, 2*n) // of keys and values, in b
	value := reflect.New(m.Type().Elem())
	for it := m.MapRange(); it.Next(); {
		var err error
		if b, err = e.mapKey(b, it.Key().Interface()); err != nil {
			return b, err
		}
		ends = append(ends, len(b))
		value.Elem().SetIterValue(it)
		if b, err = encode(e, b, value.UnsafePointer()); err != nil {
			return b, inEntry(err, it.Key())
		}
		ends = append(ends, len(b))
	}
	e.depth--
	raw, pairs := bytes.Clone(b[begin:]), make([]pair, n)
	for i, from := 0, begin; i < n; i++ {
		key, value := ends[2*i], ends[2*i+1]
		pairs[i] = pair{raw[from-begin : key-begin], raw[key-begin : value-begin]}
		from = value
	}
	return appendSorted(b[:begin], pairs)
}

func appendSorted(b []byte, pairs []pair) ([]byte, error) {
	texts, asObject := true, true
	for _, p := range pairs {
		text, ok := p.text()
		texts = texts && ok
		asObject = asObject && ok && len(text) <= maxKey
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if texts {
			a, _ := x.text()
			b, _ := y.text()
			return bytes.Compare(a, b)
		}
		return cmp.Or(bytes.Compare(x.key, y.key), bytes.Compare(x.value, y.value)) // two NaNs differ in their values at most
	})
	b, err := appendPairsHead(b, len(pairs), asObject)
	if err != nil {
		return b, err
	}
	seen := make(keySet, len(pairs))
	for _, p := range pairs {
		switch text, _ := p.text(); {
		case !seen.add(p.key, false):
			return b, encodingError(ReasonDuplicateKey, "", nil)
		case asObject:
			b = append(append(b, byte(len(text))), text...)
		default:
			b = append(b, p.key...)
		}
		b = append(b, p.value...)
	}
	return b, nil
}
