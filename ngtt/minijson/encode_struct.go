package minijson

import (
	"reflect"
	"unsafe"
)

// fieldEncoder is how a field of a struct is written.
type fieldEncoder struct {
	name   string
	key    string    // with its length, as in the output
	hops   []uintptr // offsets of the embedded pointers that lead to the field
	offset uintptr   // of the field from there
	omit   omitFunc  // nil if it is never left out
	encode encodeFunc
}

// structEncoder encodes structs as objects, their fields in the order of their declaration.
func structEncoder(t reflect.Type) encodeFunc {
	var (
		fields  []fieldEncoder
		partial bool // whether a field may be left out
	)
	for _, f := range fieldsOf(t) {
		if !f.legal() {
			return func(_ *encoder, b []byte, _ unsafe.Pointer) ([]byte, error) {
				return b, encodingError(ReasonKey, t.String()+": field "+f.name, nil)
			}
		}
		x := fieldEncoder{name: f.name, key: string([]byte{byte(len(f.name))}) + f.name, omit: omission(&f)}
		x.hops, x.offset = f.path(t)
		x.encode = encoderOf(f.typ)
		partial = partial || x.omit != nil || x.hops != nil
		fields = append(fields, x)
	}
	if partial {
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.partial(b, p, fields) }
	}
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		b, err := e.openObject(b, len(fields))
		if err != nil {
			return b, err
		}
		for i := range fields {
			f := &fields[i]
			b = append(b, f.key...)
			if b, err = f.encode(e, b, unsafe.Add(p, f.offset)); err != nil {
				return b, inKey(err, f.name)
			}
		}
		e.depth--
		return b, nil
	}
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

// at returns the address of the field in the struct at p; nil if it is left out.
func (f *fieldEncoder) at(p unsafe.Pointer) unsafe.Pointer {
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

// partial encodes a struct of which some fields may be left out.
func (e *encoder) partial(b []byte, p unsafe.Pointer, fields []fieldEncoder) ([]byte, error) {
	n := 0
	for i := range fields {
		if fields[i].at(p) != nil {
			n++
		}
	}
	b, err := e.openObject(b, n)
	if err != nil {
		return b, err
	}
	for i := range fields {
		f := &fields[i]
		fp := f.at(p)
		if fp == nil {
			continue
		}
		b = append(b, f.key...)
		if b, err = f.encode(e, b, fp); err != nil {
			return b, inKey(err, f.name)
		}
	}
	e.depth--
	return b, nil
}
