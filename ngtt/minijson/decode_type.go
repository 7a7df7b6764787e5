package minijson

import (
	"encoding"
	"reflect"
	"sync"
)

// decodeFunc decodes a value into v, which is addressable and of the type for which it was made.
type decodeFunc func(d *decoder, v reflect.Value) error

var decodeFuncs sync.Map // reflect.Type -> decodeFunc

// decoderOf returns the function that decodes into values of type t.
func decoderOf(t reflect.Type) decodeFunc {
	if f, ok := decodeFuncs.Load(t); ok {
		return f.(decodeFunc)
	}
	// A type may contain itself: until its own function is there, this one stands for it.
	var (
		made  sync.WaitGroup
		inner decodeFunc
	)
	made.Add(1)
	stand := decodeFunc(func(d *decoder, v reflect.Value) error {
		made.Wait()
		return inner(d, v)
	})
	if f, loaded := decodeFuncs.LoadOrStore(t, stand); loaded {
		return f.(decodeFunc)
	}
	inner = makeDecoder(t)
	made.Done()
	decodeFuncs.Store(t, inner)
	return inner
}

var (
	unmarshalerType     = reflect.TypeFor[Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// makeDecoder makes the function for t: that of its methods, if it has some, else that of its kind.
func makeDecoder(t reflect.Type) decodeFunc {
	f := decoderOfKind(t)
	switch {
	case reflect.PointerTo(t).Implements(unmarshalerType):
		return decodeUnmarshaler
	case t != bigType && reflect.PointerTo(t).Implements(textUnmarshalerType):
		return textDecoder(f)
	}
	return f
}

func decodeUnmarshaler(d *decoder, v reflect.Value) error {
	at := d.pos
	raw, err := d.raw()
	if err != nil {
		return err
	}
	if err := v.Addr().Interface().(Unmarshaler).UnmarshalMiniJSON(raw); err != nil {
		d.at = at
		return d.failWith(ReasonMethod, v.Type(), err)
	}
	return nil
}

// textDecoder returns a function that gives strings to UnmarshalText, if that is asked for.
func textDecoder(plain decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		if !d.opts.TextUnmarshalers || d.peek() != kindString {
			return plain(d, v)
		}
		_, n, err := d.head()
		if err != nil {
			return err
		}
		p, err := d.text(n)
		if err != nil {
			return err
		}
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(p); err != nil {
			return d.failWith(ReasonMethod, v.Type(), err)
		}
		return nil
	}
}

// peek returns the kind of the next value; kindUnknown if there is none.
func (d *decoder) peek() kind {
	if d.left() == 0 {
		return kindUnknown
	}
	return forms[d.b[d.pos]].kind
}

// null reads a null, if that is next.
func (d *decoder) null() bool {
	if d.left() == 0 || d.b[d.pos] != tagNull {
		return false
	}
	d.pos++
	return true
}

// raw reads a value without decoding it. The bytes share memory with the input.
func (d *decoder) raw() ([]byte, error) {
	from := d.pos
	if err := d.skip(); err != nil {
		return nil, err
	}
	return d.b[from:d.pos], nil
}

// decoderOfKind makes the function for t without a look at its methods. Null leaves alone what cannot be nil.
func decoderOfKind(t reflect.Type) decodeFunc {
	switch t {
	case timeType:
		return orNull(misfit)
	case bigType:
		return orNull(decodeBig)
	case numberType:
		return orNull(decodeNumber)
	case rawType:
		return decodeRaw
	case mapType:
		return orNil(decodeMapType)
	case treeType:
		return orNil(decodeTree)
	case textsType:
		return orNil(decodeTexts)
	}
	switch t.Kind() {
	case reflect.Bool:
		return orNull(decodeBool)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return orNull(decodeInt)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return orNull(decodeUint)
	case reflect.Float32, reflect.Float64:
		return orNull(decodeFloat)
	case reflect.String:
		return orNull(decodeString)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return decodeInterface
		}
	case reflect.Pointer:
		return pointerDecoder(t)
	case reflect.Slice:
		return orNil(sliceDecoder(t))
	case reflect.Array:
		return orNull(arrayDecoder(t))
	case reflect.Map:
		return orNil(mapDecoder(t))
	case reflect.Struct:
		return orNull(structDecoder(t))
	}
	return misfit
}

// misfit refuses every value.
func misfit(d *decoder, v reflect.Value) error {
	if _, _, err := d.head(); err != nil {
		return err
	}
	return d.unfit(ReasonType, v.Type())
}

func orNull(f decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		if d.null() {
			return nil
		}
		return f(d, v)
	}
}

func orNil(f decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		if d.null() {
			v.SetZero()
			return nil
		}
		return f(d, v)
	}
}

// maxPointers is how many pointers may follow each other in a type. A type may be a pointer to itself.
const maxPointers = 16

func pointerDecoder(t reflect.Type) decodeFunc {
	end := t
	for n := 0; end.Kind() == reflect.Pointer; n++ {
		if n == maxPointers {
			return misfit
		}
		end = end.Elem()
	}
	elem := t.Elem()
	decode := decoderOf(elem)
	return func(d *decoder, v reflect.Value) error {
		if d.null() {
			v.SetZero()
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(elem))
		}
		return decode(d, v.Elem())
	}
}

func decodeInterface(d *decoder, v reflect.Value) error {
	x, err := d.any()
	switch {
	case err != nil:
		return err
	case x == nil:
		v.SetZero()
	default:
		v.Set(reflect.ValueOf(x))
	}
	return nil
}

func decodeRaw(d *decoder, v reflect.Value) error {
	raw, err := d.raw()
	if err == nil {
		v.SetBytes(append([]byte{}, raw...))
	}
	return err
}

func decodeBool(d *decoder, v reflect.Value) error {
	k, _, err := d.head()
	switch {
	case err != nil:
		return err
	case k != kindTrue && k != kindFalse:
		return d.unfit(ReasonType, v.Type())
	}
	v.SetBool(k == kindTrue)
	return nil
}

func decodeString(d *decoder, v reflect.Value) error {
	s, err := d.string(v.Type())
	if err == nil {
		v.SetString(s)
	}
	return err
}

// string reads a string for a target of type t.
func (d *decoder) string(t reflect.Type) (string, error) {
	k, n, err := d.head()
	if err != nil {
		return "", err
	}
	if k != kindString {
		return "", d.unfit(ReasonType, t)
	}
	p, err := d.text(n)
	if err != nil {
		return "", err
	}
	return d.texts.make(p), nil
}
