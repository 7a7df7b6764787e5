package packet

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

var errCycle = errors.New("value is nested too deeply or contains itself")

// walk appends v, whose type may hold binary values, as encoding/json would, except that those become attachments.
func (e *encoder) walk(v reflect.Value, depth int) error {
	if !v.IsValid() {
		return e.value(nil, depth)
	}
	t := v.Type()
	if !holdsBinary(t) {
		if v.CanAddr() && v.Kind() != reflect.Pointer {
			v = v.Addr() // so that methods of the pointer are found
		}
		return e.leaf(v.Interface())
	}
	if depth++; depth > maxPointers {
		return errCycle
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return e.value(nil, depth)
		}
		if t.Kind() == reflect.Interface {
			return e.value(v.Elem().Interface(), depth)
		}
		return e.walk(v.Elem(), depth)
	case reflect.Struct:
		return e.object(v, depth)
	case reflect.Map:
		return e.table(v, depth)
	case reflect.Slice:
		if isBytes(t) {
			e.binary(v.Bytes())
			return nil
		}
		if v.IsNil() {
			return e.value(nil, depth)
		}
	}
	e.dst = append(e.dst, '[')
	for i := range v.Len() {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		if err := e.walk(v.Index(i), depth); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, ']')
	return nil
}

func (e *encoder) object(v reflect.Value, depth int) error {
	e.dst = append(e.dst, '{')
	first := true
	for _, f := range fieldsOf(v.Type()).list {
		at, ok := f.in(v)
		if !ok || f.omitEmpty && isEmpty(at) || f.omitZero != nil && f.omitZero(at) {
			continue
		}
		if !first {
			e.dst = append(e.dst, ',')
		}
		first = false
		e.dst = append(e.dst, f.key...)
		start := len(e.dst)
		if err := e.walk(at, depth); err != nil {
			return err
		}
		if f.quoted && string(e.dst[start:]) != "null" {
			inner := string(e.dst[start:])
			e.dst = appendQuoted(e.dst[:start], inner)
		}
	}
	e.dst = append(e.dst, '}')
	return nil
}

// table appends a map, sorted by its keys.
func (e *encoder) table(v reflect.Value, depth int) error {
	if v.IsNil() {
		return e.value(nil, depth)
	}
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := keyText(it.Key())
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, it.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.dst = append(e.dst, '{')
	for i, entry := range entries {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		e.dst = append(appendQuoted(e.dst, entry.key), ':')
		if err := e.walk(entry.value, depth); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, '}')
	return nil
}

// anyTable is table for the map that most programs use.
func (e *encoder) anyTable(m map[string]any, depth int) error {
	if depth++; depth > maxPointers {
		return errCycle
	}
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	e.dst = append(e.dst, '{')
	for i, key := range keys {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		e.dst = append(appendQuoted(e.dst, key), ':')
		if err := e.value(m[key], depth); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, '}')
	return nil
}

// keyText returns the name under which encoding/json writes a key of a map.
func keyText(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok {
		if k.Kind() == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	default:
		return "", &json.UnsupportedTypeError{Type: k.Type()}
	}
}
