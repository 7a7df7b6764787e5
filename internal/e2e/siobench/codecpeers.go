package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// What is compared of the codecs: the benchmarks of ours, and those beside the servers of others.
const (
	encodes = "BenchmarkEncode"
	decodes = "BenchmarkDecode"
)

// codecPeers prints what the codecs of others in Go take for the same event. One that cannot be measured is named.
func (b *bench) codecPeers(ctx context.Context, out io.Writer, ours timings) error {
	fmt.Fprintln(out, "| codec of | encode a struct | decode |\n|---|---|---|")
	fmt.Fprintf(out, "| sioclient | %s | %s into a struct |\n", ours.text("BenchmarkEncode/struct"), ours.text("BenchmarkDecode/typed"))
	for i := range contenders {
		c := &contenders[i]
		if c.codec == "" || !b.wants(c.name) {
			continue
		}
		times, err := b.timings(ctx, c.source, c.environment(), ".", timedPeers)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			fmt.Fprintf(out, "| %s | failed: %.60q | |\n", c.title, err.Error())
			continue
		}
		fmt.Fprintf(out, "| %s | %s | %s %s |\n", c.title, times.text(encodes), times.text(decodes), c.codec)
	}
	fmt.Fprintln(out)
	return nil
}

// timings are the results of benchmarks by their names.
type timings struct {
	ns     map[string][]float64
	allocs map[string]float64
}

func (t timings) text(name string) string {
	if len(t.ns[name]) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f ns, %.0f allocations", slices.Min(t.ns[name]), t.allocs[name])
}
