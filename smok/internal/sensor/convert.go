package sensor

import (
	"errors"
	"math"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

var (
	errNoNumber = errors.New("no number")
	errRange    = errors.New("result too large")
	errZero     = errors.New("the multiplier is zero")
)

// ToSensor returns what the sensor shows when its first pathpoint has the value v: the text of it, or v times the
// multiplier plus the offset, rounded as Python does. An integer stays one if the parameters are. What is no number is an
// *[smokerr.OperationFailedError] of reason type.
func (t *Type) ToSensor(v any) (any, error) {
	if t.text {
		return value.String.Coerce(v)
	}
	x, err := numeric(v)
	if err != nil {
		return nil, fault("read", err)
	}
	if !x.float && !t.multiplier.float && !t.offset.float {
		if n, ok := scale(x.n, t.multiplier.n, t.offset.n); ok {
			if n, ok = roundInt(n, t.precision); ok {
				return n, nil
			}
		}
	}
	f := x.f*t.multiplier.f + t.offset.f
	rounded := Round(f, t.precision)
	if math.IsInf(rounded, 0) && !math.IsInf(f, 0) {
		return nil, fault("read", errRange)
	}
	return rounded, nil
}

// ToPathpoint returns what to write to a pathpoint of the type so that the sensor shows v: the text of v, or v minus the
// offset, divided by the multiplier. It is rounded to the nearest integer if the type wants one, half to even, and then
// becomes a value of the type as [value.Type.Coerce] says. What cannot is an *[smokerr.OperationFailedError] of reason
// type.
func (t *Type) ToPathpoint(v any, typ value.Type) (any, error) {
	if t.text {
		s, err := value.String.Coerce(v)
		if err != nil {
			return nil, err
		}
		return typ.Coerce(s)
	}
	x, err := numeric(v)
	if err != nil {
		return nil, fault("write", err)
	}
	if t.multiplier.f == 0 {
		return nil, fault("write", errZero)
	}
	f := (x.f - t.offset.f) / t.multiplier.f
	switch typ {
	case value.Bool, value.Uint16, value.Int16:
		f = math.RoundToEven(f)
	}
	return typ.Coerce(f)
}

// numeric returns a boolean, an integer or a float as a number.
func numeric(v any) (number, error) {
	v, err := value.Canonical(v)
	if err != nil {
		return number{}, err
	}
	switch n := v.(type) {
	case bool:
		if n {
			return ofInt(1), nil
		}
		return ofInt(0), nil
	case int64:
		return ofInt(n), nil
	case float64:
		return ofFloat(n), nil
	}
	return number{}, errNoNumber
}

// scale returns n*multiplier+offset if that fits.
func scale(n, multiplier, offset int64) (int64, bool) {
	product := n * multiplier
	if n != 0 && (product/n != multiplier || n == -1 && multiplier == math.MinInt64) {
		return 0, false
	}
	sum := product + offset
	return sum, (product^sum)&(offset^sum) >= 0
}

func fault(op string, cause error) error {
	return smokerr.OperationFailed(op, "", smokerr.ReasonType, time.Time{}, cause)
}
