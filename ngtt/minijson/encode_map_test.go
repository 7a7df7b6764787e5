package minijson_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// TestMapsInMaps: maps of all sizes inside one another are sorted, each for itself.
func TestMapsInMaps(t *testing.T) {
	t.Parallel()
	var grow func(size, depth int) map[string]any
	grow = func(size, depth int) map[string]any {
		m := make(map[string]any)
		for i := range size {
			k := fmt.Sprintf("%d", (i*7+depth)%size) // "10" comes before "9"
			switch {
			case depth > 0:
				m[k] = grow((size+i)%11, depth-1)
			default:
				texts := make(map[string]string)
				for j := range i {
					texts[strings.Repeat("k", j%3)+fmt.Sprint(j)] = k
				}
				m[k] = texts
			}
		}
		return m
	}
	for _, size := range []int{0, 1, 2, 8, 9, 13} {
		m := grow(size, 2)
		b, err := minijson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := minijson.Append([]byte{}, m)
		if d := cmp.Diff(b, again); err != nil || d != "" {
			t.Fatalf("size %d, again (-want +got):\n%s, %v", size, d, err)
		}
		var got map[string]map[string]map[string]map[string]string
		if err := minijson.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(fmt.Sprint(m), fmt.Sprint(got)); d != "" {
			t.Fatalf("size %d (-want +got):\n%s", size, d)
		}
		var ordered minijson.Map
		if err := minijson.Unmarshal(b, &ordered); err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(ordered, func(x, y minijson.Pair) int { return strings.Compare(x.Key.(string), y.Key.(string)) }) {
			t.Fatalf("size %d: the keys are not sorted: %v", size, ordered)
		}
	}
}

// TestMapAfterError: what an error leaves of a large map does not get into the next document.
func TestMapAfterError(t *testing.T) {
	bad, good := make(map[string]any), make(map[string]any)
	for i := range 20 {
		bad[fmt.Sprint(i)] = map[string]any{"inner": make(chan int)}
		good[fmt.Sprint(i)] = nil
	}
	want, err := minijson.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, err := minijson.Marshal(bad)
		if e := wantEncodingError(t, err); e.Path != ".0.inner" {
			t.Fatalf("path %q", e.Path)
		}
		got, err := minijson.Marshal(good)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("after an error (-want +got):\n%s, %v", d, err)
		}
	}
}
