package minijson

import "math/big"

// genericMap decodes a map: into a Go map if all of its keys are strings, else into a Map.
func (d *decoder) genericMap(n uint32) (any, error) {
	pairs, err := d.pairs(kindMap, n)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any)
	for _, p := range pairs {
		k, ok := p.Key.(string)
		if !ok {
			return pairs, nil
		}
		m[k] = p.Value
	}
	return m, nil
}

// pairs decodes an object or a map in its order. Of two equal keys the first gives the place and the last the value.
func (d *decoder) pairs(k kind, n uint32) (Map, error) {
	count, err := d.open(n, 2)
	if err != nil {
		return nil, err
	}
	pairs := make(Map, 0, count)
	index := keyIndex{}
	for range count {
		key, err := d.pairKey(k)
		if err != nil {
			return nil, err
		}
		place, known := index.place(pairs, key)
		if known && d.opts.DisallowDuplicateKeys {
			return nil, d.fail(ReasonDuplicateKey)
		}
		d.owed--
		v, err := d.any()
		if err != nil {
			return nil, err
		}
		if known {
			pairs[place].Value = v
		} else {
			pairs = append(pairs, Pair{key, v})
		}
	}
	d.depth--
	return pairs, nil
}

// pairKey reads the key of a pair of an object or a map.
func (d *decoder) pairKey(k kind) (any, error) {
	if k == kindObject {
		return d.key()
	}
	d.owed--
	k, n, err := d.head()
	if err != nil {
		return nil, err
	}
	if !k.scalar() {
		return nil, d.fail(ReasonKey)
	}
	return d.anyOf(k, n)
}

// keyIndex finds equal keys.
type keyIndex struct{ places map[any]int }

// Keys that Go does not compare by their value.
type (
	bytesKey string
	bigKey   string
)

// place returns where among the pairs the key is; if it is nowhere, it will be the next one.
func (x *keyIndex) place(pairs Map, key any) (place int, known bool) {
	key = comparableKey(key)
	if len(pairs) < 8 {
		for i := range pairs {
			if comparableKey(pairs[i].Key) == key {
				return i, true
			}
		}
		return 0, false
	}
	if x.places == nil {
		x.places = make(map[any]int, cap(pairs))
		for i := range pairs {
			x.places[comparableKey(pairs[i].Key)] = i
		}
	}
	if place, known = x.places[key]; !known {
		x.places[key] = len(pairs)
	}
	return place, known
}

// comparableKey returns something that is equal for equal keys. A NaN equals nothing, and 0.0 equals -0.0, as in Go.
func comparableKey(key any) any {
	switch key := key.(type) {
	case []byte:
		return bytesKey(key)
	case *big.Int:
		return bigKey(key.String())
	}
	return key
}
