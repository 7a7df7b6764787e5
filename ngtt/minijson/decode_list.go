package minijson

import "reflect"

// listHead reads the head of a list for a target of type t.
func (d *decoder) listHead(t reflect.Type) (int, error) {
	k, n, err := d.head()
	if err != nil {
		return 0, err
	}
	if k != kindList {
		return 0, d.unfit(ReasonType, t)
	}
	return d.open(n, 1)
}

// sliceDecoder decodes into slices, those of the plain types without reflection for each element.
func sliceDecoder(t reflect.Type) decodeFunc {
	elem := t.Elem()
	switch t {
	case reflect.TypeFor[[]any]():
		return plainSlice((*decoder).any)
	case reflect.TypeFor[[]string]():
		return plainSlice(func(d *decoder) (string, error) { return d.string(elem) })
	case reflect.TypeFor[[]float64]():
		return plainSlice(func(d *decoder) (float64, error) { return d.float64(elem) })
	case reflect.TypeFor[[]int64]():
		return plainSlice(func(d *decoder) (int64, error) { return d.int64(elem) })
	}
	if elem.Kind() == reflect.Uint8 {
		return decodeBytes
	}
	decode := decoderOf(elem)
	return func(d *decoder, v reflect.Value) error {
		n, err := d.listHead(t)
		if err != nil {
			return err
		}
		if v.IsNil() || v.Cap() < n {
			v.Set(reflect.MakeSlice(t, n, n))
		} else {
			v.SetLen(n)
			v.Clear()
		}
		for i := range n {
			d.owed--
			if err := decode(d, v.Index(i)); err != nil {
				return err
			}
		}
		d.depth--
		return nil
	}
}

func plainSlice[T any](read func(*decoder) (T, error)) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		n, err := d.listHead(v.Type())
		if err != nil {
			return err
		}
		p := v.Addr().Interface().(*[]T)
		if *p == nil || cap(*p) < n {
			*p = make([]T, n)
		}
		list := (*p)[:n]
		*p = list
		clear(list)
		for i := range list {
			d.owed--
			if d.null() {
				continue
			}
			if list[i], err = read(d); err != nil {
				return err
			}
		}
		d.depth--
		return nil
	}
}

// bytes reads bytes for a target of type t. They share memory with the input.
func (d *decoder) bytes(t reflect.Type) ([]byte, error) {
	k, n, err := d.head()
	if err != nil {
		return nil, err
	}
	if k != kindBytes {
		return nil, d.unfit(ReasonType, t)
	}
	return d.payload(k, n)
}

func decodeBytes(d *decoder, v reflect.Value) error {
	p, err := d.bytes(v.Type())
	if err == nil {
		v.SetBytes(append([]byte{}, p...))
	}
	return err
}

// arrayDecoder decodes lists of at most as many elements as the array has; the rest of it becomes zero. An array of
// bytes takes exactly as many bytes.
func arrayDecoder(t reflect.Type) decodeFunc {
	if t.Elem().Kind() == reflect.Uint8 {
		return func(d *decoder, v reflect.Value) error {
			p, err := d.bytes(t)
			switch {
			case err != nil:
				return err
			case len(p) != t.Len():
				return d.unfit(ReasonRange, t)
			}
			copy(v.Bytes(), p)
			return nil
		}
	}
	decode := decoderOf(t.Elem())
	return func(d *decoder, v reflect.Value) error {
		n, err := d.listHead(t)
		switch {
		case err != nil:
			return err
		case n > t.Len():
			return d.unfit(ReasonRange, t)
		}
		v.SetZero()
		for i := range n {
			d.owed--
			if err := decode(d, v.Index(i)); err != nil {
				return err
			}
		}
		d.depth--
		return nil
	}
}
