package sensor

import (
	"math"
	"math/big"
	"strconv"
)

// Python's limits: with more digits a float is as it was, with fewer it is zero.
const (
	mostDigits   = 323
	fewestDigits = -308
)

// Round rounds f to so many digits behind the point, or in front of it if negative, as Python does: the exact binary value,
// and half to even. The result is infinite if it is too large.
func Round(f float64, digits int) float64 {
	switch {
	case math.IsNaN(f), math.IsInf(f, 0), digits > mostDigits:
		return f
	case digits < fewestDigits:
		return math.Copysign(0, f)
	case digits < 0:
		return roundTens(f, -digits)
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', digits, 64), 64)
	if err != nil {
		return f // there is no such text
	}
	return r
}

// roundTens rounds to a multiple of 10 to the power of zeros.
func roundTens(f float64, zeros int) float64 {
	exact, unit := new(big.Rat).SetFloat64(f), new(big.Rat).SetInt(tens(zeros))
	quotient := halfEven(exact.Quo(exact, unit))
	r, _ := new(big.Rat).Mul(new(big.Rat).SetInt(quotient), unit).Float64()
	return math.Copysign(r, f)
}

// roundInt rounds an integer, which only a negative number of digits changes. It reports whether the result fits.
func roundInt(n int64, digits int) (int64, bool) {
	if digits >= 0 {
		return n, true
	}
	if digits < -20 {
		return 0, true
	}
	unit := tens(-digits)
	quotient := halfEven(new(big.Rat).SetFrac(big.NewInt(n), unit))
	quotient.Mul(quotient, unit)
	return quotient.Int64(), quotient.IsInt64()
}

func tens(zeros int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(zeros)), nil) }

// halfEven returns the integer nearest to r, of two the even one.
func halfEven(r *big.Rat) *big.Int {
	quotient, rest := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int)) // rounded down
	switch rest.Lsh(rest, 1).Cmp(r.Denom()) {
	case 0:
		quotient.Add(quotient, big.NewInt(int64(quotient.Bit(0))))
	case 1:
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}
