package packet

import (
	"encoding"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

var errCycle = errors.New("value is nested too deeply or contains itself")

// walk appends v, whose type info describes, as encoding/json would, except that binary values become attachments.
func (e *encoder) walk(v reflect.Value, info *typeInfo, depth int) error {
	if info.opaque {
		if v.CanAddr() && v.Kind() != reflect.Pointer {
			v = v.Addr() // so that methods of the pointer are found
		}
		return e.leaf(v.Interface())
	}
	if depth++; depth > maxPointers {
		return errCycle
	}
	switch v.Kind() {
	case reflect.Bool:
		e.dst = strconv.AppendBool(e.dst, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.dst = strconv.AppendInt(e.dst, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.dst = strconv.AppendUint(e.dst, v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return e.float(v)
	case reflect.String:
		e.dst = appendQuoted(e.dst, v.String())
	case reflect.Interface:
		return e.value(v.Interface(), depth)
	case reflect.Struct:
		return e.object(v, info, depth)
	case reflect.Array:
		return e.list(v, info, depth)
	case reflect.Pointer, reflect.Map, reflect.Slice:
		switch {
		case v.IsNil():
			e.dst = append(e.dst, "null"...)
		case info.bytes:
			e.attach(v.Bytes())
		case v.Kind() == reflect.Pointer:
			return e.walk(v.Elem(), info.elem(), depth)
		case v.Kind() == reflect.Map:
			return e.table(v, info, depth)
		default:
			return e.list(v, info, depth)
		}
	default:
		return &json.UnsupportedTypeError{Type: v.Type()}
	}
	return nil
}

// float appends a number in the form of encoding/json, which is that of ECMAScript ("Number::toString").
func (e *encoder) float(v reflect.Value) error {
	f := v.Float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return &json.UnsupportedValueError{Value: v, Str: strconv.FormatFloat(f, 'g', -1, 64)}
	}
	bits, format := v.Type().Bits(), byte('f')
	small, large := math.Abs(f) < 1e-6, math.Abs(f) >= 1e21
	if bits == 32 {
		small, large = math.Abs(f) < float64(float32(1e-6)), math.Abs(f) >= float64(float32(1e21))
	}
	if f != 0 && (small || large) {
		format = 'e'
	}
	e.dst = strconv.AppendFloat(e.dst, f, format, -1, bits)
	if n := len(e.dst); format == 'e' && n >= 4 && e.dst[n-4] == 'e' && e.dst[n-2] == '0' {
		e.dst[n-2] = e.dst[n-1] // e-07 is e-7
		e.dst = e.dst[:n-1]
	}
	return nil
}

func (e *encoder) list(v reflect.Value, info *typeInfo, depth int) error {
	e.dst = append(e.dst, '[')
	for i := range v.Len() {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		if err := e.walk(v.Index(i), info.elem(), depth); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, ']')
	return nil
}

func (e *encoder) object(v reflect.Value, info *typeInfo, depth int) error {
	e.dst = append(e.dst, '{')
	first := true
	list := info.fields().list
	for i := range list {
		f := &list[i]
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
		if err := e.walk(at, f.info, depth); err != nil {
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
func (e *encoder) table(v reflect.Value, info *typeInfo, depth int) error {
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
		if err := e.walk(entry.value, info.elem(), depth); err != nil {
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
