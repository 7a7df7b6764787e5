package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/e2e/sioload/loadreport"
	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.values, got, tt.want)
		}
	}
}

// done is a result of a server in a round that used so many microseconds for each of ten operations.
func done(m *measurement, server string, round int, each float64) result {
	return result{measurement: m, server: server, round: round, report: loadreport.Report{
		Ops: 10, Seconds: 1, ServerCPU: time.Duration(each * 10 * float64(time.Microsecond)),
	}}
}

// byName returns one of the measurements.
func byName(t *testing.T, name string) *measurement {
	t.Helper()
	for i := range measurements {
		if measurements[i].name == name {
			return &measurements[i]
		}
	}
	t.Fatalf("no measurement %q", name)
	return nil
}

// A ratio is made of two results of one round. Rounds in which either is missing, or failed, do not count.
func TestRatios(t *testing.T) {
	t.Parallel()
	m, other := byName(t, "echo 100 B, 50 clients"), byName(t, "acknowledgement, 50 clients")
	failed := done(m, own, 4, 1)
	failed.err = errors.New("failed")
	results := []result{
		done(m, own, 0, 30), done(m, reference, 0, 10), done(m, reference, 1, 10), done(m, own, 1, 20),
		done(m, reference, 2, 10), done(m, own, 3, 40), failed, done(m, reference, 4, 10),
		done(other, own, 2, 1), done(m, official, 0, 50), done(m, official, 1, 60),
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	f := &m.figures[0]
	for _, tt := range []struct {
		server, to string
		want       []float64
	}{
		{own, reference, []float64{2, 3}},
		{official, reference, []float64{5, 6}},
		{own, official, []float64{20.0 / 60, 30.0 / 50}},
		{"karagenc", reference, nil},
	} {
		if diff := cmp.Diff(tt.want, ratios(results, m, f, tt.server, tt.to), near); diff != "" {
			t.Errorf("%s to %s: -want +got\n%s", tt.server, tt.to, diff)
		}
	}
	if got := medianOf(results, m, f, own); got != 30 { // of 20, 30 and 40
		t.Errorf("median %v", got)
	}
}

// The limits are kept, or missed, by the median; a miss is said and reported.
func TestPrintLimits(t *testing.T) {
	t.Parallel()
	m := byName(t, "echo 100 B, 50 clients") // must be at most 1.6, shall be 1.35
	for _, tt := range []struct {
		ratio   float64
		verdict string
		met     bool
	}{{1.2, "goal met", true}, {1.5, "met", true}, {1.7, "**missed**", false}} {
		var results []result
		for round := range 3 {
			results = append(results, done(m, reference, round, 10), done(m, own, round, 10*tt.ratio+float64(round-1)))
		}
		var out strings.Builder
		if met := printLimits(&out, results); met != tt.met || !strings.Contains(out.String(), "| "+tt.verdict+" |") {
			t.Errorf("%v: met %t\n%s", tt.ratio, met, out.String())
		}
	}
}

// A peer that failed is named with its failure, and so is a generator that was the bottleneck.
func TestPrintMissing(t *testing.T) {
	t.Parallel()
	m := byName(t, "echo 100 B, 50 clients")
	broken := result{measurement: m, server: "karagenc", round: 1, err: errors.New("exit status 2")}
	busy := done(m, own, 0, 1)
	busy.report.OwnCPU = 0.97
	var out strings.Builder
	printMissing(&out, []result{broken, busy})
	for _, want := range []string{"- karagenc failed at echo 100 B, 50 clients, round 2: exit status 2", "in 1 measurements the generator"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	out.Reset()
	printPeers(&out, []result{broken, done(m, reference, 1, 10)})
	if !strings.Contains(out.String(), " – |") || !strings.Contains(out.String(), "karagenc") {
		t.Errorf("the peer is left out:\n%s", out.String())
	}
	out.Reset()
	o := byName(t, order)
	printOthers(&out, []result{{
		measurement: o, server: "karagenc", report: loadreport.Report{Ops: 9, Expected: 10}, misplaced: 2, remark: "by polling",
	}})
	if want := "karagenc: 9 of 10 came back, 2 out of order; by polling\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is missing in\n%s", want, out.String())
	}
}

// A server that ends at once, or says nothing, is a failure of its measurement, with what it printed.
func TestServerThatFails(t *testing.T) {
	t.Parallel()
	b := &bench{settings: &settings{}, dir: t.TempDir()}
	script := "#!/bin/sh\necho out of order >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(b.dir, "broken"), []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	r := b.measure(context.Background(), byName(t, order), &contender{name: "broken"})
	if r.err == nil || !strings.Contains(r.err.Error(), "broken does not listen") || !strings.Contains(r.err.Error(), "out of order") {
		t.Errorf("got %v", r.err)
	}
	if r.short() != r.err.Error() {
		t.Errorf("shown as %q", r.short())
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	const trace = "/srv/socket.js:690\n    const n = upgrades.length\n              ^\n\n" +
		"TypeError: Cannot read properties of null (reading 'length')\n    at Socket.open (node:events:524:28)\n"
	for stderr, want := range map[string]string{
		trace: "TypeError: Cannot read properties of null (reading 'length')", "": "an error", "Segmentation fault\n": "an error",
	} {
		if got := failure(stderr); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The output of go test -bench is read as it is, each benchmark as often as it ran.
func TestReadTimings(t *testing.T) {
	t.Parallel()
	const out = "cpu: any\nBenchmarkEncode/raw 10 300 ns/op 0 B/op 0 allocs/op\n" +
		"BenchmarkDecode/split  \t5000000\t  215.5 ns/op\t  0 B/op\t  3 allocs/op\n" +
		"BenchmarkEncode/raw 10 100 ns/op 0 B/op 0 allocs/op\nPASS\n"
	times, err := readTimings([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"BenchmarkDecode/split": "216 ns, 3 allocations", "BenchmarkEncode/raw": "100 ns, 0 allocations", "BenchmarkEncode": "–",
	} {
		if got := times.text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
