package value

import (
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Sample is one reading of a pathpoint: a value, or why there is none.
type Sample struct {
	Time   time.Time      // on the wire in whole milliseconds
	Value  any            // nil if the reading failed
	Reason smokerr.Reason // empty if it did not
}

// OK reports whether the sample has a value.
func (s Sample) OK() bool { return s.Reason == "" }

// Err returns the *[smokerr.OperationFailedError] of a failed reading of path, and nil of one that succeeded.
func (s Sample) Err(path string) error {
	if s.OK() {
		return nil
	}
	return smokerr.OperationFailed("read", path, s.Reason, s.Time, nil)
}
