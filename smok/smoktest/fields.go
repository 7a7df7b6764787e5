package smoktest

import (
	"maps"
	"math"
	"slices"
	"time"
)

// fields reads the members of one object of a request, each once and with the type that it must have. The first thing
// that is wrong stays in err; what is read after it is zero.
type fields struct {
	where string
	left  map[string]any // members that were not read yet
	err   error

	floats int // times that came as floats
}

func newFields(where string, v any) *fields {
	left, ok := v.(map[string]any)
	f := &fields{where: where, left: left}
	if !ok {
		f.err = bad("%s is not an object", where)
	}
	return f
}

// take reads a member, and reports whether it is there.
func (f *fields) take(key string) (any, bool) {
	v, ok := f.left[key]
	delete(f.left, key)
	return v, ok && f.err == nil
}

func (f *fields) fail(key, text string) {
	if f.err == nil {
		f.err = bad("%s: %s: %s", f.where, key, text)
	}
}

func (f *fields) has(key string) bool {
	_, ok := f.left[key]
	return ok
}

// require reads a member that must be there; nil after an error.
func (f *fields) require(key string) any {
	v, ok := f.take(key)
	if !ok {
		f.fail(key, "missing")
		return nil
	}
	return v
}

func (f *fields) text(key string) string {
	s, ok := f.require(key).(string)
	if !ok {
		f.fail(key, "not a string")
	}
	return s
}

// optionalText reads a string that may be missing.
func (f *fields) optionalText(key string) string {
	if !f.has(key) {
		return ""
	}
	return f.text(key)
}

func (f *fields) integer(key string, from, to int64) int64 {
	n, ok := f.require(key).(int64)
	if !ok {
		f.fail(key, "not an integer")
		return 0
	}
	if n < from || n > to {
		f.fail(key, "out of range")
	}
	return n
}

// unix reads a time that may only be an integer, in units of so many per second.
func (f *fields) unix(key string, perSecond int64) time.Time {
	n := f.integer(key, 0, math.MaxInt64)
	if f.err != nil {
		return time.Time{}
	}
	return unixTime(n, perSecond)
}

func unixTime(n, perSecond int64) time.Time {
	return time.Unix(n/perSecond, n%perSecond*(int64(time.Second)/perSecond)).UTC()
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// seconds reads a time in seconds, which the original client sends as a float.
func (f *fields) seconds(key string) time.Time {
	switch v := f.require(key).(type) {
	case int64:
		if v >= 0 && v <= maxSeconds {
			return time.Unix(v, 0).UTC()
		}
	case float64:
		if v >= 0 && v <= maxSeconds {
			f.floats++
			return time.UnixMilli(int64(math.Round(v * 1000))).UTC()
		}
	}
	f.fail(key, "not a time in seconds")
	return time.Time{}
}

// texts reads an object whose members are strings.
func (f *fields) texts(key string) map[string]string {
	members, ok := f.require(key).(map[string]any)
	if !ok {
		f.fail(key, "not an object")
		return nil
	}
	texts := make(map[string]string, len(members))
	for name, v := range members {
		text, ok := v.(string)
		if !ok {
			f.fail(key, "not all values are strings")
			return nil
		}
		texts[name] = text
	}
	return texts
}

// end returns what was wrong. Members that nobody has read are.
func (f *fields) end() error {
	if f.err == nil && len(f.left) > 0 {
		f.fail(slices.Sorted(maps.Keys(f.left))[0], "unknown member")
	}
	return f.err
}

// inSeconds is a time in seconds on its way to a device: an integer if it is one.
func inSeconds(t time.Time) any {
	if t.Nanosecond() == 0 {
		return t.Unix()
	}
	return float64(t.UnixMilli()) / 1000
}
