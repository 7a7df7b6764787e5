package minijson

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// field is a field of a struct under the key that it has in objects.
type field struct {
	name      string
	index     []int // as for reflect.Value.FieldByIndex
	typ       reflect.Type
	tagged    bool // whether a tag gave the name
	omitEmpty bool
	omitZero  bool
}

// fieldsOf returns the fields of a struct type in the order of their declaration, by the rules of encoding/json:
// unexported ones are left out, those of embedded structs count as the outer struct's own, and of several with one
// name the least nested one wins, or the only one with a tag, or none.
func fieldsOf(t reflect.Type) []field {
	all := collect(nil, t, nil, map[reflect.Type]bool{})
	byName := make(map[string][]field)
	for _, f := range all {
		byName[f.name] = append(byName[f.name], f)
	}
	return slices.DeleteFunc(all, func(f field) bool {
		winner, ok := dominant(byName[f.name])
		return !ok || !slices.Equal(winner.index, f.index)
	})
}

// collect appends the fields of t, whose own place is index; outer holds the types around it.
func collect(fields []field, t reflect.Type, index []int, outer map[reflect.Type]bool) []field {
	if outer[t] {
		return fields // deeper fields of a type lose against those of the same type further out
	}
	outer[t] = true
	defer delete(outer, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		embedded := sf.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		inner := sf.Anonymous && embedded.Kind() == reflect.Struct
		if !sf.IsExported() && !inner {
			continue
		}
		tag, ok := sf.Tag.Lookup("minijson")
		if !ok {
			tag = sf.Tag.Get("json")
		}
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		place := append(slices.Clone(index), i)
		if inner && name == "" {
			fields = collect(fields, embedded, place, outer)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f := field{name: name, index: place, typ: sf.Type, tagged: name != ""}
		if name == "" {
			f.name = sf.Name
		}
		for option := range strings.SplitSeq(options, ",") {
			f.omitEmpty = f.omitEmpty || option == "omitempty"
			f.omitZero = f.omitZero || option == "omitzero"
		}
		fields = append(fields, f)
	}
	return fields
}

// dominant returns which of the fields with one name counts.
func dominant(fields []field) (f field, ok bool) {
	fields = slices.SortedStableFunc(slices.Values(fields), func(a, b field) int {
		if depth := cmp.Compare(len(a.index), len(b.index)); depth != 0 || a.tagged == b.tagged {
			return depth
		}
		if a.tagged {
			return -1
		}
		return 1
	})
	first := fields[0]
	if len(fields) > 1 && len(fields[1].index) == len(first.index) && fields[1].tagged == first.tagged {
		return field{}, false
	}
	return first, true
}

// legal reports whether the field's name can be a key of an object.
func (f *field) legal() bool { return len(f.name) <= maxKey && utf8.ValidString(f.name) }

// grow returns the field in the struct v, which is addressable. It makes what embedded pointers on the way point to;
// ok is false where that cannot be set because its type is not exported.
func (f *field) grow(v reflect.Value) (fv reflect.Value, ok bool) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, false
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}
