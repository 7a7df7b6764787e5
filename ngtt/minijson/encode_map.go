package minijson

import (
	"reflect"
	"slices"
	"strings"
)

// object encodes a map with string keys, sorted by their bytes.
func (e *encoder) object(b []byte, m map[string]any) ([]byte, error) {
	begin := len(e.entries)
	for k, v := range m {
		e.entries = append(e.entries, entry{k, v})
	}
	n := len(e.entries)
	b, asObject, err := e.beginEntries(b, begin)
	if err != nil {
		return b, err
	}
	for i := begin; i < n; i++ {
		x := e.entries[i] // maps inside may move e.entries
		if b, err = appendKey(b, x.key, asObject); err != nil {
			return b, err
		}
		if b, err = e.value(b, x.value); err != nil {
			return b, inKey(err, x.key)
		}
	}
	e.endEntries(begin)
	return b, nil
}

// texts encodes a map of strings, sorted by the bytes of its keys.
func (e *encoder) texts(b []byte, m map[string]string) ([]byte, error) {
	begin := len(e.entries)
	for k := range m {
		e.entries = append(e.entries, entry{key: k})
	}
	b, asObject, err := e.beginEntries(b, begin)
	if err != nil {
		return b, err
	}
	for _, x := range e.entries[begin:] {
		if b, err = appendKey(b, x.key, asObject); err != nil {
			return b, err
		}
		if b, err = e.string(b, m[x.key]); err != nil {
			return b, inKey(err, x.key)
		}
	}
	e.endEntries(begin)
	return b, nil
}

// beginEntries sorts the entries from begin on and appends their head: that of an object, unless a key is too long for
// one.
func (e *encoder) beginEntries(b []byte, begin int) (out []byte, asObject bool, err error) {
	if err := e.open(); err != nil {
		return b, false, err
	}
	entries := e.entries[begin:]
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	for i := range entries {
		if len(entries[i].key) > maxKey {
			b, err = AppendMap(b, len(entries))
			return b, false, err
		}
	}
	b, err = AppendObject(b, len(entries))
	return b, true, err
}

func (e *encoder) endEntries(begin int) {
	clear(e.entries[begin:])
	e.entries = e.entries[:begin]
	e.depth--
}

// appendKey appends the key of a pair, of an object or of a generic map.
func appendKey(b []byte, k string, asObject bool) ([]byte, error) {
	if asObject {
		return AppendKey(b, k)
	}
	return AppendString(b, k)
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
