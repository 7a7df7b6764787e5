package minijson

import (
	"encoding/binary"
	"math"
)

// FloatPolicy says in which form a float64 is written. A Go float32 is always written as binary32.
type FloatPolicy uint8

// The policies.
const (
	// FloatLossless writes binary32 if that holds the value exactly, else binary64.
	FloatLossless FloatPolicy = iota
	// FloatSingle writes binary32 always and so loses precision, as the original does unless told otherwise: a Unix
	// time in seconds is off by up to a minute. A finite value that is too large for it is an [EncodingError].
	FloatSingle
	// FloatDouble writes binary64 always.
	FloatDouble
)

// Bytes of the one NaN that is written.
const (
	nanSingle = 0x7FC00000
	nanDouble = 0x7FF8000000000000
)

// AppendFloat appends a float, losslessly: as binary32 if that holds the value exactly, else as binary64.
func AppendFloat(dst []byte, v float64) []byte {
	if s := float32(v); float64(s) == v || v != v {
		return AppendFloat32(dst, s)
	}
	return AppendFloat64(dst, v)
}

// AppendFloat32 appends a float as binary32.
func AppendFloat32(dst []byte, v float32) []byte {
	b := math.Float32bits(v)
	if v != v {
		b = nanSingle
	}
	return append(dst, tagSingle, byte(b>>24), byte(b>>16), byte(b>>8), byte(b))
}

// AppendFloat64 appends a float as binary64.
func AppendFloat64(dst []byte, v float64) []byte {
	b := math.Float64bits(v)
	if v != v {
		b = nanDouble
	}
	return binary.BigEndian.AppendUint64(append(dst, tagDouble), b)
}

// append appends a float as the policy says.
func (p FloatPolicy) append(dst []byte, v float64) ([]byte, error) {
	switch p {
	case FloatDouble:
		return AppendFloat64(dst, v), nil
	case FloatSingle:
		s := float32(v)
		if math.IsInf(float64(s), 0) && !math.IsInf(v, 0) {
			return dst, encodingError(ReasonRange, "float64", nil)
		}
		return AppendFloat32(dst, s), nil
	}
	return AppendFloat(dst, v), nil
}
