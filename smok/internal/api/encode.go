package api

import (
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// encoder appends MiniJSON. It remembers the first error, so that a value is written without asking at every step.
type encoder struct {
	out []byte
	err error
}

// step takes the result of one of minijson's functions.
func (e *encoder) step(out []byte, err error) {
	if e.err == nil {
		e.out, e.err = out, err
	}
}

func (e *encoder) list(n int)    { e.step(minijson.AppendList(e.out, n)) }
func (e *encoder) object(n int)  { e.step(minijson.AppendObject(e.out, n)) }
func (e *encoder) key(k string)  { e.step(minijson.AppendKey(e.out, k)) }
func (e *encoder) text(s string) { e.step(minijson.AppendString(e.out, s)) }
func (e *encoder) int(n int64)   { e.step(minijson.AppendInt(e.out, n), nil) }
func (e *encoder) bool(b bool)   { e.step(minijson.AppendBool(e.out, b), nil) }

// float appends a double, in the short form if that holds the same number.
func (e *encoder) float(f float64) { e.step(minijson.AppendFloat(e.out, f), nil) }

// member appends a key and its text.
func (e *encoder) member(key, value string) {
	e.key(key)
	e.text(value)
}

// number appends a key and its integer.
func (e *encoder) number(key string, n int64) {
	e.key(key)
	e.int(n)
}

// Times are always integers: as a binary32 float a time of today is wrong by up to a minute.
func (e *encoder) millis(t time.Time)              { e.int(t.UnixMilli()) }
func (e *encoder) seconds(key string, t time.Time) { e.number(key, t.Unix()) }

// value appends the value of a pathpoint: bool, int64, float64 or string.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case bool:
		e.bool(v)
	case int64:
		e.int(v)
	case float64:
		e.float(v)
	case string:
		e.text(v)
	default:
		e.step(e.out, fmt.Errorf("a value of type %T", v))
	}
}

// appendOne appends to dst what write writes of entry; on failure dst comes back as it was.
func appendOne[T any](dst []byte, op string, entry *T, write func(*encoder, *T)) ([]byte, error) {
	e := encoder{out: dst}
	write(&e, entry)
	if e.err != nil {
		return dst, smokerr.InvalidArgument(op, "entry", "cannot be encoded", e.err)
	}
	return e.out, nil
}

// encodeList returns a list of entries as a body.
func encodeList[T any](op string, entries []T, write func(*encoder, *T)) ([]byte, error) {
	var e encoder
	e.list(len(entries))
	for i := range entries {
		if write(&e, &entries[i]); e.err != nil {
			return nil, smokerr.InvalidArgument(op, fmt.Sprintf("entry %d", i), "cannot be encoded", e.err)
		}
	}
	return e.out, nil
}

// MaxListHead is how many bytes the head of a list takes at most: a body is as long as its entries and this.
const MaxListHead = 5
