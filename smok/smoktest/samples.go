package smoktest

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Sample is one reading of a pathpoint.
type Sample struct {
	Path string
	Time time.Time
	// Value is a bool, int64, float64 or string; nil if the reading failed. Reason says why, then.
	Value  any
	Reason string
	// Request is the number of the request that brought it.
	Request uint64
}

// sampleKey is what makes a sample one of its own.
type sampleKey struct {
	path string
	ms   int64
}

// reading is what must be the same when a sample comes again.
type reading struct {
	value  any
	reason string
}

// Samples returns the samples of a pathpoint, or of all if the path is empty, in the order in which they came first.
func (d *Device) Samples(path string) []Sample {
	return inspect(d, func(s *device) []Sample {
		var out []Sample
		for _, sample := range s.samples.items {
			if path == "" || sample.Path == path {
				out = append(out, sample)
			}
		}
		return out
	})
}

// keep adds a sample unless it is there already.
func (s *device) keep(sample Sample, bound int) {
	key := sampleKey{sample.Path, sample.Time.UnixMilli()}
	if first, ok := s.seen[key]; ok {
		if first.reason == sample.Reason && sameValue(first.value, sample.Value) {
			s.counts.Repeated++
			return
		}
		s.counts.Conflicting++
		return
	}
	s.counts.Samples++
	s.seen[key] = reading{sample.Value, sample.Reason}
	for _, gone := range s.samples.add(sample, bound) {
		delete(s.seen, sampleKey{gone.Path, gone.Time.UnixMilli()})
	}
}

// sameValue takes a NaN for the same as another.
func sameValue(a, b any) bool {
	x, ok := a.(float64)
	y, also := b.(float64)
	return a == b || ok && also && math.IsNaN(x) && math.IsNaN(y)
}

// postValues takes samples.
func postValues(c *call) (any, error) {
	series, err := decodeList(c, func(f *fields) []Sample {
		path := f.native("path")
		values, ok := f.require("values").([]any)
		if !ok {
			f.fail("values", "not a list")
			return nil
		}
		samples := make([]Sample, 0, len(values))
		for i, v := range values {
			sample, err := decodeSample(path, v)
			if err != nil {
				f.fail(fmt.Sprintf("values[%d]", i), err.Error())
				return nil
			}
			sample.Request = c.req.Number
			samples = append(samples, sample)
		}
		return samples
	})
	if err != nil {
		return nil, err
	}
	c.device.counts.Uploads++
	for _, samples := range series {
		for _, sample := range samples {
			c.device.keep(sample, c.hub.opts.MaxKept)
		}
	}
	return nil, nil
}

// decodeSample reads [time, value] or [false, time, reason], times in milliseconds.
func decodeSample(path string, v any) (Sample, error) {
	parts, ok := v.([]any)
	if !ok || len(parts) != 2 && len(parts) != 3 {
		return Sample{}, bad("neither a good reading nor a failed one")
	}
	sample := Sample{Path: path}
	at := parts[0]
	if len(parts) == 3 {
		reason, isText := parts[2].(string)
		if parts[0] != false || !isText || !strings.Contains(" malformed timeout invalid type ", " "+reason+" ") {
			return Sample{}, bad("not a failed reading")
		}
		at, sample.Reason = parts[1], reason
	} else if sample.Value = parts[1]; !fits(path, sample.Value) {
		return Sample{}, bad("the value is not of the type of the pathpoint")
	}
	ms, ok := at.(int64)
	if !ok || ms < 0 || ms > maxSeconds*1000 {
		return Sample{}, bad("not a time in milliseconds")
	}
	sample.Time = unixTime(ms, 1000)
	return sample, nil
}

// fits reports whether a value is of the type that the first letter of a pathpoint says.
func fits(path string, v any) bool {
	switch v := v.(type) {
	case bool:
		return path[0] == 'B'
	case string:
		return path[0] == 'u'
	case float64:
		return path[0] == 'f' || path[0] == 'd'
	case int64:
		switch path[0] {
		case 'B':
			return v == 0 || v == 1
		case 'W':
			return v >= 0 && v <= math.MaxUint16
		case 'w':
			return v >= math.MinInt16 && v <= math.MaxInt16
		case 'f', 'd':
			return true
		}
	}
	return false
}
