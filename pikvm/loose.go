package pikvm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// loose is a number or a truth value of the device. Its versions write the same value as an integer, a fraction
// or a bool, which all mean the same here. Null is zero; anything else is an error.
type loose float64

// UnmarshalJSON reads true, false, null or a number.
func (l *loose) UnmarshalJSON(data []byte) error {
	switch s := string(data); s {
	case "true":
		*l = 1
	case "false", "null":
		*l = 0
	default:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%s in place of a number", jsonKind(data))
		}
		*l = loose(f)
	}
	return nil
}

func (l loose) bool() bool { return l != 0 }

// float returns the number, nil for none.
func (l *loose) float() *float64 { return (*float64)(l) }

// integer returns the nearest integer, nil for none.
func (l *loose) integer() *int64 {
	if l == nil {
		return nil
	}
	n := l.int64()
	return &n
}

// int64 rounds to the nearest integer, at the ends of the range to these.
func (l loose) int64() int64 {
	switch f := math.Round(float64(l)); {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(f)
	}
}

// missing reports a member that an answer must have.
func missing(member string) error { return errors.New("no " + member) }

// jsonKind names the sort of a JSON value for errors, without repeating it.
func jsonKind(data json.RawMessage) string {
	if len(data) > 0 {
		switch data[0] {
		case '{':
			return "object"
		case '[':
			return "array"
		case '"':
			return "string"
		}
	}
	return "something"
}
