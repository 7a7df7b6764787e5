package minijson

import (
	"reflect"
)

// fieldDecoder is how a field of a struct is read.
type fieldDecoder struct {
	field
	decode decodeFunc
}

// structDecoder decodes objects into structs. A key belongs to the field of exactly that name.
func structDecoder(t reflect.Type) decodeFunc {
	var fields []fieldDecoder
	byName := make(map[string]int)
	for _, f := range fieldsOf(t) {
		byName[f.name] = len(fields)
		fields = append(fields, fieldDecoder{f, decoderOf(f.typ)})
	}
	return func(d *decoder, v reflect.Value) error {
		k, n, err := d.pairsHead(t)
		if err != nil {
			return err
		}
		var seen fieldSet
		next := 0 // most documents have the order of the fields
		for range n {
			name, err := d.fieldName(k)
			if err != nil {
				return err
			}
			if next >= len(fields) || fields[next].name != string(name) {
				i, known := byName[string(name)]
				if !known {
					if err := d.skipUnknown(name, t); err != nil {
						return err
					}
					continue
				}
				next = i
			}
			f := &fields[next]
			fv, ok := f.grow(v)
			if !ok {
				return d.unfit(ReasonType, t)
			}
			if seen.add(next) {
				if d.opts.DisallowDuplicateKeys {
					return d.fail(ReasonDuplicateKey)
				}
				fv.SetZero() // the last one counts alone
			}
			next++
			d.owed--
			if err := f.decode(d, fv); err != nil {
				return err
			}
		}
		d.depth--
		return nil
	}
}

// fieldName reads the key of a pair of an object, or of a map whose key is a string. It shares memory with the input.
func (d *decoder) fieldName(k kind) ([]byte, error) {
	if k == kindObject {
		return d.rawKey()
	}
	d.owed--
	if err := d.scalarNext(); err != nil {
		return nil, err
	}
	k, n, err := d.head()
	if err != nil {
		return nil, err
	}
	if k == kindString {
		return d.text(n)
	}
	d.pos = d.at // a key of another kind belongs to no field
	return nil, d.skip()
}

// skipUnknown reads the value of a key that has no field.
func (d *decoder) skipUnknown(name []byte, t reflect.Type) error {
	switch {
	case !validBytes(name):
		return d.fail(ReasonUTF8)
	case d.opts.DisallowUnknownFields:
		return d.unfit(ReasonUnknownKey, t)
	}
	d.owed--
	return d.skip()
}

// fieldSet holds which fields of a struct a document had.
type fieldSet struct {
	few  uint64
	many map[int]bool
}

// add notes field i and reports whether it had been noted.
func (s *fieldSet) add(i int) (had bool) {
	if i < 64 {
		had = s.few&(1<<i) != 0
		s.few |= 1 << i
		return had
	}
	if s.many == nil {
		s.many = make(map[int]bool)
	}
	had = s.many[i]
	s.many[i] = true
	return had
}
