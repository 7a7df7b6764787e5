package minijson

import (
	"reflect"
	"strconv"
	"strings"
)

// maxPath is about the longest path in an error, in bytes. Of a deeper place the innermost steps are enough.
const maxPath = 256

// inKey and inIndex say of an error where in a container it happened. The containers are left from the innermost on.
func inKey(err error, key string) error { return within(err, "."+key) }

func inIndex(err error, i int) error { return within(err, "["+strconv.Itoa(i)+"]") }

// inEntry names an entry of a Go map by its key, or by the key's type.
func inEntry(err error, key reflect.Value) error {
	if key.Kind() == reflect.String {
		return inKey(err, key.String())
	}
	return within(err, "["+key.Type().String()+"]")
}

func within(err error, step string) error {
	const cut = "…"
	e, ok := err.(*EncodingError) // one further down is a cause and tells of another document
	switch {
	case !ok || strings.HasPrefix(e.Path, cut):
	case e.Path != "" && len(e.Path)+len(step) > maxPath:
		e.Path = cut + e.Path
	default:
		e.Path = step + e.Path
	}
	return err
}
