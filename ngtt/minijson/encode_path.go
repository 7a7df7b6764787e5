package minijson

import (
	"strconv"
	"strings"
)

// maxPath is about the longest path in an error, in bytes. Of a deeper place the innermost steps are enough.
const maxPath = 256

// inKey and inIndex say of an error where in a container it happened. The containers are left from the innermost on.
func inKey(err error, key string) error { return within(err, "."+key) }

func inIndex(err error, i int) error { return within(err, "["+strconv.Itoa(i)+"]") }

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
