package minijson

import (
	"reflect"
	"unsafe"
)

// omitFunc reports whether the field at p is left out.
type omitFunc func(p unsafe.Pointer) bool

// omission makes the function for the options of a field's tag; nil if it is never left out.
func omission(f *field) omitFunc {
	switch {
	case f.omitZero && f.omitEmpty:
		zero, empty := zeroOf(f.typ), emptyOf(f.typ)
		return func(p unsafe.Pointer) bool { return zero(p) || empty(p) }
	case f.omitZero:
		return zeroOf(f.typ)
	case f.omitEmpty:
		return emptyOf(f.typ)
	}
	return nil
}

// zeroer is a type that says itself whether it is zero, such as [time.Time].
type zeroer interface{ IsZero() bool }

var zeroerType = reflect.TypeFor[zeroer]()

func zeroOf(t reflect.Type) omitFunc {
	if t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(zeroerType) {
		return func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Interface().(zeroer).IsZero() }
	}
	return func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
}

// emptyOf: empty are false, 0, a nil pointer or interface, and an array, slice, map or string without elements.
func emptyOf(t reflect.Type) omitFunc {
	switch t {
	case treeType:
		return func(p unsafe.Pointer) bool { return len(*(*map[string]any)(p)) == 0 }
	case textsType:
		return func(p unsafe.Pointer) bool { return len(*(*map[string]string)(p)) == 0 }
	}
	switch t.Kind() {
	case reflect.String:
		return func(p unsafe.Pointer) bool { return *(*string)(p) == "" }
	case reflect.Slice:
		return func(p unsafe.Pointer) bool { return (*sliceHeader)(p).len == 0 }
	case reflect.Map:
		return func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().Len() == 0 }
	case reflect.Pointer, reflect.Interface:
		return func(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil } // of an interface, its type
	case reflect.Array, reflect.Struct:
		never := t.Kind() == reflect.Struct || t.Len() > 0
		return func(unsafe.Pointer) bool { return !never }
	}
	switch t.Size() { // all other kinds are zero if their bits are
	case 1:
		return func(p unsafe.Pointer) bool { return *(*uint8)(p) == 0 }
	case 2:
		return func(p unsafe.Pointer) bool { return *(*uint16)(p) == 0 }
	case 4:
		return func(p unsafe.Pointer) bool { return *(*uint32)(p) == 0 }
	}
	return func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
}
