package minijson

import (
	"maps"
	"math/big"
	"reflect"
)

// pairsHead reads the head of an object or a map for a target of type t.
func (d *decoder) pairsHead(t reflect.Type) (k kind, n int, err error) {
	k, u, err := d.head()
	if err != nil {
		return k, 0, err
	}
	if k != kindObject && k != kindMap {
		return k, 0, d.unfit(ReasonType, t)
	}
	n, err = d.open(u, 2)
	return k, n, err
}

func decodeMapType(d *decoder, v reflect.Value) error {
	k, n, err := d.head()
	if err != nil {
		return err
	}
	if k != kindObject && k != kindMap {
		return d.unfit(ReasonType, v.Type())
	}
	m, err := d.pairs(k, n)
	if err == nil {
		v.Set(reflect.ValueOf(m))
	}
	return err
}

// decodeTree decodes into a map[string]any. Entries that it has already stay.
func decodeTree(d *decoder, v reflect.Value) error {
	k, n, err := d.pairsHead(v.Type())
	if err != nil {
		return err
	}
	m := make(map[string]any, n)
	if k == kindObject {
		err = d.addTo(m, n)
	} else {
		err = d.eachPair(k, n, func(key string) error {
			x, err := d.any()
			m[key] = x
			return err
		}, func() int { return len(m) })
	}
	if err != nil {
		return err
	}
	p := v.Addr().Interface().(*map[string]any)
	*p = merge(*p, m)
	return nil
}

// decodeTexts decodes into a map[string]string. Entries that it has already stay.
func decodeTexts(d *decoder, v reflect.Value) error {
	k, n, err := d.pairsHead(v.Type())
	if err != nil {
		return err
	}
	m := make(map[string]string, n)
	err = d.eachPair(k, n, func(key string) error {
		if d.null() {
			m[key] = ""
			return nil
		}
		s, err := d.string(textsType.Elem())
		m[key] = s
		return err
	}, func() int { return len(m) })
	if err != nil {
		return err
	}
	p := v.Addr().Interface().(*map[string]string)
	*p = merge(*p, m)
	return nil
}

func merge[V any](into, from map[string]V) map[string]V {
	if len(into) == 0 {
		return from
	}
	maps.Copy(into, from)
	return into
}

// eachPair reads n pairs whose keys are strings; put reads the value. Size returns how many different keys there were.
func (d *decoder) eachPair(k kind, n int, put func(key string) error, size func() int) error {
	for i := range n {
		key, err := d.stringKey(k)
		if err != nil {
			return err
		}
		at := d.at
		d.owed--
		if err := put(key); err != nil {
			return err
		}
		if d.opts.DisallowDuplicateKeys && size() != i+1 {
			d.at = at
			return d.fail(ReasonDuplicateKey)
		}
	}
	d.depth--
	return nil
}

// stringKey reads the key of a pair of an object, or of a map whose key is a string.
func (d *decoder) stringKey(k kind) (string, error) {
	if k == kindObject {
		return d.key()
	}
	d.owed--
	if err := d.scalarNext(); err != nil {
		return "", err
	}
	return d.string(reflect.TypeFor[string]())
}

// scalarNext returns an error if a value that cannot be a key is next.
func (d *decoder) scalarNext() error {
	if d.peek().scalar() {
		return nil
	}
	d.at = d.pos
	return d.fail(ReasonKey)
}

// mapDecoder decodes into a Go map of any type. Entries that it has already stay.
func mapDecoder(t reflect.Type) decodeFunc {
	keyType := t.Key()
	decodeKey, decode := decoderOf(keyType), decoderOf(t.Elem())
	return func(d *decoder, v reflect.Value) error {
		k, n, err := d.pairsHead(t)
		if err != nil {
			return err
		}
		m := reflect.MakeMap(t) // not for n: that is what a peer says of entries of any size
		key, elem := reflect.New(keyType).Elem(), reflect.New(t.Elem()).Elem()
		for i := range n {
			key.SetZero()
			elem.SetZero()
			if err := d.keyInto(k, key, decodeKey); err != nil {
				return err
			}
			at := d.at
			d.owed--
			if err := decode(d, elem); err != nil {
				return err
			}
			m.SetMapIndex(key, elem)
			if d.opts.DisallowDuplicateKeys && m.Len() != i+1 {
				d.at = at
				return d.fail(ReasonDuplicateKey)
			}
		}
		d.depth--
		if v.Len() == 0 {
			v.Set(m)
			return nil
		}
		for it := m.MapRange(); it.Next(); {
			v.SetMapIndex(it.Key(), it.Value())
		}
		return nil
	}
}

// keyInto decodes the key of a pair into a key of a Go map.
func (d *decoder) keyInto(k kind, key reflect.Value, decode decodeFunc) error {
	t := key.Type()
	if k == kindObject {
		s, err := d.key()
		switch {
		case err != nil:
			return err
		case t.Kind() == reflect.String && !reflect.PointerTo(t).Implements(unmarshalerType):
			key.SetString(s)
		case t.Kind() == reflect.Interface && t.NumMethod() == 0:
			key.Set(reflect.ValueOf(s))
		default:
			return d.unfit(ReasonType, t)
		}
		return nil
	}
	d.owed--
	if err := d.scalarNext(); err != nil {
		return err
	}
	at := d.pos
	if t.Kind() == reflect.Pointer || d.peek() == kindNull && t.Kind() != reflect.Interface {
		d.at = at
		return d.unfit(ReasonType, t)
	}
	if err := decode(d, key); err != nil {
		return err
	}
	d.at = at
	if t.Kind() == reflect.Interface {
		if _, isBig := key.Interface().(*big.Int); isBig || !key.Comparable() {
			return d.unfit(ReasonType, t) // Go would compare it by its address, or not at all
		}
	}
	return nil
}
