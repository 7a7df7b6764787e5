package minijson

import (
	"encoding"
	"encoding/json"
	"math/big"
	"reflect"
	"sync"
	"time"
)

// encodeFunc encodes a value of the type for which it was made.
type encodeFunc func(e *encoder, v reflect.Value) error

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
	stand := encodeFunc(func(e *encoder, v reflect.Value) error {
		made.Wait()
		return inner(e, v)
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
	timeType          = reflect.TypeFor[time.Time]() // in which unit it would be is for the caller to say
	bigType           = reflect.TypeFor[big.Int]()
	numberType        = reflect.TypeFor[json.Number]()
	rawType           = reflect.TypeFor[RawValue]()
	mapType           = reflect.TypeFor[Map]()
	textsType         = reflect.TypeFor[map[string]string]()
	treeType          = reflect.TypeFor[map[string]any]()
)

// isMethodical reports whether a method of t may say what is written for it.
func isMethodical(t reflect.Type) bool { return t.Implements(marshalerType) || t.Implements(textMarshalerType) }

// makeEncoder makes the function for t: that of its methods, if it has some, else that of its kind.
func makeEncoder(t reflect.Type) encodeFunc {
	f := encoderOfKind(t)
	if t.Kind() == reflect.Interface || t == bigType || t == reflect.PointerTo(bigType) {
		return f // what the interface holds decides; the text of a number is not wanted
	}
	if t.Implements(textMarshalerType) {
		f = textEncoder(f)
	} else if reflect.PointerTo(t).Implements(textMarshalerType) {
		f = addressed(textEncoder(pointerEncoder(f)), f)
	}
	if t.Implements(marshalerType) {
		return encodeMarshaler
	}
	if reflect.PointerTo(t).Implements(marshalerType) {
		return addressed(encodeMarshaler, f)
	}
	return f
}

// addressed returns a function that uses the methods of the pointer where there is one, as encoding/json does.
func addressed(method, plain encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) error {
		if v.CanAddr() {
			return method(e, v.Addr())
		}
		return plain(e, v)
	}
}

func encodeMarshaler(e *encoder, v reflect.Value) error {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	if err := e.follow(); err != nil {
		return err
	}
	x, err := v.Interface().(Marshaler).MarshalMiniJSON()
	if err != nil {
		return encodingError(ReasonMethod, v.Type().String(), err)
	}
	err = e.value(x)
	e.hops--
	return err
}

// textEncoder returns a function that writes what MarshalText returns, if that is asked for.
func textEncoder(plain encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) error {
		switch {
		case !e.opts.TextMarshalers:
			return plain(e, v)
		case v.Kind() == reflect.Pointer && v.IsNil():
			e.buf = append(e.buf, tagNull)
			return nil
		}
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return encodingError(ReasonMethod, v.Type().String(), err)
		}
		return e.string(string(text))
	}
}

// encoderOfKind makes the function for t without a look at its methods.
func encoderOfKind(t reflect.Type) encodeFunc {
	switch t {
	case timeType:
		return unsupported(t)
	case bigType:
		return func(e *encoder, v reflect.Value) (err error) {
			b := v.Interface().(big.Int)
			e.buf, err = AppendBig(e.buf, &b)
			return err
		}
	case numberType:
		return func(e *encoder, v reflect.Value) error { return e.literal(v.String()) }
	case rawType:
		return func(e *encoder, v reflect.Value) error { return e.raw(v.Bytes()) }
	case mapType:
		return func(e *encoder, v reflect.Value) error { return e.ordered(v.Interface().(Map)) }
	case treeType:
		return func(e *encoder, v reflect.Value) error { return e.object(v.Interface().(map[string]any)) }
	case textsType:
		return func(e *encoder, v reflect.Value) error { return e.texts(v.Interface().(map[string]string)) }
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(e *encoder, v reflect.Value) error {
			e.buf = AppendBool(e.buf, v.Bool())
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(e *encoder, v reflect.Value) error {
			e.buf = AppendInt(e.buf, v.Int())
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(e *encoder, v reflect.Value) error {
			e.buf = AppendUint(e.buf, v.Uint())
			return nil
		}
	case reflect.Float32:
		return func(e *encoder, v reflect.Value) error {
			e.buf = AppendFloat32(e.buf, float32(v.Float()))
			return nil
		}
	case reflect.Float64:
		return func(e *encoder, v reflect.Value) error { return e.float(v.Float()) }
	case reflect.String:
		return func(e *encoder, v reflect.Value) error { return e.string(v.String()) }
	case reflect.Interface:
		return encodeInterface
	case reflect.Pointer:
		return pointerEncoder(encoderOf(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(e *encoder, v reflect.Value) (err error) {
				e.buf, err = AppendBytes(e.buf, v.Bytes())
				return err
			}
		}
		return sliceEncoder(t)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return encodeByteArray
		}
		return listEncoder(encoderOf(t.Elem()))
	case reflect.Map:
		encode := encoderOf(t.Elem())
		return func(e *encoder, v reflect.Value) error { return e.reflectedMap(v, encode) }
	case reflect.Struct:
		return structEncoder(t)
	}
	return unsupported(t)
}

func unsupported(t reflect.Type) encodeFunc {
	return func(*encoder, reflect.Value) error { return encodingError(ReasonType, t.String(), nil) }
}

func encodeInterface(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	if err := e.follow(); err != nil {
		return err
	}
	err := e.value(v.Interface())
	e.hops--
	return err
}

// pointerEncoder encodes what a pointer leads to. A nil slice or map behind a pointer is null: there it is no more empty
// than a nil pointer is.
func pointerEncoder(encode encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		v = v.Elem()
		if k := v.Kind(); (k == reflect.Slice || k == reflect.Map) && v.IsNil() {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		if err := e.follow(); err != nil {
			return err
		}
		err := encode(e, v)
		e.hops--
		return err
	}
}

func encodeByteArray(e *encoder, v reflect.Value) (err error) {
	if v.CanAddr() {
		e.buf, err = AppendBytes(e.buf, v.Bytes())
		return err
	}
	n := v.Len()
	e.buf = appendLength(e.buf, n, tagBytesU8, tagBytesU16, tagBytesU32)
	for i := range n {
		e.buf = append(e.buf, byte(v.Index(i).Uint()))
	}
	return nil
}
