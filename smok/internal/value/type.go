package value

import (
	"strings"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Type is the type of a pathpoint: the first letter of its name, or the second one of a reparse pathpoint.
type Type byte

// The types.
const (
	Bool    Type = 'B' // a bit
	Uint16  Type = 'W' // 0 to 65535
	Int16   Type = 'w' // -32768 to 32767
	Float32 Type = 'f' // binary32
	Float64 Type = 'd' // binary64
	String  Type = 'u' // Unicode text
)

// Reparse is the first letter of a pathpoint that is computed from others.
const Reparse = 'r'

// MaxPath is the longest name of a pathpoint, in bytes. Only reparse pathpoints come near it.
const MaxPath = 4 << 10

// String returns the letter.
func (t Type) String() string { return string(rune(t)) }

// Valid reports whether there is such a type.
func (t Type) Valid() bool {
	switch t {
	case Bool, Uint16, Int16, Float32, Float64, String:
		return true
	}
	return false
}

// IsReparse reports whether the pathpoint of that name is computed from others.
func IsReparse(path string) bool { return path != "" && path[0] == Reparse }

// TypeOf returns the type of the pathpoint of that name. It fails for names of no type, empty ones, those longer than
// [MaxPath] and those that are no UTF-8.
func TypeOf(path string) (Type, error) {
	letters := path
	if IsReparse(path) {
		letters = path[1:]
	}
	switch {
	case letters == "":
		return 0, badPath("is empty")
	case len(path) > MaxPath:
		return 0, badPath("is longer than 4096 bytes")
	case !utf8.ValidString(path):
		return 0, badPath("is not UTF-8")
	}
	t := Type(letters[0])
	if !t.Valid() {
		return 0, badPath("begins with none of the letters B, W, w, f, d, u")
	}
	return t, nil
}

// NativeType is [TypeOf] for a name that the program gives to a pathpoint of its own. It also fails for reparse
// pathpoints, and for names with one of "~{}", which separate names in sensors and expressions.
func NativeType(path string) (Type, error) {
	if IsReparse(path) {
		return 0, badPath("belongs to a computed pathpoint")
	}
	if strings.ContainsAny(path, "~{}") {
		return 0, badPath("contains one of ~{}")
	}
	return TypeOf(path)
}

func badPath(reason string) error {
	return smokerr.InvalidArgument("pathpoint", "path", reason, nil)
}
