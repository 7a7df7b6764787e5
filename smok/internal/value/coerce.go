package value

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Coerce makes v a value of type t, as the platform does:
//
//   - B is whether the integer part is not zero
//   - W and w are the integer part, cut to their range
//   - f and d are a float, f rounded to binary32
//   - u is text: True, False, integers in full, floats in the shortest form that reads back
//
// Text is read as a number if the type wants one. NaN and the infinities are no integers, and a finite number that is too
// large for a float is none. Every bool, integer, float and string of Go is accepted, and *big.Int. What does not fit
// is an *[smokerr.OperationFailedError] of reason type.
func (t Type) Coerce(v any) (any, error) {
	switch t {
	case Bool:
		n, err := integer(v)
		if err != nil {
			return nil, fault(err)
		}
		return n != 0, nil
	case Uint16:
		return boxClipped(v, 0, math.MaxUint16)
	case Int16:
		return boxClipped(v, math.MinInt16, math.MaxInt16)
	case Float32, Float64:
		f, err := float(v)
		if err == nil && t == Float32 {
			f, err = binary32(f)
		}
		if err != nil {
			return nil, fault(err)
		}
		return box(v, f), nil
	case String:
		s, err := text(v)
		if err != nil {
			return nil, fault(err)
		}
		return box(v, s), nil
	}
	return nil, fault(fmt.Errorf("no type %q", rune(t)))
}

// Canonical returns v as one of the types that values have, unchanged in meaning: every integer of Go becomes an int64,
// every float a float64. An integer beyond 64 bits, and what is no bool, number or string, is an
// *[smokerr.OperationFailedError] of reason type.
func Canonical(v any) (any, error) {
	switch n := normal(v).(type) {
	case bool, int64, float64, string:
		return n, nil
	case *big.Int:
		return nil, fault(errors.New("an integer beyond 64 bits"))
	}
	return nil, fault(noValue(v))
}

func boxClipped(v any, low, high int64) (any, error) {
	n, err := integer(v)
	if err != nil {
		return nil, fault(err)
	}
	return box(v, min(max(n, low), high)), nil
}

// box returns result, or v itself if that holds the same: an any that is there already costs no allocation.
func box[T comparable](v any, result T) any {
	if same, ok := v.(T); ok && same == result {
		return v
	}
	return result
}

// integer returns the integer part of v, cut to 64 bits.
func integer(v any) (int64, error) {
	switch n := normal(v).(type) {
	case bool:
		if n {
			return 1, nil
		}
		return 0, nil
	case int64:
		return n, nil
	case *big.Int:
		return saturate(n), nil
	case float64:
		return truncate(n)
	case string:
		return parseInteger(n)
	}
	return 0, noValue(v)
}

func saturate(n *big.Int) int64 {
	switch {
	case n.IsInt64():
		return n.Int64()
	case n.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

func truncate(f float64) (int64, error) {
	switch {
	case math.IsNaN(f), math.IsInf(f, 0):
		return 0, errors.New("not a finite number")
	case f >= 1<<63:
		return math.MaxInt64, nil
	case f < -1<<63:
		return math.MinInt64, nil
	}
	return int64(f), nil
}

func float(v any) (float64, error) {
	switch n := normal(v).(type) {
	case bool:
		if n {
			return 1, nil
		}
		return 0, nil
	case int64:
		return float64(n), nil
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		if math.IsInf(f, 0) {
			return 0, errors.New("too large for a float")
		}
		return f, nil
	case float64:
		return n, nil
	case string:
		return ParseFloat(n)
	}
	return 0, noValue(v)
}

func binary32(f float64) (float64, error) {
	r := float64(float32(f))
	if math.IsInf(r, 0) && !math.IsInf(f, 0) {
		return 0, errors.New("too large for binary32")
	}
	return r, nil
}

func text(v any) (string, error) {
	switch n := normal(v).(type) {
	case bool:
		return FormatBool(n), nil
	case int64:
		return FormatInt(n), nil
	case *big.Int:
		if n.BitLen() > maxBits {
			return "", errors.New("an integer of more than 1024 bits")
		}
		return n.String(), nil
	case float64:
		return FormatFloat(n), nil
	case string:
		return n, nil
	}
	return "", noValue(v)
}

// maxBits is the longest integer that is written as text, which takes time.
const maxBits = 1024

// normal returns v as a bool, int64, *big.Int, float64 or string; anything else as it is.
func normal(v any) any {
	switch n := v.(type) {
	case bool, int64, float64, string:
		return v
	case int:
		return int64(n)
	case int8:
		return int64(n)
	case int16:
		return int64(n)
	case int32:
		return int64(n)
	case uint8:
		return int64(n)
	case uint16:
		return int64(n)
	case uint32:
		return int64(n)
	case uint:
		return unsigned(uint64(n))
	case uint64:
		return unsigned(n)
	case float32:
		return float64(n)
	case *big.Int:
		if n == nil {
			return nil
		}
		if n.IsInt64() {
			return n.Int64()
		}
		return n
	}
	return v
}

func unsigned(n uint64) any {
	if n > math.MaxInt64 {
		return new(big.Int).SetUint64(n)
	}
	return int64(n)
}

func noValue(v any) error {
	if v == nil {
		return errors.New("no value")
	}
	return fmt.Errorf("a %T is no value", v)
}

func fault(cause error) error {
	return smokerr.OperationFailed("coerce", "", smokerr.ReasonType, time.Time{}, cause)
}
