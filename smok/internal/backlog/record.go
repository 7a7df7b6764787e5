package backlog

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Value is a sample of a pathpoint, as it is stored.
type Value struct {
	Path string
	value.Sample

	// Boot is not zero for a sample that was taken while the clock was not set. Time means nothing then; the sample was
	// taken at Mono on the monotonic clock of the run of the program that has this number.
	Boot uint64
	Mono time.Duration
}

// The tag of a record is the form of its value, with the bit unset for a sample of unknown time.
//
//	record   = [ boot (8 bytes, little endian) mono (uvarint, ms) ] length (uvarint) path value
//	value    = reason, "", "", varint, 4 bytes or 8 bytes of a float (little endian), or text
const (
	formFailed = iota + 1
	formFalse
	formTrue
	formInt
	formFloat32 // a float64 that binary32 holds
	formFloat64
	formString

	unset = 0x80
)

// tooOldToExpire is the time of records of unknown time: those from before 2020 do not expire.
var tooOldToExpire = time.UnixMilli(1)

// Entry returns the record of v: some 5 bytes more than its path, for numbers.
func Entry(v *Value) (store.Entry, error) {
	e := store.Entry{Time: v.Time, Payload: make([]byte, 0, len(v.Path)+20)}
	out := e.Payload
	if v.Boot != 0 {
		e.Tag, e.Time = unset, tooOldToExpire
		out = binary.LittleEndian.AppendUint64(out, v.Boot)
		out = binary.AppendUvarint(out, uint64(max(v.Mono, 0)/time.Millisecond))
	}
	out = binary.AppendUvarint(out, uint64(len(v.Path)))
	out = append(out, v.Path...)
	if !v.OK() {
		e.Tag |= formFailed
		e.Payload = append(out, v.Reason...)
		return e, nil
	}
	switch n := v.Sample.Value.(type) {
	case bool:
		if e.Tag |= formFalse; n {
			e.Tag += formTrue - formFalse
		}
	case int64:
		e.Tag |= formInt
		out = binary.AppendVarint(out, n)
	case float64:
		if single := float32(n); float64(single) == n {
			e.Tag |= formFloat32
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(single))
		} else {
			e.Tag |= formFloat64
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(n))
		}
	case string:
		e.Tag |= formString
		out = append(out, n...)
	default:
		return e, smokerr.InvalidArgument("store", "value", "is no bool, int64, float64 or string", nil)
	}
	e.Payload = out
	return e, nil
}

var errRecord = errors.New("no value")

// Decode returns the value in a record. Anything else is an error of class smokerr.ErrCorrupt.
func Decode(r *store.Record) (Value, error) {
	v := Value{Sample: value.Sample{Time: r.Time}}
	in, form := r.Payload, r.Tag&^unset
	if r.Tag&unset != 0 {
		if len(in) < 8 {
			return v, damaged()
		}
		v.Boot, in = binary.LittleEndian.Uint64(in), in[8:]
		ms, n := binary.Uvarint(in)
		if n <= 0 || ms > math.MaxInt64/uint64(time.Millisecond) || v.Boot == 0 {
			return v, damaged()
		}
		v.Mono, in = time.Duration(ms)*time.Millisecond, in[n:]
	}
	length, n := binary.Uvarint(in)
	if n <= 0 || length == 0 || length > uint64(len(in)-n) || length > value.MaxPath {
		return v, damaged()
	}
	in = in[n:]
	v.Path, in = string(in[:length]), in[length:]
	switch {
	case form == formFailed && len(in) > 0:
		v.Reason = smokerr.Reason(in)
	case form == formFalse && len(in) == 0:
		v.Sample.Value = false
	case form == formTrue && len(in) == 0:
		v.Sample.Value = true
	case form == formInt:
		i, n := binary.Varint(in)
		if n <= 0 || n != len(in) {
			return v, damaged()
		}
		v.Sample.Value = i
	case form == formFloat32 && len(in) == 4:
		v.Sample.Value = float64(math.Float32frombits(binary.LittleEndian.Uint32(in)))
	case form == formFloat64 && len(in) == 8:
		v.Sample.Value = math.Float64frombits(binary.LittleEndian.Uint64(in))
	case form == formString:
		v.Sample.Value = string(in)
	default:
		return v, damaged()
	}
	return v, nil
}

func damaged() error { return smokerr.Corrupt("decode", "values", errRecord) }
