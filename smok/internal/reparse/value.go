package reparse

import (
	"errors"
	"math"
	"math/big"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// The reasons why an expression has no value.
var (
	errTypes    = errors.New("types that do not go together")
	errDivision = errors.New("division by zero")
	errRange    = errors.New("result too large")
	errComplex  = errors.New("result is no real number")
	errName     = errors.New("unknown name")
	errFunction = errors.New("unknown function")
	errArgs     = errors.New("wrong number of arguments")
	errShift    = errors.New("negative shift")
)

// maxBits is the length of the longest integer. Longer ones are out of range.
const maxBits = 1024

// maxText is the length of the longest text, in bytes.
const maxText = 64 << 10

type kind uint8

const (
	none kind = iota
	boolean
	integer // that fits an int64
	huge    // an integer that does not
	float
	str
)

// Value is a value of an expression. The zero one is None.
type Value struct {
	kind kind
	n    int64 // of boolean and integer
	f    float64
	s    string
	b    *big.Int // of huge; never changed
}

// Of returns v as a value of expressions. It takes what pathpoints hold, and all numbers of Go.
func Of(v any) (Value, error) {
	switch n := v.(type) {
	case float64:
		return ofFloat(n), nil
	case int64:
		return ofInt(n), nil
	}
	v, err := value.Canonical(v)
	if err != nil {
		return Value{}, err
	}
	switch n := v.(type) {
	case bool:
		return ofBool(n), nil
	case int64:
		return ofInt(n), nil
	case float64:
		return ofFloat(n), nil
	case string:
		return ofString(n)
	}
	return Value{}, errTypes
}

// Any returns the value as nil, bool, int64, *big.Int (beyond 64 bits), float64 or string.
func (v Value) Any() any {
	switch v.kind {
	case boolean:
		return v.n != 0
	case integer:
		return v.n
	case huge:
		return new(big.Int).Set(v.b)
	case float:
		return v.f
	case str:
		return v.s
	}
	return nil
}

func ofBool(b bool) Value {
	if b {
		return Value{kind: boolean, n: 1}
	}
	return Value{kind: boolean}
}

func ofInt(n int64) Value { return Value{kind: integer, n: n} }

func ofFloat(f float64) Value { return Value{kind: float, f: f} }

func ofString(s string) (Value, error) {
	if len(s) > maxText {
		return Value{}, errRange
	}
	return Value{kind: str, s: s}, nil
}

// ofBig returns b as the shortest kind of integer.
func ofBig(b *big.Int) (Value, error) {
	if b.IsInt64() {
		return ofInt(b.Int64()), nil
	}
	if b.BitLen() > maxBits {
		return Value{}, errRange
	}
	return Value{kind: huge, b: b}, nil
}

// isInt reports whether v is an integer, as a boolean is.
func (v Value) isInt() bool { return v.kind == boolean || v.kind == integer || v.kind == huge }

// small reports whether v is an integer that fits an int64.
func (v Value) small() bool { return v.kind == boolean || v.kind == integer }

func (v Value) isNumber() bool { return v.isInt() || v.kind == float }

// negative reports whether an integer is.
func (v Value) negative() bool {
	if v.kind == huge {
		return v.b.Sign() < 0
	}
	return v.n < 0
}

// big returns an integer.
func (v Value) big() *big.Int {
	if v.kind == huge {
		return v.b
	}
	return big.NewInt(v.n)
}

// float returns a number as a float.
func (v Value) float() (float64, error) {
	switch v.kind {
	case boolean, integer:
		return float64(v.n), nil
	case float:
		return v.f, nil
	case huge:
		f, _ := new(big.Float).SetInt(v.b).Float64()
		if math.IsInf(f, 0) {
			return 0, errRange
		}
		return f, nil
	}
	return 0, errTypes
}

// truth returns what not, and, or and if make of v.
func (v Value) truth() bool {
	switch v.kind {
	case boolean, integer:
		return v.n != 0
	case huge:
		return true
	case float:
		return v.f != 0
	case str:
		return v.s != ""
	}
	return false
}
