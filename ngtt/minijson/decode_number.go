package minijson

import (
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// number is a decoded integer or float.
type number struct {
	i       int64
	f       float64
	big     *big.Int // of an integer that has no int64
	isFloat bool
}

// number reads an integer or a float for a target of type t.
func (d *decoder) number(t reflect.Type) (x number, err error) {
	k, n, err := d.head()
	if err != nil {
		return x, err
	}
	if k < kindSigned || k > kindDouble {
		return x, d.unfit(ReasonType, t)
	}
	p, err := d.payload(k, n)
	switch {
	case err != nil:
		return x, err
	case k == kindSingle || k == kindDouble:
		return number{f: floatOf(p), isFloat: true}, nil
	}
	i, ok := smallInteger(k, p)
	if !ok {
		return number{big: bigInteger(p)}, nil
	}
	return number{i: i}, nil
}

// integer returns x as an integer: the big one only if it has no int64. Of a float there is none unless it is integral.
func (x number) integer() (i int64, b *big.Int, ok bool) {
	switch {
	case !x.isFloat:
		return x.i, x.big, true
	case x.f != math.Trunc(x.f) || math.IsInf(x.f, 0):
		return 0, nil, false
	case x.f >= -1<<63 && x.f < 1<<63:
		return int64(x.f), nil, true
	}
	b, _ = big.NewFloat(x.f).Int(nil)
	return 0, b, true
}

func (d *decoder) int64(t reflect.Type) (int64, error) {
	x, err := d.number(t)
	if err != nil {
		return 0, err
	}
	i, b, ok := x.integer()
	switch {
	case !ok:
		return 0, d.unfit(ReasonType, t)
	case b != nil:
		return 0, d.unfit(ReasonRange, t)
	}
	return i, nil
}

func (d *decoder) uint64(t reflect.Type) (uint64, error) {
	x, err := d.number(t)
	if err != nil {
		return 0, err
	}
	i, b, ok := x.integer()
	switch {
	case !ok:
		return 0, d.unfit(ReasonType, t)
	case b != nil && b.IsUint64():
		return b.Uint64(), nil
	case b != nil || i < 0:
		return 0, d.unfit(ReasonRange, t)
	}
	return uint64(i), nil
}

func (d *decoder) float64(t reflect.Type) (float64, error) {
	x, err := d.number(t)
	switch {
	case err != nil:
		return 0, err
	case x.isFloat:
		return x.f, nil
	case x.big == nil:
		return float64(x.i), nil
	}
	f, _ := new(big.Float).SetInt(x.big).Float64()
	if math.IsInf(f, 0) {
		return 0, d.unfit(ReasonRange, t)
	}
	return f, nil
}

func decodeInt(d *decoder, v reflect.Value) error {
	i, err := d.int64(v.Type())
	switch {
	case err != nil:
		return err
	case v.OverflowInt(i):
		return d.unfit(ReasonRange, v.Type())
	}
	v.SetInt(i)
	return nil
}

func decodeUint(d *decoder, v reflect.Value) error {
	u, err := d.uint64(v.Type())
	switch {
	case err != nil:
		return err
	case v.OverflowUint(u):
		return d.unfit(ReasonRange, v.Type())
	}
	v.SetUint(u)
	return nil
}

// decodeFloat rounds to the precision of the target.
func decodeFloat(d *decoder, v reflect.Value) error {
	f, err := d.float64(v.Type())
	switch {
	case err != nil:
		return err
	case v.Kind() == reflect.Float32 && math.IsInf(float64(float32(f)), 0) && !math.IsInf(f, 0):
		return d.unfit(ReasonRange, v.Type())
	}
	v.SetFloat(f)
	return nil
}

func decodeBig(d *decoder, v reflect.Value) error {
	x, err := d.number(v.Type())
	if err != nil {
		return err
	}
	i, b, ok := x.integer()
	if !ok {
		return d.unfit(ReasonType, v.Type())
	}
	if b == nil {
		b = big.NewInt(i)
	}
	v.Addr().Interface().(*big.Int).Set(b)
	return nil
}

// decodeNumber decodes into a json.Number. A float keeps a point or an exponent.
func decodeNumber(d *decoder, v reflect.Value) error {
	x, err := d.number(v.Type())
	switch {
	case err != nil:
		return err
	case x.big != nil:
		v.SetString(x.big.String())
	case !x.isFloat:
		v.SetString(strconv.FormatInt(x.i, 10))
	case math.IsInf(x.f, 0) || math.IsNaN(x.f):
		return d.unfit(ReasonRange, v.Type())
	default:
		v.SetString(floatText(x.f))
	}
	return nil
}

// floatText returns a finite float as JSON text that is not that of an integer.
func floatText(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
