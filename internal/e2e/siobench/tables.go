package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// median is 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// values returns a figure of one server, by round.
func values(results []result, m *measurement, f *figure, server string) map[int]float64 {
	v := make(map[int]float64)
	for i := range results {
		if r := &results[i]; r.measurement == m && r.server == server && r.err == nil {
			v[r.round] = f.value(&r.report)
		}
	}
	return v
}

// ratios returns a figure of one server divided by that of another one in the same round, sorted.
func ratios(results []result, m *measurement, f *figure, server, to string) []float64 {
	other := values(results, m, f, to)
	var list []float64
	for round, v := range values(results, m, f, server) {
		if o := other[round]; o > 0 {
			list = append(list, v/o)
		}
	}
	slices.Sort(list)
	return list
}

func medianOf(results []result, m *measurement, f *figure, server string) float64 {
	var list []float64
	for _, v := range values(results, m, f, server) {
		list = append(list, v)
	}
	return median(list)
}

// printLimits prints our ratios with their limits, and reports whether all are kept.
func printLimits(out io.Writer, results []result) (met bool) {
	met = true
	fmt.Fprintln(out, "| what | R | ours | ratio (least to most) | must | goal | Node.js | |\n|---|---|---|---|---|---|---|---|")
	for i := range measurements {
		m := &measurements[i]
		for j := range m.figures {
			f := &m.figures[j]
			to, sign := reference, "R"
			if f.node {
				to, sign = official, "Node.js"
			}
			list := ratios(results, m, f, own, to)
			if len(list) == 0 {
				continue
			}
			ratio := median(list)
			verdict := ""
			switch {
			case f.must == 0:
			case ratio <= f.goal:
				verdict = "goal met"
			case ratio <= f.must:
				verdict = "met"
			default:
				verdict, met = "**missed**", false
			}
			fmt.Fprintf(out, "| %s, %s | %.3g %s | %.3g %s | %.2f (%.2f to %.2f) %s | %s | %s | %s | %s |\n",
				m.name, f.name, medianOf(results, m, f, reference), f.unit, medianOf(results, m, f, own), f.unit,
				ratio, list[0], list[len(list)-1], sign, limit(f.must), limit(f.goal),
				ratioText(ratios(results, m, f, official, reference)), verdict)
		}
	}
	fmt.Fprintln(out)
	return met
}

func limit(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("≤ %.2f", v)
}

func ratioText(list []float64) string {
	if len(list) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", median(list))
}

// printPeers prints the ratios of all servers to the reference.
func printPeers(out io.Writer, results []result) {
	shown := slices.DeleteFunc(slices.Clone(contenders), func(c contender) bool {
		return !slices.ContainsFunc(results, func(r result) bool { return r.server == c.name })
	})
	fmt.Fprint(out, "Ratios to R, medians; in brackets thousands of operations per second\n\n| what |")
	for _, c := range shown {
		fmt.Fprintf(out, " %s |", c.title)
	}
	fmt.Fprintln(out, "\n|---|"+strings.Repeat("---|", len(shown)))
	for i := range measurements {
		m := &measurements[i]
		for j := range m.figures {
			f := &m.figures[j]
			if len(values(results, m, f, reference)) == 0 {
				continue
			}
			fmt.Fprintf(out, "| %s, %s |", m.name, f.name)
			for _, c := range shown {
				if c.name == reference {
					fmt.Fprintf(out, " %.3g %s", medianOf(results, m, f, c.name), f.unit)
				} else {
					fmt.Fprintf(out, " %s", ratioText(ratios(results, m, f, c.name, reference)))
				}
				if rate := throughput(results, m, c.name); rate > 0 && !m.fixed {
					fmt.Fprintf(out, " (%.3g)", rate)
				}
				fmt.Fprint(out, " |")
			}
			fmt.Fprintln(out)
		}
	}
	fmt.Fprintln(out)
}

// throughput returns thousands of operations per second.
func throughput(results []result, m *measurement, server string) float64 {
	var list []float64
	for i := range results {
		if r := &results[i]; r.measurement == m && r.server == server && r.err == nil && r.report.Seconds > 0 {
			list = append(list, float64(r.report.Ops)/r.report.Seconds/1000)
		}
	}
	return median(list)
}

// printOthers prints what is no ratio.
func printOthers(out io.Writer, results []result) {
	for i := range results {
		r := &results[i]
		if r.err != nil || r.server == reference {
			continue
		}
		switch {
		case r.measurement.name == slow:
			fmt.Fprintf(out, "- %s, %s: %d of %d deliveries to the others, %.1f MiB more memory at most\n",
				r.measurement.name, r.server, r.report.Ops, r.report.Expected, float64(r.report.Memory)/(1<<20))
		case r.measurement.name == order:
			remark := ""
			if r.remark != "" {
				remark = "; " + r.remark
			}
			fmt.Fprintf(out, "- %s, %s: %d of %d came back, %d out of order%s\n",
				r.measurement.name, r.server, r.report.Ops, r.report.Expected, r.misplaced, remark)
		case r.server == own && r.report.Goroutines > 0:
			fmt.Fprintf(out, "- %s, round %d: %.2f goroutines each, %d heartbeats answered, %d connections lost; after closing: %s\n",
				r.measurement.name, r.round+1, float64(r.report.Goroutines)/float64(r.report.Ops), r.report.Pings, r.report.Lost,
				strings.TrimSpace(r.last))
		}
	}
	fmt.Fprintln(out)
}

// printMissing prints what could not be measured: peers that failed, and generators that were the bottleneck.
func printMissing(out io.Writer, results []result) {
	busy := make(map[string]int)
	for i := range results {
		r := &results[i]
		if r.err != nil {
			fmt.Fprintf(out, "- %s failed at %s, round %d: %v\n", r.server, r.measurement.name, r.round+1, r.err)
		}
		if r.report.OwnCPU > 0.95 {
			busy[r.measurement.name]++
		}
	}
	for i := range measurements {
		if n := busy[measurements[i].name]; n > 0 {
			fmt.Fprintf(out, "- %s: in %d measurements the generator used more than 0.95 of its processor, so throughput is its own\n",
				measurements[i].name, n)
		}
	}
}
