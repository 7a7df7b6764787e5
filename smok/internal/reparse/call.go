package reparse

import (
	"math"
	"math/big"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// of1 and of2 are the functions of one and of two arguments.
var of1 = map[string]func(Value) (Value, error){
	"huba505": huba505, "negz": negz, "pt1000": pt1000, "kty81": kty81,
	"int": toInt, "float": toFloat, "str": toText, "bool": toBool,
}

var of2 = map[string]func(a, b Value) (Value, error){
	"D": distance, "d": relative, "ked": ked, "mkflt": joinFloat, "mkint32": joinInt,
}

// empty has what conversions give without an argument.
var empty = map[string]Value{
	"int": {kind: integer}, "float": {kind: float}, "str": {kind: str}, "bool": {kind: boolean},
}

// makeCall returns a call. One of a function that does not exist, or of a wrong number of arguments, fails when its value
// is needed.
func makeCall(function string, args []node, opts Options) node {
	if function == "min" || function == "max" {
		if len(args) < 2 {
			return failure{errArgs}
		}
		if function == "min" {
			return &extreme{less, args}
		}
		return &extreme{greater, args}
	}
	f1, is1 := of1[function]
	f2, is2 := of2[function]
	if function == "mkflt" && opts.LegacyFloat {
		f2 = joinFloatReversed
	}
	v, conversion := empty[function]
	switch {
	case !is1 && !is2:
		return failure{errFunction}
	case is1 && len(args) == 1:
		return &unary{f1, args[0]}
	case is2 && len(args) == 2:
		return &binary{f2, args[0], args[1]}
	case conversion && len(args) == 0:
		return constant(v)
	}
	return failure{errArgs}
}

func toBool(v Value) (Value, error) { return ofBool(v.truth()), nil }

func toInt(v Value) (Value, error) {
	switch v.kind {
	case boolean, integer, huge:
		return identity(v)
	case float:
		if math.IsNaN(v.f) || math.IsInf(v.f, 0) {
			return Value{}, errRange
		}
		if n := int64(v.f); math.Abs(v.f) < 1<<62 {
			return ofInt(n), nil
		}
		b, _ := big.NewFloat(v.f).Int(nil)
		return ofBig(b)
	case str:
		b, err := value.ParseInt(v.s)
		if err != nil {
			return Value{}, err
		}
		return ofBig(b)
	}
	return Value{}, errTypes
}

func toFloat(v Value) (Value, error) {
	if v.kind == str {
		f, err := value.ParseFloat(v.s)
		return ofFloat(f), err
	}
	f, err := v.float()
	return ofFloat(f), err
}

func toText(v Value) (Value, error) {
	switch v.kind {
	case none:
		return ofString("None")
	case str:
		return v, nil
	case boolean:
		return ofString(value.FormatBool(v.n != 0))
	case integer:
		return ofString(value.FormatInt(v.n))
	case huge:
		return ofString(v.b.String())
	}
	return ofString(value.FormatFloat(v.f))
}

// distance is D: how far real is from ref.
func distance(real, ref Value) (Value, error) {
	diff, err := subtract(ref, real)
	if err != nil {
		return Value{}, err
	}
	return absolute(diff)
}

// relative is d: that in relation to real.
func relative(real, ref Value) (Value, error) {
	diff, err := distance(real, ref)
	if err != nil {
		return Value{}, err
	}
	if diff, err = divide(diff, real); err != nil {
		return Value{}, err
	}
	return absolute(diff)
}

func ked(real, ref Value) (Value, error) {
	low, err := less.holds(real, ofInt(20))
	if err != nil {
		return Value{}, err
	}
	if low {
		return ofInt(0), nil
	}
	return relative(real, ref)
}

func absolute(v Value) (Value, error) {
	negative, err := less.holds(v, ofInt(0))
	if err != nil {
		return Value{}, err
	}
	if negative || v.kind == float && v.f == 0 {
		if v.kind == float {
			return ofFloat(math.Abs(v.f)), nil
		}
		return negate(v)
	}
	return v, nil
}

func negz(v Value) (Value, error) {
	negative, err := less.holds(v, ofInt(0))
	if err != nil {
		return Value{}, err
	}
	if negative {
		return ofInt(0), nil
	}
	return v, nil
}

// huba505 is the pressure of a sensor that gives 0.5 V at 0 bar and 3.5 V at 4 bar.
func huba505(v Value) (Value, error) {
	volt, err := v.float()
	if err != nil {
		return Value{}, err
	}
	return negz(ofFloat(4 * (volt - 0.5) / 3))
}

// registers puts two registers of 16 bits together, the high one first.
func registers(high, low Value) (uint32, error) {
	if !high.small() || !low.small() {
		return 0, errTypes
	}
	if uint64(high.n) > math.MaxUint16 || uint64(low.n) > math.MaxUint16 {
		return 0, errRange
	}
	return uint32(high.n)<<16 | uint32(low.n), nil
}

func joinFloat(high, low Value) (Value, error) {
	bits, err := registers(high, low)
	return ofFloat(float64(math.Float32frombits(bits))), err
}

func joinFloatReversed(high, low Value) (Value, error) {
	bits, err := registers(high, low)
	bits = bits>>24 | bits>>8&0xff00 | bits<<8&0xff0000 | bits<<24
	return ofFloat(float64(math.Float32frombits(bits))), err
}

func joinInt(high, low Value) (Value, error) {
	bits, err := registers(high, low)
	return ofInt(int64(int32(bits))), err
}
