package minijson

import (
	"encoding/binary"
	"math"
	"math/big"
	"unicode/utf8"
)

// maxKey is the longest key of an object, in bytes. A longer one makes it a generic map.
const maxKey = math.MaxUint8

// maxInteger is the longest integer, in bytes.
const maxInteger = math.MaxUint8

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, tagNull) }

// AppendBool appends true or false.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, tagTrue)
	}
	return append(dst, tagFalse)
}

// AppendInt appends an integer in its shortest form: of two that are as long the signed one, if there is a choice.
func AppendInt(dst []byte, v int64) []byte {
	switch u := uint64(v); {
	case v == int64(int8(v)):
		return append(dst, tagInt8, byte(v))
	case u <= math.MaxUint8:
		return append(dst, tagUint8, byte(v))
	case v == int64(int16(v)):
		return append(dst, tagInt16, byte(v>>8), byte(v))
	case u <= math.MaxUint16:
		return append(dst, tagUint16, byte(v>>8), byte(v))
	case u < 1<<24:
		return append(dst, tagUint24, byte(v>>16), byte(v>>8), byte(v))
	case v == int64(int32(v)):
		return append(dst, tagInt32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case u <= math.MaxUint32:
		return append(dst, tagUint32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case v == v<<24>>24:
		return append(dst, tagInteger, 5, byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case v == v<<16>>16:
		return append(dst, tagInteger, 6, byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case v == v<<8>>8:
		return append(dst, tagInteger, 7, byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, tagInteger, 8), uint64(v))
}

// AppendUint appends an integer in its shortest form.
func AppendUint(dst []byte, v uint64) []byte {
	if v <= math.MaxInt64 {
		return AppendInt(dst, int64(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, tagInteger, 9, 0), v)
}

// AppendBig appends an integer of up to 255 bytes in its shortest form; nil is null. A longer one is an
// *[EncodingError].
func AppendBig(dst []byte, v *big.Int) ([]byte, error) {
	switch {
	case v == nil:
		return AppendNull(dst), nil
	case v.IsInt64():
		return AppendInt(dst, v.Int64()), nil
	case v.IsUint64():
		return AppendUint(dst, v.Uint64()), nil
	}
	length := v.BitLen()
	if v.Sign() < 0 && v.TrailingZeroBits() == uint(length)-1 {
		length-- // a power of two takes a bit less below zero
	}
	n := length/8 + 1
	if n > maxInteger {
		return dst, encodingError(ReasonRange, "*big.Int", nil)
	}
	dst = append(dst, tagInteger, byte(n))
	dst = append(dst, make([]byte, n)...)
	number := dst[len(dst)-n:]
	v.FillBytes(number)
	if v.Sign() < 0 {
		negate(number)
	}
	return dst, nil
}

// negate makes b, a big-endian number, its own two's complement.
func negate(b []byte) {
	carry := byte(1)
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = ^b[i] + carry
		if b[i] != 0 {
			carry = 0
		}
	}
}

// AppendString appends a string. One that is not valid UTF-8 or longer than 4 GiB is an *[EncodingError].
func AppendString(dst []byte, s string) ([]byte, error) {
	if !isASCII(s) && !utf8.ValidString(s) {
		return dst, encodingError(ReasonUTF8, "", nil)
	}
	if len(s) < 128 {
		return append(append(dst, tagString|byte(len(s))), s...), nil
	}
	if uint64(len(s)) > math.MaxUint32 {
		return dst, encodingError(ReasonRange, "string", nil)
	}
	return append(appendLength(dst, len(s), tagStringU8, tagStringU16, tagStringU32), s...), nil
}

// AppendBytes appends bytes. More than 4 GiB are an *[EncodingError].
func AppendBytes(dst, b []byte) ([]byte, error) {
	if uint64(len(b)) > math.MaxUint32 {
		return dst, encodingError(ReasonRange, "[]byte", nil)
	}
	return append(appendLength(dst, len(b), tagBytesU8, tagBytesU16, tagBytesU32), b...), nil
}

// AppendList appends the head of a list of n values, which must follow. An n below 0 or above the largest uint32 is an
// *[EncodingError].
func AppendList(dst []byte, n int) ([]byte, error) {
	return appendHead(dst, n, tagList, tagListU8, tagListU16, tagListU32)
}

// AppendObject appends the head of an object of n pairs, which must follow: a key, appended with [AppendKey], and a
// value each. An n below 0 or above the largest uint32 is an *[EncodingError].
func AppendObject(dst []byte, n int) ([]byte, error) {
	return appendHead(dst, n, tagObject, tagObjectU8, tagObjectU16, tagObjectU32)
}

// AppendKey appends the key of a pair of an object. One that is not valid UTF-8 or longer than 255 bytes is an
// *[EncodingError].
func AppendKey(dst []byte, key string) ([]byte, error) {
	if len(key) > maxKey {
		return dst, encodingError(ReasonRange, "key", nil)
	}
	if !isASCII(key) && !utf8.ValidString(key) {
		return dst, encodingError(ReasonUTF8, "key", nil)
	}
	return append(append(dst, byte(len(key))), key...), nil
}

// AppendMap appends the head of a generic map of n pairs, which must follow: two values each, the first of them
// anything but a list, an object or a map. An n below 0 or above the largest uint32 is an *[EncodingError].
func AppendMap(dst []byte, n int) ([]byte, error) {
	return appendHead(dst, n, tagMap, tagMapU8, tagMapU16, tagMapU32)
}

func appendHead(dst []byte, n int, short, u8, u16, u32 byte) ([]byte, error) {
	if n < 0 || uint64(n) > math.MaxUint32 {
		return dst, encodingError(ReasonRange, "count", nil)
	}
	if n < 16 {
		return append(dst, short|byte(n)), nil
	}
	return appendLength(dst, n, u8, u16, u32), nil
}

// appendLength appends the tag that fits n, and n.
func appendLength(dst []byte, n int, u8, u16, u32 byte) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(dst, u8, byte(n))
	case n <= math.MaxUint16:
		return append(dst, u16, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, u32), uint32(n))
}
