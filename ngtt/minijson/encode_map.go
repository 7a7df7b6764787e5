package minijson

import (
	"reflect"
	"slices"
	"strings"
)

// object encodes a map with string keys, sorted by their bytes.
func (e *encoder) object(m map[string]any) error {
	begin := len(e.entries)
	for k, v := range m {
		e.entries = append(e.entries, entry{k, v})
	}
	return e.sorted(begin, (*encoder).value)
}

// texts encodes the map with string keys that is met most often beside that of a dynamic tree.
func (e *encoder) texts(m map[string]string) error {
	begin := len(e.entries)
	for k := range m {
		e.entries = append(e.entries, entry{key: k})
	}
	n := len(e.entries)
	slices.SortFunc(e.entries[begin:n], byKey)
	asObject, err := e.beginEntries(begin)
	if err != nil {
		return err
	}
	for i := begin; i < n; i++ {
		k := e.entries[i].key
		if err := e.key(k, asObject); err != nil {
			return err
		}
		if err := e.string(m[k]); err != nil {
			return inKey(err, k)
		}
	}
	e.endEntries(begin)
	return nil
}

// reflectedMap encodes any other map.
func (e *encoder) reflectedMap(m reflect.Value, encode encodeFunc) error {
	if m.Type().Key().Kind() != reflect.String || isMethodical(m.Type().Key()) {
		return e.pairs(m, encode)
	}
	begin := len(e.entries)
	for it := m.MapRange(); it.Next(); {
		e.entries = append(e.entries, entry{it.Key().String(), it.Value()})
	}
	return e.sorted(begin, func(e *encoder, v any) error { return encode(e, v.(reflect.Value)) })
}

// sorted encodes the entries from begin on, and takes them away.
func (e *encoder) sorted(begin int, encode func(*encoder, any) error) error {
	n := len(e.entries)
	slices.SortFunc(e.entries[begin:n], byKey)
	asObject, err := e.beginEntries(begin)
	if err != nil {
		return err
	}
	for i := begin; i < n; i++ {
		x := e.entries[i] // maps inside may move e.entries
		if err := e.key(x.key, asObject); err != nil {
			return err
		}
		if err := encode(e, x.value); err != nil {
			return inKey(err, x.key)
		}
	}
	e.endEntries(begin)
	return nil
}

func byKey(a, b entry) int { return strings.Compare(a.key, b.key) }

// beginEntries appends the head for the entries from begin on: that of an object, unless a key is too long for one.
func (e *encoder) beginEntries(begin int) (asObject bool, err error) {
	if err := e.open(); err != nil {
		return false, err
	}
	entries := e.entries[begin:]
	for i := range entries {
		if len(entries[i].key) > maxKey {
			e.buf, err = AppendMap(e.buf, len(entries))
			return false, err
		}
	}
	e.buf, err = AppendObject(e.buf, len(entries))
	return true, err
}

func (e *encoder) endEntries(begin int) {
	e.entries = e.entries[:begin]
	e.depth--
}

// key encodes the key of a pair, of an object or of a generic map.
func (e *encoder) key(k string, asObject bool) (err error) {
	if asObject {
		e.buf, err = AppendKey(e.buf, k)
	} else {
		e.buf, err = AppendString(e.buf, k)
	}
	return err
}

// ordered encodes a Map in its own order.
func (e *encoder) ordered(m Map) error {
	if err := e.open(); err != nil {
		return err
	}
	asObject := !slices.ContainsFunc(m, func(p Pair) bool {
		s, ok := p.Key.(string)
		return !ok || len(s) > maxKey
	})
	var err error
	if asObject {
		e.buf, err = AppendObject(e.buf, len(m))
	} else {
		e.buf, err = AppendMap(e.buf, len(m))
	}
	if err != nil {
		return err
	}
	seen := make(keySet, len(m))
	for i, p := range m {
		from := len(e.buf)
		if asObject {
			err = e.key(p.Key.(string), true)
		} else {
			err = e.mapKey(p.Key)
		}
		if err != nil {
			return inIndex(err, i)
		}
		if !seen.add(e.buf[from:], asObject) {
			return inIndex(encodingError(ReasonDuplicateKey, "", nil), i)
		}
		if err := e.value(p.Value); err != nil {
			return inIndex(err, i)
		}
	}
	e.depth--
	return nil
}

// mapKey encodes the key of a generic map.
func (e *encoder) mapKey(k any) error {
	from := len(e.buf)
	if err := e.value(k); err != nil {
		return err
	}
	if !forms[e.buf[from]].kind.scalar() {
		return encodingError(ReasonKey, reflect.TypeOf(k).String(), nil)
	}
	return nil
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
