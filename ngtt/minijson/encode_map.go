package minijson

import (
	"reflect"
	"slices"
	"strings"
)

// entry is one pair of a Go map with string keys.
type entry[V any] struct {
	key   string
	value V
}

// object and texts encode maps with string keys, sorted by their bytes.
func (e *encoder) object(b []byte, m map[string]any) ([]byte, error) {
	return sorted(e, b, m, &e.values, (*encoder).value)
}

func (e *encoder) texts(b []byte, m map[string]string) ([]byte, error) {
	return sorted(e, b, m, &e.strings, (*encoder).string)
}

// valueFunc encodes the value of an entry.
type valueFunc[V any] func(e *encoder, b []byte, v V) ([]byte, error)

// sorted encodes m with write for its values. It sorts on the given stack, where the entries of the maps around this one
// lie below; those of a small map in its own frame, by insertion, which spares the collector's barriers.
func sorted[V any](e *encoder, b []byte, m map[string]V, stack *[]entry[V], write valueFunc[V]) ([]byte, error) {
	var few [8]entry[V]
	if len(m) <= len(few) {
		n := 0
		for k, v := range m {
			at := n
			for ; at > 0 && k < few[at-1].key; at-- {
				few[at] = few[at-1]
			}
			few[at] = entry[V]{k, v}
			n++
		}
		return writeEntries(e, b, few[:n], write)
	}
	begin := len(*stack)
	for k, v := range m {
		*stack = append(*stack, entry[V]{k, v})
	}
	entries := (*stack)[begin:]
	slices.SortFunc(entries, func(a, b entry[V]) int { return strings.Compare(a.key, b.key) })
	b, err := writeEntries(e, b, entries, write)
	clear((*stack)[begin:]) // maps inside may have moved it
	*stack = (*stack)[:begin]
	return b, err
}

// writeEntries encodes entries: as an object, unless a key is too long for one.
func writeEntries[V any](e *encoder, b []byte, entries []entry[V], write valueFunc[V]) ([]byte, error) {
	if err := e.open(); err != nil {
		return b, err
	}
	asObject := true
	for i := range entries {
		asObject = asObject && len(entries[i].key) <= maxKey
	}
	b, err := appendPairsHead(b, len(entries), asObject)
	if err != nil {
		return b, err
	}
	for i := range entries {
		x := &entries[i]
		if asObject {
			b, err = AppendKey(b, x.key)
		} else {
			b, err = AppendString(b, x.key)
		}
		if err != nil {
			return b, err
		}
		if b, err = write(e, b, x.value); err != nil {
			return b, inKey(err, x.key)
		}
	}
	e.depth--
	return b, nil
}

// ordered encodes a Map in its own order.
func (e *encoder) ordered(b []byte, m Map) ([]byte, error) {
	if err := e.open(); err != nil {
		return b, err
	}
	asObject := !slices.ContainsFunc(m, func(p Pair) bool {
		s, ok := p.Key.(string)
		return !ok || len(s) > maxKey
	})
	b, err := appendPairsHead(b, len(m), asObject)
	if err != nil {
		return b, err
	}
	seen := make(keySet, len(m))
	for i, p := range m {
		from := len(b)
		if asObject {
			b, err = AppendKey(b, p.Key.(string))
		} else {
			b, err = e.mapKey(b, p.Key)
		}
		switch {
		case err != nil:
			return b, inIndex(err, i)
		case !seen.add(b[from:], asObject):
			return b, inIndex(encodingError(ReasonDuplicateKey, "", nil), i)
		}
		if b, err = e.value(b, p.Value); err != nil {
			return b, inIndex(err, i)
		}
	}
	e.depth--
	return b, nil
}

func appendPairsHead(b []byte, n int, asObject bool) ([]byte, error) {
	if asObject {
		return AppendObject(b, n)
	}
	return AppendMap(b, n)
}

// mapKey encodes the key of a generic map.
func (e *encoder) mapKey(b []byte, k any) ([]byte, error) {
	from := len(b)
	b, err := e.value(b, k)
	if err == nil && !forms[b[from]].kind.scalar() {
		err = encodingError(ReasonKey, reflect.TypeOf(k).String(), nil)
	}
	return b, err
}

// keySet holds encoded keys.
type keySet map[string]struct{}

// add notes a key and reports whether it is new. A NaN equals nothing; floats of both widths are equal by value, which
// makes 0.0 and -0.0 one key.
func (s keySet) add(key []byte, asObject bool) bool {
	if !asObject && (key[0] == tagSingle || key[0] == tagDouble) {
		f := floatOf(key[1:])
		if f != f {
			return true
		}
		key = AppendFloat64(nil, f+0) // makes -0.0 0.0
	}
	if _, ok := s[string(key)]; ok {
		return false
	}
	s[string(key)] = struct{}{}
	return true
}
