package reparse

import (
	"math"
	"math/big"
)

func not(v Value) (Value, error) { return ofBool(!v.truth()), nil }

func identity(v Value) (Value, error) {
	if v.kind == boolean {
		return ofInt(v.n), nil
	}
	if !v.isNumber() {
		return Value{}, errTypes
	}
	return v, nil
}

func negate(v Value) (Value, error) {
	switch {
	case v.small() && v.n != math.MinInt64:
		return ofInt(-v.n), nil
	case v.isInt():
		return ofBig(new(big.Int).Neg(v.big()))
	case v.kind == float:
		return ofFloat(-v.f), nil
	}
	return Value{}, errTypes
}

func invert(v Value) (Value, error) {
	switch {
	case v.small():
		return ofInt(^v.n), nil
	case v.isInt():
		return ofBig(new(big.Int).Not(v.big()))
	}
	return Value{}, errTypes
}

// floats returns two numbers of which one is a float.
func floats(a, b Value) (x, y float64, err error) {
	if x, err = a.float(); err != nil {
		return 0, 0, err
	}
	y, err = b.float()
	return x, y, err
}

func add(a, b Value) (Value, error) {
	switch {
	case a.small() && b.small():
		if sum := a.n + b.n; (a.n^sum)&(b.n^sum) >= 0 {
			return ofInt(sum), nil
		}
		fallthrough
	case a.isInt() && b.isInt():
		return ofBig(new(big.Int).Add(a.big(), b.big()))
	case a.kind == str && b.kind == str:
		if len(a.s)+len(b.s) > maxText {
			return Value{}, errRange
		}
		return ofString(a.s + b.s)
	}
	x, y, err := floats(a, b)
	return ofFloat(x + y), err
}

func subtract(a, b Value) (Value, error) {
	switch {
	case a.small() && b.small():
		if diff := a.n - b.n; (a.n^b.n)&(a.n^diff) >= 0 {
			return ofInt(diff), nil
		}
		fallthrough
	case a.isInt() && b.isInt():
		return ofBig(new(big.Int).Sub(a.big(), b.big()))
	}
	x, y, err := floats(a, b)
	return ofFloat(x - y), err
}

func multiply(a, b Value) (Value, error) {
	switch {
	case a.small() && b.small():
		if product, ok := product(a.n, b.n); ok {
			return ofInt(product), nil
		}
		fallthrough
	case a.isInt() && b.isInt():
		return ofBig(new(big.Int).Mul(a.big(), b.big()))
	}
	x, y, err := floats(a, b)
	return ofFloat(x * y), err
}

// product returns a*b if that fits.
func product(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	if p/b != a || a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 {
		return 0, false
	}
	return p, true
}

// divide gives a float, the nearest one to the true quotient.
func divide(a, b Value) (Value, error) {
	if !a.isNumber() || !b.isNumber() {
		return Value{}, errTypes
	}
	if !b.truth() {
		return Value{}, errDivision
	}
	if a.isInt() && b.isInt() && !(exact(a) && exact(b)) {
		f, _ := new(big.Rat).SetFrac(a.big(), b.big()).Float64()
		if math.IsInf(f, 0) {
			return Value{}, errRange
		}
		return ofFloat(f), nil
	}
	x, y, err := floats(a, b)
	return ofFloat(x / y), err
}

// exact reports whether an integer is a float, too.
func exact(v Value) bool { return v.small() && -1<<53 <= v.n && v.n <= 1<<53 }

// floorDivide and modulo round down: the remainder has the sign of the divisor.
func floorDivide(a, b Value) (Value, error) {
	quotient, _, err := divMod(a, b)
	return quotient, err
}

func modulo(a, b Value) (Value, error) {
	_, remainder, err := divMod(a, b)
	return remainder, err
}

func divMod(a, b Value) (quotient, remainder Value, err error) {
	if !a.isNumber() || !b.isNumber() {
		return Value{}, Value{}, errTypes
	}
	if !b.truth() {
		return Value{}, Value{}, errDivision
	}
	if a.small() && b.small() && !(a.n == math.MinInt64 && b.n == -1) {
		q, r := a.n/b.n, a.n%b.n
		if r != 0 && (r < 0) != (b.n < 0) {
			q, r = q-1, r+b.n
		}
		return ofInt(q), ofInt(r), nil
	}
	if a.isInt() && b.isInt() {
		q, r := new(big.Int).QuoRem(a.big(), b.big(), new(big.Int))
		if r.Sign() != 0 && r.Sign() != b.big().Sign() {
			q.Sub(q, big.NewInt(1))
			r.Add(r, b.big())
		}
		if quotient, err = ofBig(q); err != nil {
			return Value{}, Value{}, err
		}
		remainder, err = ofBig(r)
		return quotient, remainder, err
	}
	x, y, err := floats(a, b)
	if err != nil {
		return Value{}, Value{}, err
	}
	q, r := floatDivMod(x, y)
	return ofFloat(q), ofFloat(r), nil
}

// floatDivMod computes from the exact remainder, as Python does: x/y rounded down can be one too large.
func floatDivMod(x, y float64) (quotient, remainder float64) {
	remainder = math.Mod(x, y)
	quotient = (x - remainder) / y
	switch {
	case remainder == 0:
		remainder = math.Copysign(0, y)
	case (remainder < 0) != (y < 0):
		remainder += y
		quotient--
	}
	if quotient == 0 {
		return math.Copysign(0, x/y), remainder
	}
	floor := math.Floor(quotient)
	if quotient-floor > 0.5 {
		floor++
	}
	return floor, remainder
}

func power(a, b Value) (Value, error) {
	if a.isInt() && b.isInt() {
		if !b.negative() {
			return intPower(a, b)
		}
		if !a.truth() {
			return Value{}, errDivision
		}
	}
	x, y, err := floats(a, b)
	if err != nil {
		return Value{}, err
	}
	switch {
	case x == 0 && y < 0:
		return Value{}, errDivision
	case x < 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0) && y != math.Trunc(y):
		return Value{}, errComplex
	}
	result := math.Pow(x, y)
	if math.IsInf(result, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return Value{}, errRange
	}
	return ofFloat(result), nil
}

// intPower raises an integer to one that is not negative. It computes nothing that is too large.
func intPower(a, b Value) (Value, error) {
	if a.small() && -1 <= a.n && a.n <= 1 {
		switch {
		case !b.truth(), a.n == 1:
			return ofInt(1), nil
		case a.n == 0:
			return ofInt(0), nil
		}
		return ofInt(1 - 2*int64(b.big().Bit(0))), nil
	}
	if !b.small() || b.n > maxBits {
		return Value{}, errRange
	}
	if a.small() {
		result, ok := int64(1), true
		for range b.n {
			if result, ok = product(result, a.n); !ok {
				break
			}
		}
		if ok {
			return ofInt(result), nil
		}
	}
	if int64(a.big().BitLen()-1)*b.n > maxBits {
		return Value{}, errRange
	}
	return ofBig(new(big.Int).Exp(a.big(), b.big(), nil))
}
