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
	number          = reflect.TypeFor[json.Number]()
)

// typeInfo is what the encoder wants to know of a type, found out once.
type typeInfo struct {
	opaque bool // it encodes itself, or encoding/json has a rule for it alone
	bytes  bool // its values are binary
	fields func() *fields
	elem   func() *typeInfo
}

// infos caches by type.
var infos sync.Map // reflect.Type to *typeInfo

func infoOf(t reflect.Type) *typeInfo {
	if info, ok := infos.Load(t); ok {
		return info.(*typeInfo)
	}
	info, _ := infos.LoadOrStore(t, &typeInfo{
		opaque: encodesItself(t) || t == number,
		bytes:  isBytes(t),
		fields: sync.OnceValue(func() *fields { return planOf(t) }),
		elem:   sync.OnceValue(func() *typeInfo { return infoOf(t.Elem()) }),
	})
	return info.(*typeInfo)
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
