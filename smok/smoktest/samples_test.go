package smoktest_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const pathpoints = "/v1/device/pathpoints"

func series(path string, values ...any) list {
	return list{object{"path": path, "values": values}}
}

func TestSamplesAreKeptOnceByPathAndTime(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	pump := hub.Device("pump")
	p.want("POST", pathpoints, series("W1", list{int64(1795326768643), 7}, list{false, int64(1795326769000), "timeout"}), `{}`)
	p.want("POST", pathpoints, series("W1", list{int64(1795326768643), 7}, list{int64(1795326768644), 7}), `{}`) // one again, one new
	p.want("POST", pathpoints, series("W1", list{int64(1795326768643), 8}, list{int64(1795326769000), 3}), `{}`) // two others
	p.want("POST", pathpoints, series("d1", list{1, math.NaN()}, list{1, math.NaN()}), `{}`)                     // equal
	p.want("POST", pathpoints, append(series("B1", list{1, true}), series("uX", list{1, "ż"})...), `{}`)         // two pathpoints

	at := time.Date(2026, 11, 22, 5, 52, 48, 643e6, time.UTC)
	want := []smoktest.Sample{
		{Path: "W1", Time: at, Value: int64(7), Request: 1},
		{Path: "W1", Time: time.UnixMilli(1795326769000).UTC(), Reason: "timeout", Request: 1},
		{Path: "W1", Time: at.Add(time.Millisecond), Value: int64(7), Request: 2},
	}
	if d := cmp.Diff(want, pump.Samples("W1")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := len(pump.Samples("")); n != 6 {
		t.Errorf("%d samples in all", n)
	}
	counts := pump.Counts()
	if counts.Samples != 6 || counts.Repeated != 2 || counts.Conflicting != 2 || counts.Uploads != 5 {
		t.Errorf("%+v", counts)
	}
}

func TestSamplesOfTheRightTypes(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	good := map[string]list{
		"B": {true, false, 0, 1}, "W": {0, 65535}, "w": {-32768, 32767},
		"f": {1.5, float32(0.1), 3, math.Inf(1)}, "d": {0.1, -4}, "u": {"", "text"},
	}
	bad := map[string]list{
		"B": {2, 1.0, "true", nil}, "W": {-1, 65536, 1.5, 1.0, true, "1"}, "w": {-32769, 32768},
		"f": {"1", true, nil, list{}}, "d": {object{}}, "u": {1, true, []byte("bytes")},
	}
	for letter, values := range good {
		for i, v := range values {
			p.want("POST", pathpoints, series(letter+"1", list{i, v}), `{}`)
		}
	}
	before := hub.Device("pump").Counts()
	for letter, values := range bad {
		for _, v := range values {
			p.refused("POST", pathpoints, series(letter+"1", list{1, 1}, list{7, v}), http.StatusBadRequest)
		}
	}
	if d := cmp.Diff(before, hub.Device("pump").Counts()); d != "" {
		t.Errorf("a refused upload left something (-want +got):\n%s", d)
	}
}

func TestBadUploadsChangeNothing(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	entry := series("W1", list{1, 1})[0]
	for name, body := range map[string]any{
		"not a list":         object{},
		"not MiniJSON":       []byte("[]"),
		"two documents":      []byte{0x40, 0x40},
		"cut short":          []byte{0x41},
		"entry not object":   list{entry, 1},
		"no path":            list{entry, object{"values": list{}}},
		"no values":          list{entry, object{"path": "W1"}},
		"unknown member":     list{entry, object{"path": "W1", "values": list{}, "x": 1}},
		"values not list":    list{entry, object{"path": "W1", "values": 1}},
		"path not text":      list{entry, object{"path": 1, "values": list{}}},
		"reparse":            list{entry, object{"path": "rW{W1}", "values": list{}}},
		"empty path":         list{entry, object{"path": "", "values": list{}}},
		"no such type":       list{entry, object{"path": "x1", "values": list{}}},
		"value not list":     list{entry, series("W1", 7)[0]},
		"too few":            list{entry, series("W1", list{7})[0]},
		"too many":           list{entry, series("W1", list{false, 7, "type", 1})[0]},
		"failed without no":  list{entry, series("W1", list{true, 7, "type"})[0]},
		"unknown reason":     list{entry, series("W1", list{false, 7, "tired"})[0]},
		"two reasons":        list{entry, series("W1", list{false, 7, "type timeout"})[0]},
		"time is a float":    list{entry, series("W1", list{7.0, 1})[0]},
		"time is negative":   list{entry, series("W1", list{-7, 1})[0]},
		"time is in seconds": list{entry, series("W1", list{"now", 1})[0]},
		"time is far":        list{entry, series("W1", list{int64(math.MaxInt64), 1})[0]},
	} {
		t.Run(name, func(t *testing.T) {
			p.refused("POST", pathpoints, body, http.StatusBadRequest)
		})
	}
	if n := len(hub.Device("pump").Samples("")); n != 0 {
		t.Errorf("%d samples", n)
	}
}

func TestKeptIsBounded(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{MaxKept: 8})
	p := connect(t, hub, "pump")
	for i := range 20 {
		p.want("POST", pathpoints, series("W1", list{i, 1}), `{}`)
	}
	p.want("POST", pathpoints, series("W1", list{1, 1}, list{19, 1}), `{}`) // the first is forgotten, the last is not
	samples := hub.Device("pump").Samples("W1")
	if len(samples) != 8 || samples[7].Time.UnixMilli() != 1 || samples[6].Time.UnixMilli() != 19 {
		t.Errorf("%v", samples)
	}
	if c := hub.Device("pump").Counts(); c.Samples != 21 || c.Repeated != 1 {
		t.Errorf("%+v", c)
	}
	var defs list
	for _, path := range []string{"W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9"} {
		defs = append(defs, object{"path": path, "storage_level": 1})
	}
	p.refused("PUT", pathpoints, defs, http.StatusInsufficientStorage)
}
