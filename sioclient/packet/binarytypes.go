package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"
)

var (
	marshaler       = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// holders caches the answers of holdsBinary by type.
var holders sync.Map // reflect.Type to bool

// holdsBinary reports whether a value of type t may hold binary values that must become attachments: whether there is a
// []byte, or an interface that may hold one, within its reach. A type that encodes itself is opaque.
func holdsBinary(t reflect.Type) bool {
	if holds, ok := holders.Load(t); ok {
		return holds.(bool)
	}
	holds := reachesBinary(t, map[reflect.Type]bool{})
	holders.Store(t, holds)
	return holds
}

func reachesBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return isBytes(t) || reachesBinary(t.Elem(), seen)
	case reflect.Array, reflect.Map, reflect.Pointer:
		return reachesBinary(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range fieldsOf(t).list {
			if reachesBinary(f.typ, seen) {
				return true
			}
		}
	}
	return false
}

// isBytes reports whether t is a slice of bytes.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !encodesItself(t.Elem())
}

// encodesItself reports whether t, or a pointer to it, has methods that encode it.
func encodesItself(t reflect.Type) bool {
	return has(t, marshaler) || has(t, textMarshaler)
}

// decodesItself reports whether t, or a pointer to it, has methods that decode it.
func decodesItself(t reflect.Type) bool {
	return has(t, unmarshaler) || has(t, textUnmarshaler)
}

func has(t, methods reflect.Type) bool {
	return t.Implements(methods) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(methods)
}
