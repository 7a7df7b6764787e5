package minijson

import (
	"encoding"
	"encoding/json"
	"math/big"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// encodeFunc encodes the value at p, which has the type for which the function was made. Encoding reads through
// pointers because reflection for each element takes more time than all the rest; nothing is written through them.
type encodeFunc func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error)

var encodeFuncs sync.Map // reflect.Type -> encodeFunc

// encoderOf returns the function that encodes values of type t.
func encoderOf(t reflect.Type) encodeFunc {
	if f, ok := encodeFuncs.Load(t); ok {
		return f.(encodeFunc)
	}
	// A type may contain itself: until its own function is there, this one stands for it.
	var (
		made  sync.WaitGroup
		inner encodeFunc
	)
	made.Add(1)
	stand := encodeFunc(func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		made.Wait()
		return inner(e, b, p)
	})
	if f, loaded := encodeFuncs.LoadOrStore(t, stand); loaded {
		return f.(encodeFunc)
	}
	inner = makeEncoder(t)
	made.Done()
	encodeFuncs.Store(t, inner)
	return inner
}

var (
	marshalerType     = reflect.TypeFor[Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	timeType          = reflect.TypeFor[time.Time]()
	bigType           = reflect.TypeFor[big.Int]()
	numberType        = reflect.TypeFor[json.Number]()
	rawType           = reflect.TypeFor[RawValue]()
	mapType           = reflect.TypeFor[Map]()
	textsType         = reflect.TypeFor[map[string]string]()
	treeType          = reflect.TypeFor[map[string]any]()
)

// reflected encodes a value of a type that value does not know.
func (e *encoder) reflected(b []byte, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer:
		return e.pointer(b, rv.UnsafePointer(), rv.Type().Elem(), encoderOf(rv.Type().Elem()))
	case reflect.Map, reflect.Slice:
		if rv.IsNil() {
			return append(b, tagNull), nil
		}
	}
	p := reflect.New(rv.Type()) // what an interface holds has no address
	p.Elem().Set(rv)
	return encoderOf(rv.Type())(e, b, p.UnsafePointer())
}

// pointer encodes what p leads to, a value of type t. A nil slice or map behind a pointer is null: there it is no more
// empty than a nil pointer is.
func (e *encoder) pointer(b []byte, p unsafe.Pointer, t reflect.Type, encode encodeFunc) ([]byte, error) {
	if p == nil {
		return append(b, tagNull), nil
	}
	if k := t.Kind(); (k == reflect.Slice || k == reflect.Map) && *(*unsafe.Pointer)(p) == nil {
		return append(b, tagNull), nil
	}
	if err := e.follow(); err != nil {
		return b, err
	}
	b, err := encode(e, b, p)
	e.hops--
	return b, err
}

// makeEncoder makes the function for t: that of its methods, if it has some, else that of its kind. Methods of the
// pointer count, since there always is one.
func makeEncoder(t reflect.Type) encodeFunc {
	f := encoderOfKind(t)
	switch p := reflect.PointerTo(t); {
	case p.Implements(marshalerType):
		return methodEncoder(t)
	case t != bigType && p.Implements(textMarshalerType):
		return textEncoder(t, f)
	}
	return f
}

func methodEncoder(t reflect.Type) encodeFunc {
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		if err := e.follow(); err != nil {
			return b, err
		}
		v, err := reflect.NewAt(t, p).Interface().(Marshaler).MarshalMiniJSON()
		if err != nil {
			return b, encodingError(ReasonMethod, t.String(), err)
		}
		b, err = e.value(b, v)
		e.hops--
		return b, err
	}
}

// textEncoder returns a function that writes what MarshalText returns, if that is asked for.
func textEncoder(t reflect.Type, plain encodeFunc) encodeFunc {
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		if !e.opts.TextMarshalers {
			return plain(e, b, p)
		}
		text, err := reflect.NewAt(t, p).Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return b, encodingError(ReasonMethod, t.String(), err)
		}
		return e.string(b, string(text))
	}
}

// encoderOfKind makes the function for t without a look at its methods.
func encoderOfKind(t reflect.Type) encodeFunc {
	switch t {
	case timeType:
		return unsupported(t)
	case bigType:
		return func(_ *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return AppendBig(b, (*big.Int)(p)) }
	case numberType:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.literal(b, *(*string)(p)) }
	case rawType:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.raw(b, *(*RawValue)(p)) }
	case mapType:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) { return e.ordered(b, *(*Map)(p)) }
	case treeType:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.object(b, *(*map[string]any)(p))
		}
	case textsType:
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.texts(b, *(*map[string]string)(p))
		}
	}
	switch t.Kind() {
	case reflect.Interface:
		return interfaceEncoder(t)
	case reflect.Pointer:
		encode := encoderOf(t.Elem())
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.pointer(b, *(*unsafe.Pointer)(p), t.Elem(), encode)
		}
	case reflect.Slice:
		return sliceEncoder(t)
	case reflect.Array:
		return arrayEncoder(t)
	case reflect.Map:
		encode := encoderOf(t.Elem())
		return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
			return e.pairs(b, reflect.NewAt(t, p).Elem(), encode)
		}
	case reflect.Struct:
		return structEncoder(t)
	}
	return scalarEncoder(t)
}

func interfaceEncoder(t reflect.Type) encodeFunc {
	return func(e *encoder, b []byte, p unsafe.Pointer) ([]byte, error) {
		if err := e.follow(); err != nil {
			return b, err
		}
		v := reflect.NewAt(t, p).Elem()
		if t.NumMethod() == 0 {
			b, err := e.value(b, *(*any)(p))
			e.hops--
			return b, err
		}
		if v.IsNil() {
			e.hops--
			return append(b, tagNull), nil
		}
		b, err := e.value(b, v.Interface())
		e.hops--
		return b, err
	}
}

func unsupported(t reflect.Type) encodeFunc {
	return func(_ *encoder, b []byte, _ unsafe.Pointer) ([]byte, error) {
		return b, encodingError(ReasonType, t.String(), nil)
	}
}
