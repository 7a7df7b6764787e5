package series_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/internal/series"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// at is a sample: a time in milliseconds and a value.
type at struct {
	ms int64
	v  string
}

func from(samples []at) iter.Seq2[value.Sample, error] {
	return func(yield func(value.Sample, error) bool) {
		for _, s := range samples {
			if !yield(value.Sample{Time: time.UnixMilli(s.ms), Value: s.v}, nil) {
				return
			}
		}
	}
}

// rows returns what Merge makes of the series, as text: the time and the values of each row.
func rows(t *testing.T, all ...[]at) []string {
	t.Helper()
	var seqs []iter.Seq2[value.Sample, error]
	for _, s := range all {
		seqs = append(seqs, from(s))
	}
	var got []string
	for row, err := range series.Merge(seqs...) {
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(row.Time.UnixMilli())
		for _, s := range row.Samples {
			text += fmt.Sprint(" ", s.Value)
		}
		got = append(got, text)
	}
	return got
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		in   [][]at
		want []string
	}{
		{
			"two series",
			[][]at{{{1, "a"}, {3, "b"}, {5, "c"}}, {{2, "x"}, {3, "y"}, {9, "z"}}},
			[]string{"2 a x", "3 b y", "5 c y", "9 c z"},
		},
		{"no series", nil, nil},
		{"one series", [][]at{{{1, "a"}, {3, "b"}}}, []string{"1 a", "3 b"}},
		{"an empty one", [][]at{{{1, "a"}}, {}}, nil},
		{"an empty one first", [][]at{{}, {{1, "a"}}}, nil},
		{"all before the last first", [][]at{{{1, "a"}, {2, "b"}}, {{9, "z"}}}, []string{"9 b z"}},
		{"several of one moment", [][]at{{{1, "a"}, {1, "b"}}, {{1, "x"}, {2, "y"}, {2, "z"}}}, []string{"1 b x", "2 b z"}},
		{"three", [][]at{{{1, "a"}, {7, "d"}}, {{2, "b"}}, {{3, "c"}, {4, "e"}}}, []string{"3 a b c", "4 a b e", "7 d b e"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, rows(t, test.in...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMergeAgainstTheRule compares with the rule itself, moment by moment.
func TestMergeAgainstTheRule(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		all := make([][]at, 1+random.IntN(4))
		moments := map[int64]bool{}
		start := int64(0)
		for i := range all {
			now := int64(random.IntN(20))
			for n := range 1 + random.IntN(10) {
				all[i] = append(all[i], at{now, fmt.Sprint(i, "-", n)})
				moments[now] = true
				now += 1 + int64(random.IntN(5))
			}
			start = max(start, all[i][0].ms)
		}
		var want []string
		for ms := start; ms < 1000; ms++ {
			if !moments[ms] {
				continue
			}
			text := fmt.Sprint(ms)
			for _, s := range all {
				i := slices.IndexFunc(s, func(a at) bool { return a.ms > ms })
				if i < 0 {
					i = len(s)
				}
				text += " " + s[i-1].v
			}
			want = append(want, text)
		}
		if diff := cmp.Diff(want, rows(t, all...)); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", all, diff)
		}
	}
}

func TestMergeEndsWithAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("store failed")
	for _, after := range []int{0, 1, 2} {
		failing := func(yield func(value.Sample, error) bool) {
			for i := range after {
				if !yield(value.Sample{Time: time.UnixMilli(int64(i)), Value: int64(i)}, nil) {
					return
				}
			}
			yield(value.Sample{}, broken)
		}
		var got error
		n := 0
		for _, err := range series.Merge(from([]at{{0, "a"}}), failing) {
			if got != nil {
				t.Error("there is more after the error")
			}
			n, got = n+1, err
		}
		if !errors.Is(got, broken) || n > after+1 {
			t.Errorf("after %d samples: %v and %d rows", after, got, n)
		}
	}
}

func TestMergeStopsWhenNobodyAsks(t *testing.T) {
	t.Parallel()
	asked := 0
	endless := func(yield func(value.Sample, error) bool) {
		for i := int64(0); yield(value.Sample{Time: time.UnixMilli(i)}, nil); i++ {
			asked++
		}
	}
	n := 0
	for range series.Merge(endless, endless) {
		if n++; n == 10 {
			break
		}
	}
	if asked > 30 {
		t.Errorf("asked for %d samples to make 10 rows", asked)
	}
}

func TestRowErr(t *testing.T) {
	t.Parallel()
	good := value.Sample{Value: int64(1)}
	first := value.Sample{Time: time.UnixMilli(5), Reason: smokerr.ReasonTimeout}
	second := value.Sample{Time: time.UnixMilli(6), Reason: smokerr.ReasonType}
	if err := (series.Row{Samples: []value.Sample{good, good}}).Err([]string{"W1", "W2"}); err != nil {
		t.Error(err)
	}
	err := series.Row{Samples: []value.Sample{good, first, second}}.Err([]string{"W1", "W2", "W3"})
	failed, ok := errors.AsType[*smokerr.OperationFailedError](err)
	if !ok || failed.Target != "W2" || failed.Reason != smokerr.ReasonTimeout {
		t.Errorf("got %v, want the first one", err)
	}
}

func BenchmarkMerge(b *testing.B) {
	one := make([]at, 1000)
	two := make([]at, 1000)
	for i := range one {
		one[i], two[i] = at{int64(2 * i), "a"}, at{int64(3 * i), "b"}
	}
	b.ReportAllocs()
	for b.Loop() {
		for range series.Merge(from(one), from(two)) {
		}
	}
}
