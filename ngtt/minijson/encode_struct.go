package minijson

import "reflect"

// fieldEncoder is how a field of a struct is written.
type fieldEncoder struct {
	field
	key    string // with its length, as in the output
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
			return func(*encoder, reflect.Value) error {
				return encodingError(ReasonKey, t.String()+": field "+f.name, nil)
			}
		}
		partial = partial || f.omitEmpty || f.omitZero || len(f.index) > 1
		key := string([]byte{byte(len(f.name))}) + f.name
		fields = append(fields, fieldEncoder{f, key, encoderOf(f.typ)})
	}
	if partial {
		return func(e *encoder, v reflect.Value) error { return e.partial(v, fields) }
	}
	return func(e *encoder, v reflect.Value) error {
		if err := e.openObject(len(fields)); err != nil {
			return err
		}
		for i := range fields {
			f := &fields[i]
			e.buf = append(e.buf, f.key...)
			if err := f.encode(e, v.Field(f.index[0])); err != nil {
				return inKey(err, f.name)
			}
		}
		e.depth--
		return nil
	}
}

// partial encodes a struct of which some fields may be left out.
func (e *encoder) partial(v reflect.Value, fields []fieldEncoder) error {
	n := 0
	for i := range fields {
		if fv, ok := fields[i].at(v); ok && !fields[i].omitted(fv) {
			n++
		}
	}
	if err := e.openObject(n); err != nil {
		return err
	}
	for i := range fields {
		f := &fields[i]
		fv, ok := f.at(v)
		if !ok || f.omitted(fv) {
			continue
		}
		e.buf = append(e.buf, f.key...)
		if err := f.encode(e, fv); err != nil {
			return inKey(err, f.name)
		}
	}
	e.depth--
	return nil
}

func (e *encoder) openObject(n int) error {
	if err := e.open(); err != nil {
		return err
	}
	var err error
	e.buf, err = AppendObject(e.buf, n)
	return err
}
