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

// pairs encodes a Go map whose keys are not of a string type, sorted by their encoding. If by chance all keys are
// strings, as those of a map[any]any may be, the result is that of a map with strings.
func (e *encoder) pairs(m reflect.Value, encode encodeFunc) error {
	if err := e.open(); err != nil {
		return err
	}
	begin, n := len(e.buf), m.Len()
	ends := make([]int, 0, 2*n) // of keys and values, in e.buf
	for it := m.MapRange(); it.Next(); {
		if err := e.mapKey(it.Key().Interface()); err != nil {
			return err
		}
		ends = append(ends, len(e.buf))
		if err := encode(e, it.Value()); err != nil {
			return inKey(err, "("+it.Key().Type().String()+")")
		}
		ends = append(ends, len(e.buf))
	}
	e.depth--
	raw, pairs := bytes.Clone(e.buf[begin:]), make([]pair, n)
	for i, from := 0, begin; i < n; i++ {
		key, value := ends[2*i], ends[2*i+1]
		pairs[i] = pair{raw[from-begin : key-begin], raw[key-begin : value-begin]}
		from = value
	}
	e.buf = e.buf[:begin]
	return e.sortedPairs(pairs)
}

func (e *encoder) sortedPairs(pairs []pair) (err error) {
	texts, asObject := true, true
	for _, p := range pairs {
		text, ok := p.text()
		texts = texts && ok
		asObject = asObject && ok && len(text) <= maxKey
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		x, y := a.key, b.key
		if texts {
			x, _ = a.text()
			y, _ = b.text()
		}
		return cmp.Or(bytes.Compare(x, y), bytes.Compare(a.value, b.value)) // two NaNs differ by their values at most
	})
	if asObject {
		e.buf, err = AppendObject(e.buf, len(pairs))
	} else {
		e.buf, err = AppendMap(e.buf, len(pairs))
	}
	if err != nil {
		return err
	}
	seen := make(keySet, len(pairs))
	for _, p := range pairs {
		if !seen.add(p.key, false) {
			return encodingError(ReasonDuplicateKey, "", nil)
		}
		if asObject {
			text, _ := p.text()
			e.buf = append(append(e.buf, byte(len(text))), text...)
		} else {
			e.buf = append(e.buf, p.key...)
		}
		e.buf = append(e.buf, p.value...)
	}
	return nil
}
