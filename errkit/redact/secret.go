package redact

import (
	"fmt"
	"log/slog"
)

// Secret is a password, token or key that prints as "***" whichever way it is printed, logged or marshaled.
// Reveal returns the text itself.
//
// Two places are out of its reach, since the standard library calls no methods there: an unexported field of a
// struct that package fmt prints, unless it is behind a pointer, and the key of a map that becomes JSON.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "***".
func (s Secret) String() string { return mask }

// GoString returns "***", for %#v.
func (s Secret) GoString() string { return mask }

// Format writes "***" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask)) } // fmt reports a failed write itself

// LogValue returns "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalJSON returns "***" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// MarshalText returns "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
