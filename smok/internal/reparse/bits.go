package reparse

import "math/big"

// bits makes an operator of two that work on integers. Of two booleans the result is one, too.
func bits(a, b Value, small func(x, y int64) int64, large func(z, x, y *big.Int) *big.Int) (Value, error) {
	switch {
	case a.small() && b.small():
		n := small(a.n, b.n)
		if a.kind == boolean && b.kind == boolean {
			return ofBool(n != 0), nil
		}
		return ofInt(n), nil
	case a.isInt() && b.isInt():
		return ofBig(large(new(big.Int), a.big(), b.big()))
	}
	return Value{}, errTypes
}

func bitAnd(a, b Value) (Value, error) {
	return bits(a, b, func(x, y int64) int64 { return x & y }, (*big.Int).And)
}

func bitOr(a, b Value) (Value, error) {
	return bits(a, b, func(x, y int64) int64 { return x | y }, (*big.Int).Or)
}

func bitXor(a, b Value) (Value, error) {
	return bits(a, b, func(x, y int64) int64 { return x ^ y }, (*big.Int).Xor)
}

func shiftLeft(a, b Value) (Value, error) {
	if err := checkShift(a, b); err != nil {
		return Value{}, err
	}
	switch {
	case !a.truth():
		return ofInt(0), nil
	case !b.small() || b.n > maxBits:
		return Value{}, errRange
	case a.small() && b.n < 63 && a.n<<b.n>>b.n == a.n:
		return ofInt(a.n << b.n), nil
	}
	return ofBig(new(big.Int).Lsh(a.big(), uint(b.n)))
}

func shiftRight(a, b Value) (Value, error) {
	if err := checkShift(a, b); err != nil {
		return Value{}, err
	}
	if !b.small() || b.n > maxBits {
		b = ofInt(maxBits) // nothing is left but the sign
	}
	if a.small() {
		return ofInt(a.n >> b.n), nil
	}
	return ofBig(new(big.Int).Rsh(a.big(), uint(b.n)))
}

func checkShift(a, b Value) error {
	switch {
	case !a.isInt() || !b.isInt():
		return errTypes
	case b.negative():
		return errShift
	}
	return nil
}
