package minijson

import (
	"reflect"
	"unsafe"
)

// fieldEncoder is how a field of a struct is written.
type fieldEncoder struct {
	name   string
	key    string       // with its length, as in the output
	hops   []uintptr    // offsets of the embedded pointers that lead to the field
	offset uintptr      // of the field from there
	omit   omitFunc     // nil if it is never left out
	plain  reflect.Kind // of a field of a plain type, else Invalid
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
		if f.typ.PkgPath() == "" { // no methods
			x.plain = f.typ.Kind()
		}
		partial = partial || x.partial()
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
			if b, err = f.append(e, b, unsafe.Add(p, f.offset)); err != nil {
				return b, inKey(err, f.name)
			}
		}
		e.depth--
		return b, nil
	}
}

// append appends the key and the value of a field, the most frequent types without a call through a function value.
func (f *fieldEncoder) append(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
	b = append(b, f.key...)
	switch f.plain {
	case reflect.String:
		if out, err := AppendString(b, *(*string)(p)); err == nil {
			return out, nil
		}
	case reflect.Int64:
		return AppendInt(b, *(*int64)(p)), nil
	case reflect.Int:
		return AppendInt(b, int64(*(*int)(p))), nil
	case reflect.Float64:
		return e.float(b, *(*float64)(p))
	}
	return f.encode(e, b, p)
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

// partial reports whether the field may be left out.
func (f *fieldEncoder) partial() bool { return f.omit != nil || f.hops != nil }

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
	if len(fields) > 15 {
		return e.counted(b, p, fields)
	}
	b, err := e.openObject(b, 0)
	if err != nil {
		return b, err
	}
	head, n := len(b)-1, byte(0)
	for i := range fields {
		f := &fields[i]
		fp := unsafe.Add(p, f.offset)
		if f.partial() {
			if fp = f.at(p); fp == nil {
				continue
			}
		}
		n++
		if b, err = f.append(e, b, fp); err != nil {
			return b, inKey(err, f.name)
		}
	}
	b[head] += n // the count is a part of the tag
	e.depth--
	return b, nil
}

// counted is partial for structs with so many fields that the length of the head depends on how many are there.
func (e *encoder) counted(b []byte, p unsafe.Pointer, fields []fieldEncoder) ([]byte, error) {
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
		if b, err = f.append(e, b, fp); err != nil {
			return b, inKey(err, f.name)
		}
	}
	e.depth--
	return b, nil
}
