package minijson

import (
	"reflect"
	"unsafe"
)

// fieldEncoder is how a field of a struct is written.
type fieldEncoder struct {
	name     string
	key      string       // with its length, as in the output
	plain    reflect.Kind // of a field of a plain type, else Invalid
	optional bool         // whether it may be left out
	offset   uintptr      // in the struct, or after the last of the hops
	hops     []uintptr    // offsets of the embedded pointers that lead to the field
	omit     omitFunc     // nil if its tag has no such option
	encode   encodeFunc
}

// shortObject is how many pairs an object may have whose count is a part of its tag.
const shortObject = 15

// structEncoder encodes structs as objects, their fields in the order of their declaration.
func structEncoder(t reflect.Type) encodeFunc {
	var fields []fieldEncoder
	for _, f := range fieldsOf(t) {
		if !f.legal() {
			return func(_ *encoder, b []byte, _ unsafe.Pointer) ([]byte, error) {
				return b, encodingError(ReasonKey, t.String()+": field "+f.name, nil)
			}
		}
		x := fieldEncoder{name: f.name, key: string([]byte{byte(len(f.name))}) + f.name, omit: omission(&f)}
		x.hops, x.offset = f.path(t)
		x.optional = x.omit != nil || x.hops != nil
		x.encode = encoderOf(f.typ)
		if f.typ.PkgPath() == "" { // no methods
			x.plain = f.typ.Kind()
		}
		fields = append(fields, x)
	}
	if len(fields) <= shortObject {
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			if err := e.open(); err != nil {
				return b, err
			}
			head := len(b)
			b, n, err := e.fields(append(b, tagObject), p, fields)
			b[head] += byte(n)
			return b, err
		}
	}
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		n := 0 // on which the length of the head depends
		for i := range fields {
			if fields[i].at(p) != nil {
				n++
			}
		}
		b, err := e.openObject(b, n)
		if err != nil {
			return b, err
		}
		b, _, err = e.fields(b, p, fields)
		return b, err
	}
}

// fields appends the fields of the struct at p and says how many there were. Those of the most frequent types take no
// call through a function value.
func (e *encoder) fields(b []byte, p unsafe.Pointer, fields []fieldEncoder) ([]byte, int, error) {
	n := 0
	for i := range fields {
		f := &fields[i]
		fp := f.at(p)
		if fp == nil {
			continue
		}
		n++
		b = append(b, f.key...)
		var err error
		switch f.plain {
		case reflect.String:
			if b, err = AppendString(b, *(*string)(fp)); err != nil {
				b, err = e.string(b, *(*string)(fp)) // which may replace what is no UTF-8
			}
		case reflect.Int64:
			b = AppendInt(b, *(*int64)(fp))
		case reflect.Int:
			b = AppendInt(b, int64(*(*int)(fp)))
		case reflect.Float64:
			b, err = e.float(b, *(*float64)(fp))
		default:
			b, err = f.encode(e, b, fp)
		}
		if err != nil {
			return b, n, inKey(err, f.name)
		}
	}
	e.depth--
	return b, n, nil
}

// at returns the address of the field in the struct at p; nil if it is left out.
func (f *fieldEncoder) at(p unsafe.Pointer) unsafe.Pointer {
	if !f.optional {
		return unsafe.Add(p, f.offset)
	}
	return f.find(p)
}

func (f *fieldEncoder) find(p unsafe.Pointer) unsafe.Pointer {
	for _, offset := range f.hops {
		if p = *(*unsafe.Pointer)(unsafe.Add(p, offset)); p == nil {
			return nil
		}
	}
	p = unsafe.Add(p, f.offset)
	if f.omit != nil && f.omit(p) {
		return nil
	}
	return p
}

// path returns how to get to the field from a struct of type t: the offsets of the embedded pointers to follow, and the
// offset after the last of them.
func (f *field) path(t reflect.Type) (hops []uintptr, offset uintptr) {
	for _, x := range f.index {
		if t.Kind() == reflect.Pointer {
			hops, offset, t = append(hops, offset), 0, t.Elem()
		}
		sf := t.Field(x)
		offset += sf.Offset
		t = sf.Type
	}
	return hops, offset
}
