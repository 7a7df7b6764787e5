package minijson

import (
	"reflect"
	"unsafe"
)

// scalarEncoder makes the function for a type of a plain kind.
func scalarEncoder(t reflect.Type) encodeFunc {
	switch t.Kind() {
	case reflect.Bool:
		return func(_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return AppendBool(b, *(*bool)(p)), nil }
	case reflect.String:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.string(b, *(*string)(p)) }
	case reflect.Float32:
		return func(_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return AppendFloat32(b, *(*float32)(p)), nil
		}
	case reflect.Float64:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.float(b, *(*float64)(p)) }
	case reflect.Int:
		return encodeSigned[int]
	case reflect.Int8:
		return encodeSigned[int8]
	case reflect.Int16:
		return encodeSigned[int16]
	case reflect.Int32:
		return encodeSigned[int32]
	case reflect.Int64:
		return encodeSigned[int64]
	case reflect.Uint:
		return encodeUnsigned[uint]
	case reflect.Uint8:
		return encodeUnsigned[uint8]
	case reflect.Uint16:
		return encodeUnsigned[uint16]
	case reflect.Uint32:
		return encodeUnsigned[uint32]
	case reflect.Uint64:
		return encodeUnsigned[uint64]
	case reflect.Uintptr:
		return encodeUnsigned[uintptr]
	}
	return unsupported(t)
}

func encodeSigned[T int | int8 | int16 | int32 | int64](_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
	return AppendInt(b, int64(*(*T)(p))), nil
}

func encodeUnsigned[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
	return AppendUint(b, uint64(*(*T)(p))), nil
}
