package order

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// maxWait is the longest wait that an order may ask for.
const maxWait = 7 * 24 * time.Hour

// scalar returns raw as a value of a pathpoint.
func scalar(raw any) (any, bool) {
	if n, ok := raw.(json.Number); ok {
		return number(n)
	}
	v, err := value.Canonical(raw)
	return v, err == nil
}

// number returns a number of a JSON document: an integer if it is written as one.
func number(n json.Number) (any, bool) {
	if !strings.ContainsAny(string(n), ".eE") {
		i, err := strconv.ParseInt(string(n), 10, 64)
		return i, err == nil
	}
	f, err := n.Float64()
	return f, err == nil
}

// integer returns raw as an integer, which may be written as a float.
func integer(raw any) (int64, bool) {
	v, ok := scalar(raw)
	if !ok {
		return 0, false
	}
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	return 0, false
}

// duration returns raw, a number of seconds.
func duration(raw any) (time.Duration, bool) {
	v, ok := scalar(raw)
	if !ok {
		return 0, false
	}
	switch n := v.(type) {
	case int64:
		if n < 0 || n > int64(maxWait/time.Second) {
			return 0, false
		}
		return time.Duration(n) * time.Second, true
	case float64:
		if !(n >= 0 && n <= maxWait.Seconds()) {
			return 0, false
		}
		return time.Duration(n * float64(time.Second)), true
	}
	return 0, false
}

// maxInstant is the last second of the year 9999, the last that other formats can write.
const maxInstant = 253402300799

// instant returns raw, a number of seconds since 1970.
func instant(raw any) (time.Time, bool) {
	v, ok := scalar(raw)
	if !ok {
		return time.Time{}, false
	}
	switch n := v.(type) {
	case int64:
		if n < 0 || n > maxInstant {
			return time.Time{}, false
		}
		return time.Unix(n, 0), true
	case float64:
		if !(n >= 0 && n <= maxInstant) {
			return time.Time{}, false
		}
		whole, part := math.Modf(n)
		return time.Unix(int64(whole), int64(part*1e9)), true
	}
	return time.Time{}, false
}
