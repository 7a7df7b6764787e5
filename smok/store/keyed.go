package store

import (
	"strings"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// The limits of a [Keyed]. A key has at least one byte, and so has the name of an area, which holds no zero byte.
const (
	MaxArea  = 64      // bytes of an area's name
	MaxKey   = 4 << 10 // bytes of a key
	MaxValue = 8 << 20 // bytes of a value
)

// Keyed is durable state: values under keys, in areas. It is for what the hub can send again, such as definitions.
type Keyed interface {
	// Get returns the value of a key, the caller's own. A key that nothing is stored under is an error of kind NotFound,
	// a value that is damaged a *smok.StoreError.
	Get(area, key string) ([]byte, error)

	// Each calls fn with all entries of an area, by ascending keys, until it returns an error, which it then returns. The
	// value is fn's own. fn may use the Keyed; whether it then sees what it changed is open. Damaged values are left out.
	Each(area string, fn func(key string, value []byte) error) error

	// Apply makes all changes, in their order, or none, and returns when they are safe from a power cut. If the disk
	// fails it returns an error; whether the changes were made may then come to light only after a crash.
	Apply(changes ...Change) error

	// Close releases the store. A second call returns nil. Calls after it give an error of kind Closed.
	Close() error
}

// Change is one change of a [Keyed].
type Change struct {
	Area, Key string
	Value     []byte // may be empty
	Delete    bool   // take the key out instead; a key that is not there is fine, and an empty one stands for all of the area
}

// Check reports what is wrong with a change as a *smok.InvalidArgumentError. Implementations call it first.
func (c *Change) Check(op string) error {
	switch {
	case c.Area == "" || len(c.Area) > MaxArea || strings.IndexByte(c.Area, 0) >= 0:
		return smokerr.InvalidArgument(op, "area", "not of 1 to 64 bytes without zero", nil)
	case c.Key == "" && !c.Delete, len(c.Key) > MaxKey:
		return smokerr.InvalidArgument(op, "key", "not of 1 to 4096 bytes", nil)
	case len(c.Value) > MaxValue:
		return smokerr.InvalidArgument(op, "value", "longer than 8 MiB", nil)
	}
	return nil
}
