package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// row is one kind of work, done by all libraries in turns.
type row struct {
	name    string
	work    func(l library, n, size int) (result, error)
	n, size int
	figure  func(result) float64 // what is compared
	unit    string
	less    bool // whether less of it is better
	targets map[string]float64
}

func perSecond(r result) float64 { return float64(r.n) / r.took.Seconds() / 1000 }

func p50(r result) float64 { return float64(median(r.p50s)) / float64(time.Microsecond) }

func allocs(r result) float64 { return float64(r.mallocs) / float64(r.n) }

var rows = []row{
	{
		name: "transmit, queued, 128 B", work: transmit, n: 200_000, size: 128,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 5, "gorilla": 5},
	},
	{
		name: "transmit, queued, 4 KiB", work: transmit, n: 60_000, size: 4 << 10,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 1.8, "gorilla": 0.8},
	},
	{
		name: "receive, reused buffer, 128 B", work: receive, n: 600_000, size: 128,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 0.9},
	},
	{
		name: "receive, reused buffer, 4 KiB", work: receive, n: 120_000, size: 4 << 10,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 1.3},
	},
	{
		name: "echo round trip p50, 128 B", work: roundTrips, n: 10_000, size: 128,
		figure: p50, unit: "µs", less: true, targets: map[string]float64{"coder": 1.15},
	},
}

// zero is how many allocations per message count as none: those of the connection are spread over all messages.
const zero = 0.05

// run does the rows whose name contains only, prints them, and reports whether all targets were met.
func run(w io.Writer, rounds int, only string) (ok bool, err error) {
	ok = true
	for _, r := range rows {
		if !strings.Contains(r.name, only) {
			continue
		}
		results := make(map[string][]result)
		for range rounds {
			round, err := r.round()
			if err != nil {
				return false, fmt.Errorf("%s: %w", r.name, err)
			}
			for name, res := range round {
				results[name] = append(results[name], res)
			}
		}
		ok = r.print(w, results) && ok
	}
	return ok, nil
}

// turns is into how many parts the work of a round is cut. The libraries take turns with them, so that what else
// the machine does meets all of them alike.
const turns = 10

// round does the work of a row once per library.
func (r row) round() (map[string]result, error) {
	round := make(map[string]result)
	for range turns {
		for _, l := range libraries {
			res, err := r.work(l, r.n/turns, r.size)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.name(), err)
			}
			round[l.name()] = round[l.name()].plus(res)
		}
	}
	return round, nil
}

// print writes the table of a row. Its ratios are wsconn's figure divided by that of the peer.
func (r row) print(w io.Writer, results map[string][]result) (ok bool) {
	ok = true
	fmt.Fprintf(w, "%s (%d messages)\n", r.name, r.n)
	own := medianOf(results["wsconn"], r.figure)
	for _, l := range libraries {
		name := l.name()
		value := medianOf(results[name], r.figure)
		allocs := medianOf(results[name], allocs)
		line := fmt.Sprintf("  %-8s %10.1f %-8s %6.2f allocs/msg", name, value, r.unit, allocs)
		switch target, set := r.targets[name]; {
		case name == "wsconn":
			met := allocs < zero
			ok = ok && met
			line += fmt.Sprintf("   target 0 allocs/msg: %s", verdict(met))
		case set:
			met := own/value >= target
			sign := "at least"
			if r.less {
				met = own/value <= target
				sign = "at most"
			}
			ok = ok && met
			line += fmt.Sprintf("   ratio %5.2f, target %s %.2f: %s", own/value, sign, target, verdict(met))
		default:
			line += fmt.Sprintf("   ratio %5.2f", own/value)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(w)
	return ok
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

func medianOf(results []result, figure func(result) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = figure(r)
	}
	return median(values)
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
