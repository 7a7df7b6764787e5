package backlog_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/smok/internal/backlog"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

var at = time.UnixMilli(1795326768643)

func TestRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sample value.Sample
		bytes  int // beside the path
	}{
		{value.Sample{Value: true}, 1},
		{value.Sample{Value: false}, 1},
		{value.Sample{Value: int64(7)}, 2},
		{value.Sample{Value: int64(-40000)}, 4},
		{value.Sample{Value: int64(math.MinInt64)}, 11},
		{value.Sample{Value: 0.5}, 5},
		{value.Sample{Value: 0.1}, 9},
		{value.Sample{Value: math.Inf(1)}, 5},
		{value.Sample{Value: math.NaN()}, 9},
		{value.Sample{Value: ""}, 1},
		{value.Sample{Value: "żółw"}, 8},
		{value.Sample{Reason: smokerr.ReasonTimeout}, 8},
	} {
		for _, boot := range []uint64{0, math.MaxUint64} {
			v := backlog.Value{Path: "W1r4002", Sample: test.sample, Boot: boot}
			v.Time = at
			if boot != 0 {
				v.Mono = 90 * time.Minute
			}
			e, err := backlog.Entry(&v)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(e.Payload) - len(v.Path); boot == 0 && n != test.bytes {
				t.Errorf("%+v: %d bytes, want %d", test.sample, n, test.bytes)
			}
			got, err := backlog.Decode(&store.Record{Time: e.Time, Tag: e.Tag, Payload: e.Payload})
			if err != nil {
				t.Fatal(err)
			}
			if boot != 0 {
				v.Time = got.Time // means nothing
			}
			if d := cmp.Diff(v, got, cmpopts.EquateNaNs()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
	}
	if _, err := backlog.Entry(&backlog.Value{Path: "W1", Sample: value.Sample{Value: 7}}); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("an int: %v", err)
	}
}

func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	good, err := backlog.Entry(&backlog.Value{Path: "W1", Sample: value.Sample{Value: int64(300)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]store.Record{
		"empty":                    {},
		"no form":                  {Tag: 0, Payload: good.Payload},
		"an unknown form":          {Tag: 0x3f, Payload: good.Payload},
		"cut":                      {Tag: good.Tag, Payload: good.Payload[:len(good.Payload)-1]},
		"longer":                   {Tag: good.Tag, Payload: append(good.Payload[:len(good.Payload):len(good.Payload)], 0)},
		"no path":                  {Tag: good.Tag, Payload: []byte{0, 1}},
		"a path beyond the end":    {Tag: good.Tag, Payload: []byte{200, 1, 'W'}},
		"too long a path":          {Tag: 7, Payload: append([]byte{0x89, 0x27}, strings.Repeat("W", 5001)...)},
		"a failure without reason": {Tag: 1, Payload: []byte{1, 'W'}},
		"no mark":                  {Tag: 0x80 | good.Tag, Payload: []byte{1, 2, 3}},
		"a mark of no run":         {Tag: 0x80 | good.Tag, Payload: make([]byte, 20)},
	} {
		if v, err := backlog.Decode(&r); !errors.Is(err, smokerr.ErrCorrupt) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range []any{true, int64(-1), 0.5, 0.1, "text"} {
		for _, boot := range []uint64{0, 1} {
			e, _ := backlog.Entry(&backlog.Value{Path: "W1", Sample: value.Sample{Value: v}, Boot: boot, Mono: time.Hour})
			f.Add(e.Tag, e.Payload)
		}
	}
	f.Fuzz(func(t *testing.T, tag uint8, payload []byte) {
		v, err := backlog.Decode(&store.Record{Time: at, Tag: tag, Payload: payload})
		if err != nil {
			return
		}
		e, err := backlog.Entry(&v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := backlog.Decode(&store.Record{Time: e.Time, Tag: e.Tag, Payload: e.Payload})
		if again.Time = v.Time; err != nil || !cmp.Equal(v, again, cmpopts.EquateNaNs()) {
			t.Errorf("%+v became %+v, %v", v, again, err)
		}
	})
}
