package packet

import (
	"encoding/json"
	"errors"
	"reflect"
)

// filler puts attachments into a value that encoding/json has decoded already, with null in their places. It goes down
// only to where there are attachments, and reads every part of the text once.
type filler struct {
	args Args
	scan scanner
	ends map[int]int // of the placeholders, and of the arrays and objects around them: from their first byte to behind the last
}

func newFiller(a Args, s span) *filler {
	f := &filler{args: a, ends: map[int]int{}}
	f.scan = scanner{text: a.text[:s.end], depth: maxDepth, around: a.marks, ends: f.ends}
	f.scan.value(s.start)
	f.scan.ends = nil
	return f
}

// next returns the end of the value that begins at i, and whether there is an attachment within.
func (f *filler) next(i int) (end int, holds bool) {
	if end, ok := f.ends[i]; ok {
		return end, true
	}
	return f.scan.value(i), false
}

// fill fills v, which is what the part s of the text was decoded into, unless a later field of the same name has replaced
// that by something of another form.
func (f *filler) fill(v reflect.Value, s span) error {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(t.Elem()))
		}
		return f.fill(v.Elem(), s)
	}
	b, whole := f.args.attachment(s)
	switch {
	case decodesItself(t):
		// Only the type knows what to make of placeholders.
		return json.Unmarshal(f.args.text[s.start:s.end], v.Addr().Interface())
	case whole && isBytes(t):
		v.SetBytes(b)
		return nil
	case whole && t.Kind() == reflect.Interface && t.NumMethod() == 0:
		v.Set(reflect.ValueOf(b))
		return nil
	case whole:
		return &json.UnmarshalTypeError{Value: "binary", Type: t}
	case t.Kind() == reflect.Interface && !v.IsNil():
		return f.fill(v.Elem(), s)
	case f.args.text[s.start] == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return f.array(v, s)
	case f.args.text[s.start] == '{' && (t.Kind() == reflect.Struct || t.Kind() == reflect.Map && !v.IsNil()):
		return f.object(v, s)
	}
	return nil
}

func (f *filler) array(v reflect.Value, s span) error {
	for i, n := f.scan.skip(s.start+1), 0; i < s.end; n++ {
		end, holds := f.next(i)
		if holds && n < v.Len() { // an array of Go may be shorter: encoding/json drops the rest, too
			if err := f.fill(v.Index(n), span{i, end}); err != nil {
				return err
			}
		}
		i = f.scan.skip(f.scan.skip(end) + 1) // over the comma, or the bracket
	}
	return nil
}

func (f *filler) object(v reflect.Value, s span) error {
	for i := f.scan.skip(s.start + 1); i < s.end; {
		key := f.args.text[i:stringEnd(f.args.text, i)]
		value := f.scan.skip(f.scan.skip(i+len(key)) + 1)
		end, holds := f.next(value)
		if holds {
			if err := f.member(v, unquote(key), span{value, end}); err != nil {
				return err
			}
		}
		i = f.scan.skip(end) + 1
		if i < s.end {
			i = f.scan.skip(i)
		}
	}
	return nil
}

func (f *filler) member(v reflect.Value, name []byte, s span) error {
	if v.Kind() == reflect.Struct {
		member, ok := infoOf(v.Type()).fields().named(string(name))
		if !ok {
			return nil
		}
		at, err := member.reach(v)
		if err != nil {
			return err
		}
		return f.fill(at, s)
	}
	key, err := mapKey(v.Type().Key(), name)
	if err != nil {
		return err
	}
	// What a map holds cannot be changed in place.
	element := reflect.New(v.Type().Elem()).Elem()
	if held := v.MapIndex(key); held.IsValid() {
		element.Set(held)
	}
	if err := f.fill(element, s); err != nil {
		return err
	}
	v.SetMapIndex(key, element)
	return nil
}

// reach is in, except that it makes the embedded structs on the way that are missing.
func (f *field) reach(v reflect.Value) (reflect.Value, error) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, errors.New("embedded pointer to unexported struct " + v.Type().Elem().String())
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}

// mapKey returns the key of type t that encoding/json makes of a name.
func mapKey(t reflect.Type, name []byte) (reflect.Value, error) {
	if t.Kind() == reflect.String && !decodesItself(t) {
		return reflect.ValueOf(string(name)).Convert(t), nil
	}
	m := reflect.New(reflect.MapOf(t, reflect.TypeFor[bool]()))
	object := append(appendQuoted([]byte{'{'}, name), ":true}"...)
	if err := json.Unmarshal(object, m.Interface()); err != nil {
		return reflect.Value{}, err
	}
	return m.Elem().MapKeys()[0], nil
}
