package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// text is a string of the hub. A number in its place is its digits: ids are sometimes numbers. Null is empty.
type text string

// UnmarshalJSON reads a string, a number or null.
func (t *text) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(t))
	case 'n':
		*t = ""
		return nil
	case '{', '[', 't', 'f':
		return fmt.Errorf("%s in place of a string", jsonKind(data))
	}
	*t = text(data)
	return nil
}

// truth is a truth value of the hub: true, false, or a number. Null is false.
type truth bool

// UnmarshalJSON reads true, false, null or a number.
func (t *truth) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true":
		*t = true
	case "false", "null":
		*t = false
	default:
		f, err := strconv.ParseFloat(string(data), 64)
		if err != nil {
			return fmt.Errorf("%s in place of a truth value", jsonKind(data))
		}
		*t = f != 0
	}
	return nil
}

// integer is a whole number of the hub, maybe written with a fraction of zero.
type integer int64

// UnmarshalJSON reads a whole number.
func (n *integer) UnmarshalJSON(data []byte) error {
	if i, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		*n = integer(i)
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("%s in place of a number", jsonKind(data))
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return errors.New("not a whole number")
	}
	*n = integer(f)
	return nil
}

// maxSeconds bounds times: year 5138. What is beyond was meant to be milliseconds.
const maxSeconds = 100_000_000_000

// seconds is a time or a duration of the hub, in seconds with or without a fraction.
type seconds struct {
	whole int64
	nanos int64
}

// UnmarshalJSON reads a number.
func (s *seconds) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(data), 64)
	switch {
	case err != nil:
		return fmt.Errorf("%s in place of a number", jsonKind(data))
	case math.Abs(f) > maxSeconds:
		return errors.New("a time out of range")
	}
	whole := math.Floor(f)
	// A double has a few hundred nanoseconds of our time; what is below is noise.
	s.whole, s.nanos = int64(whole), int64(math.Round((f-whole)*1e6))*1000
	return nil
}

func (s seconds) time() time.Time { return time.Unix(s.whole, s.nanos) }

// duration returns the seconds as a duration, bounded by that type.
func (s seconds) duration() time.Duration {
	const most = math.MaxInt64/int64(time.Second) - 1
	return time.Duration(min(max(s.whole, -most), most))*time.Second + time.Duration(s.nanos)
}

// decodeValue reads the value of a pathpoint: bool, int64, float64 or string.
func decodeValue(data json.RawMessage) (any, error) {
	if len(data) == 0 {
		return nil, missing("value")
	}
	switch data[0] {
	case 't', 'f':
		return data[0] == 't', nil
	case '"':
		var s string
		err := json.Unmarshal(data, &s)
		return s, err
	case '{', '[', 'n':
		return nil, fmt.Errorf("%s in place of a value", jsonKind(data))
	}
	number := string(data)
	if strings.ContainsAny(number, ".eE") {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, errors.New("a number out of range")
		}
		return f, nil
	}
	i, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, errors.New("a number out of range")
	}
	return i, nil
}

// missing reports a member that an entry must have.
func missing(member string) error { return errors.New("no " + member) }

// jsonKind names the sort of a JSON value for errors, without repeating it.
func jsonKind(data []byte) string {
	switch data[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 'n':
		return "null"
	case 't', 'f':
		return "a truth value"
	}
	return "a number"
}
