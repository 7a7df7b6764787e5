package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
)

// codecRow is one benchmark of package packet with its limits. Where there is a base, the time is a ratio to that.
type codecRow struct {
	name   string
	bench  string
	base   string
	most   float64 // ratio to the base, or ns
	allocs float64
}

var codecRows = []codecRow{
	{"encode a struct", "BenchmarkEncode/struct_into_a_buffer", "BenchmarkEncode/json.Marshal", 1.2, 1},
	{"encode ready JSON", "BenchmarkEncode/raw_into_a_buffer", "", 100, 0},
	{"header and splitting", "BenchmarkDecode/split", "", 250, 0},
	{"decode into a struct", "BenchmarkDecode/typed", "BenchmarkDecode/json.Unmarshal", 1.15, -1},
}

var benchLine = regexp.MustCompile(`(?m)^(Benchmark\S+)\s+\d+\s+([0-9.]+) ns/op.*?([0-9]+) allocs/op`)

// Benchmarks that are looked at, of ours and of the peers.
const (
	timedPeers = "^Benchmark(Encode|Decode)$"
	timedOwn   = timedPeers + "/^(json.Marshal|struct|struct_into_a_buffer|raw_into_a_buffer|json.Unmarshal|split|typed)$"
)

// timings runs the benchmarks of a package, in its folder, often and shortly. The least time of each counts: what else the
// machine does can only add to it.
func (b *bench) timings(ctx context.Context, dir string, env []string, pkg, bench string) (timings, error) {
	args := b.pinned(0, []string{
		"go", "test", "-run", "^$", "-bench", bench, "-benchmem", "-cpu", "1",
		"-benchtime", "1ms", "-count", strconv.Itoa(50 * b.rounds), pkg,
	})
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return timings{}, fmt.Errorf("%w: %s", err, text)
	}
	return readTimings(text)
}

// readTimings reads the output of go test -bench.
func readTimings(text []byte) (timings, error) {
	t := timings{make(map[string][]float64), make(map[string]float64)}
	for _, m := range benchLine.FindAllSubmatch(bytes.ReplaceAll(text, []byte("\t"), []byte(" ")), -1) {
		name := string(m[1])
		ns, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return t, err
		}
		t.ns[name] = append(t.ns[name], ns)
		t.allocs[name], _ = strconv.ParseFloat(string(m[3]), 64) // digits alone
	}
	return t, nil
}

// codec prints the times of the codec, and reports whether all limits are kept.
func (b *bench) codec(ctx context.Context, out io.Writer) (met bool, err error) {
	t, err := b.timings(ctx, ".", nil, "./sioclient/packet", timedOwn)
	if err != nil {
		return false, err
	}
	times, allocs := t.ns, t.allocs
	met = true
	fmt.Fprintln(out, "| codec, an event with an object of 110 bytes | least time | allocations | ratio | must | |\n|---|---|---|---|---|---|")
	for _, r := range codecRows {
		if len(times[r.bench]) == 0 || r.base != "" && len(times[r.base]) == 0 {
			return false, fmt.Errorf("no result of %s or %s", r.bench, r.base)
		}
		ns, ratio, must := slices.Min(times[r.bench]), "–", fmt.Sprintf("≤ %.0f ns", r.most)
		ok := ns <= r.most
		if r.base != "" {
			q := ns / slices.Min(times[r.base])
			ok = q <= r.most
			ratio = fmt.Sprintf("%.2f of encoding/json", q)
			must = fmt.Sprintf("≤ %.2f", r.most)
		}
		if r.allocs >= 0 {
			ok = ok && allocs[r.bench] <= r.allocs
			must += fmt.Sprintf(", ≤ %.0f allocations", r.allocs)
		}
		verdict := "met"
		if !ok {
			verdict, met = "**missed**", false
		}
		fmt.Fprintf(out, "| %s | %.0f ns | %.0f | %s | %s | %s |\n", r.name, ns, allocs[r.bench], ratio, must, verdict)
	}
	fmt.Fprintln(out)
	return met, b.codecPeers(ctx, out, t)
}
