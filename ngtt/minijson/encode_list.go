package minijson

import (
	"reflect"
	"unsafe"
)

// sliceHeader is what a slice of any type looks like in memory.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

func sliceEncoder(t reflect.Type) encodeFunc {
	switch {
	case t.Elem().Kind() == reflect.Uint8:
		return func(_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return AppendBytes(b, *(*[]byte)(p)) }
	case t.Elem() == reflect.TypeFor[int64]():
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.integers(b, *(*[]int64)(p)) }
	case t.Elem() == reflect.TypeFor[float64]():
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.floats(b, *(*[]float64)(p)) }
	}
	size, encode := t.Elem().Size(), encoderOf(t.Elem())
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		s := (*sliceHeader)(p)
		return e.elements(b, s.data, s.len, size, encode)
	}
}

func arrayEncoder(t reflect.Type) encodeFunc {
	n := t.Len()
	switch {
	case t.Elem().Kind() == reflect.Uint8:
		return func(_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return AppendBytes(b, unsafe.Slice((*byte)(p), n))
		}
	case t.Elem() == reflect.TypeFor[int64]():
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.integers(b, unsafe.Slice((*int64)(p), n))
		}
	case t.Elem() == reflect.TypeFor[float64]():
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.floats(b, unsafe.Slice((*float64)(p), n))
		}
	}
	size, encode := t.Elem().Size(), encoderOf(t.Elem())
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		return e.elements(b, p, n, size, encode)
	}
}

// elements encodes n values of the given size, from p on.
func (e *encoder) elements(b []byte, p unsafe.Pointer, n int, size uintptr, encode encodeFunc) ([]byte, error) {
	b, err := e.openList(b, n)
	if err != nil {
		return b, err
	}
	for i := range n {
		if b, err = encode(e, b, unsafe.Add(p, uintptr(i)*size)); err != nil {
			return b, inIndex(err, i)
		}
	}
	e.depth--
	return b, nil
}

// integers and floats encode what makes up most data: without a call for each element.
func (e *encoder) integers(b []byte, list []int64) ([]byte, error) {
	b, err := e.openList(b, len(list))
	if err != nil {
		return b, err
	}
	for _, v := range list {
		b = AppendInt(b, v)
	}
	e.depth--
	return b, nil
}

func (e *encoder) floats(b []byte, list []float64) ([]byte, error) {
	b, err := e.openList(b, len(list))
	if err != nil {
		return b, err
	}
	for i, v := range list {
		if b, err = e.float(b, v); err != nil {
			return b, inIndex(err, i)
		}
	}
	e.depth--
	return b, nil
}
