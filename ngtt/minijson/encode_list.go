package minijson

import "reflect"

// sliceEncoder encodes slices, those of the plain types without reflection for each element.
func sliceEncoder(t reflect.Type) encodeFunc {
	switch t {
	case reflect.TypeFor[[]any]():
		return plainList((*encoder).value)
	case reflect.TypeFor[[]string]():
		return plainList((*encoder).string)
	case reflect.TypeFor[[]float64]():
		return plainList((*encoder).float)
	case reflect.TypeFor[[]float32]():
		return plainList(func(e *encoder, v float32) error {
			e.buf = AppendFloat32(e.buf, v)
			return nil
		})
	case reflect.TypeFor[[]int]():
		return plainList(encodeSigned[int])
	case reflect.TypeFor[[]int64]():
		return plainList(encodeSigned[int64])
	case reflect.TypeFor[[]int32]():
		return plainList(encodeSigned[int32])
	case reflect.TypeFor[[]uint64]():
		return plainList(func(e *encoder, v uint64) error {
			e.buf = AppendUint(e.buf, v)
			return nil
		})
	}
	return listEncoder(encoderOf(t.Elem()))
}

func encodeSigned[T int | int32 | int64](e *encoder, v T) error {
	e.buf = AppendInt(e.buf, int64(v))
	return nil
}

func plainList[T any](encode func(*encoder, T) error) encodeFunc {
	return func(e *encoder, v reflect.Value) error {
		list, ok := reflect.TypeAssert[[]T](v)
		if !ok {
			return encodingError(ReasonType, v.Type().String(), nil)
		}
		if err := e.openList(len(list)); err != nil {
			return err
		}
		for i, x := range list {
			if err := encode(e, x); err != nil {
				return inIndex(err, i)
			}
		}
		e.depth--
		return nil
	}
}

// listEncoder encodes slices and arrays.
func listEncoder(encode encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) error {
		n := v.Len()
		if err := e.openList(n); err != nil {
			return err
		}
		for i := range n {
			if err := encode(e, v.Index(i)); err != nil {
				return inIndex(err, i)
			}
		}
		e.depth--
		return nil
	}
}

func (e *encoder) openList(n int) error {
	if err := e.open(); err != nil {
		return err
	}
	var err error
	e.buf, err = AppendList(e.buf, n)
	return err
}
