package packet

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// field is a field of a struct as encoding/json sees it.
type field struct {
	name      string
	key       string // the name quoted, with a colon
	info      *typeInfo
	index     []int // the way to it through embedded structs
	tagged    bool  // the name comes from a tag
	omitEmpty bool
	omitZero  func(reflect.Value) bool // nil unless the tag has the option
	quoted    bool                     // the tag's option "string"
}

// fields are those of one type of struct.
type fields struct {
	list   []field
	byName map[string]int
}

// planOf chooses among the fields of t and of the structs embedded in it by the rules of encoding/json: of those with one
// name the shallowest, of several such the tagged one, and none if that leaves more than one.
func planOf(t reflect.Type) *fields {
	groups := map[string][]field{}
	var order []string
	for _, f := range candidates(t) {
		if groups[f.name] == nil {
			order = append(order, f.name)
		}
		groups[f.name] = append(groups[f.name], f)
	}
	plan := &fields{byName: map[string]int{}}
	for _, name := range order {
		group := groups[name]
		slices.SortStableFunc(group, func(a, b field) int {
			if d := len(a.index) - len(b.index); d != 0 || a.tagged == b.tagged {
				return d
			}
			if a.tagged {
				return -1
			}
			return 1
		})
		if len(group) > 1 && len(group[0].index) == len(group[1].index) && group[0].tagged == group[1].tagged {
			continue
		}
		plan.list = append(plan.list, group[0])
	}
	slices.SortFunc(plan.list, func(a, b field) int { return slices.Compare(a.index, b.index) })
	for i, f := range plan.list {
		plan.byName[f.name] = i
	}
	return plan
}

// level is a struct to look into, and the way to it.
type level struct {
	typ   reflect.Type
	index []int
}

// candidates returns all fields of t that could be encoded, embedded ones after those around them. A type that was met on
// a shallower level is not looked into again; twice on the same level it hides its own fields, so it counts twice.
func candidates(t reflect.Type) []field {
	var found []field
	next := []level{{typ: t}}
	visited := map[reflect.Type]bool{}
	for len(next) > 0 {
		current := next
		next = nil
		for _, l := range current {
			visited[l.typ] = true
		}
		for _, l := range current {
			for i := range l.typ.NumField() {
				f, embedded, ok := candidate(l.typ.Field(i))
				if !ok {
					continue
				}
				f.index = append(slices.Clone(l.index), i)
				switch {
				case embedded == nil:
					found = append(found, f)
				case !visited[embedded]:
					next = append(next, level{embedded, f.index})
				}
			}
		}
	}
	return found
}

// candidate returns the field that f is, or the struct whose fields it brings in.
func candidate(f reflect.StructField) (_ field, embedded reflect.Type, ok bool) {
	target := f.Type
	if f.Anonymous && target.Kind() == reflect.Pointer {
		target = target.Elem()
	}
	if !f.IsExported() && (!f.Anonymous || target.Kind() != reflect.Struct) {
		return field{}, nil, false
	}
	tag := f.Tag.Get("json")
	if tag == "-" {
		return field{}, nil, false
	}
	name, options, _ := strings.Cut(tag, ",")
	if !validName(name) {
		name = ""
	}
	if f.Anonymous && name == "" && target.Kind() == reflect.Struct {
		return field{}, target, true
	}
	out := field{name: name, info: infoOf(f.Type), tagged: name != ""}
	if name == "" {
		out.name = f.Name
	}
	out.key = string(append(appendQuoted(nil, out.name), ':'))
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			out.omitEmpty = true
		case "omitzero":
			out.omitZero = zeroTest(f.Type)
		case "string":
			out.quoted = isScalar(f.Type)
		}
	}
	return out, nil, true
}

// validName reports whether encoding/json takes a name from a tag.
func validName(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return name != ""
}

// isScalar reports whether the option "string" has an effect on a field of type t.
func isScalar(t reflect.Type) bool {
	if t.Name() == "" && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return true
	default:
		return false
	}
}

// zeroTest returns the test behind the option "omitzero": the type's own IsZero if it has one.
func zeroTest(t reflect.Type) func(reflect.Value) bool {
	type zeroer = interface{ IsZero() bool }
	methods := reflect.TypeFor[zeroer]()
	switch {
	case t.Implements(methods):
		return func(v reflect.Value) bool {
			if k := v.Kind(); (k == reflect.Pointer || k == reflect.Interface) && v.IsNil() {
				return true
			}
			return v.Interface().(zeroer).IsZero()
		}
	case reflect.PointerTo(t).Implements(methods):
		return func(v reflect.Value) bool {
			if !v.CanAddr() {
				copied := reflect.New(t).Elem()
				copied.Set(v)
				v = copied
			}
			return v.Addr().Interface().(zeroer).IsZero()
		}
	default:
		return reflect.Value.IsZero
	}
}

// isEmpty is the test behind the option "omitempty".
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// in returns the field of v, and false if a nil pointer is in the way.
func (f *field) in(v reflect.Value) (reflect.Value, bool) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

// named returns the field for a member of an object: the one of that name, or else one whose name differs only in case.
func (p *fields) named(name string) (*field, bool) {
	if i, ok := p.byName[name]; ok {
		return &p.list[i], true
	}
	for i := range p.list {
		if strings.EqualFold(p.list[i].name, name) {
			return &p.list[i], true
		}
	}
	return nil, false
}
