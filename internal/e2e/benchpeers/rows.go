package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// row is one kind of work, done by all contenders in turns. The first of them is ours.
type row struct {
	name       string
	contenders []contender
	n          int    // messages of a round
	things     string // what they are called
	figure     func(result) float64
	unit       string
	less       bool               // whether less of the figure is better
	targets    map[string]float64 // ratio of our figure to that of a peer
	lean       bool               // whether the allocations of ours are bounded: by none, or by
	most       float64            // so many per message
}

// contender does the work of a row.
type contender struct {
	name string
	// start prepares what all turns share. work does n messages, stop ends it.
	start func() (work func(n int) (result, error), stop func() error, err error)
}

func perSecond(r result) float64 { return float64(r.n) / r.took.Seconds() / 1000 }

func p50(r result) float64 { return float64(median(r.p50s)) / float64(time.Microsecond) }

func p99(r result) float64 { return float64(median(r.p99s)) / float64(time.Microsecond) }

func allocs(r result) float64 { return float64(r.mallocs) / float64(r.n) }

var rows = slices.Concat(managerRows, []row{
	{
		name: "wsconn, batches from a queue, 128 B", contenders: sockets(transmit, 128, libraries...), n: 200_000, things: "messages", lean: true,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 5, "gorilla": 5},
	},
	{
		name: "wsconn, batches from a queue, 4 KiB", contenders: sockets(transmit, 4<<10, libraries...), n: 60_000, things: "messages", lean: true,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 1.8, "gorilla": 0.8},
	},
	{
		name: "wsconn, receive, reused buffer, 128 B", contenders: sockets(receive, 128, libraries...), n: 600_000, things: "messages", lean: true,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 0.9},
	},
	{
		name: "wsconn, receive, reused buffer, 4 KiB", contenders: sockets(receive, 4<<10, libraries...), n: 120_000, things: "messages", lean: true,
		figure: perSecond, unit: "K msg/s", targets: map[string]float64{"coder": 1.3},
	},
	{
		name: "wsconn, echo round trip p50, 128 B", contenders: sockets(roundTrips, 128, libraries...), n: 10_000, things: "messages", lean: true,
		figure: p50, unit: "µs", less: true, targets: map[string]float64{"coder": 1.15},
	},
	batches("one by one", 1, 500),
	batches("batches of 10", 10, 5000),
	batches("batches of 100", 100, 50_000),
	callers("10 callers at once", 10, 5000),
	callers("100 callers at once", 100, 50_000),
	archiving(50_000),
	encoding("orders", orders(), 20_000),
	encoding("samples", samples(), 2000),
	encoding("log", records(), 5000),
	encoding("log with arguments", calls(), 2000),
	encoding("log as a tree", tree(), 2000),
	marshalling("orders", orders(), 20_000),
	marshalling("samples", samples(), 2000),
	marshalling("log", records(), 5000),
	marshalling("log with arguments", calls(), 2000),
	marshalling("log as a tree", tree(), 2000),
	decoding("orders", orders(), 5000),
	decoding("samples", samples(), 500),
	decoding("log", records(), 2000),
	decoding("log with arguments", calls(), 2000),
	decoding("log as a tree", tree(), 2000),
})

// zero is how many allocations per message count as none: those of the connection are spread over all messages.
const zero = 0.05

// run does the rows and checks whose name contains only, prints them, and reports whether all targets were met.
func run(w io.Writer, rounds int, only string) (ok bool, err error) {
	ok = true
	for _, r := range rows {
		if !strings.Contains(r.name, only) {
			continue
		}
		results, err := r.run(rounds)
		if err != nil {
			return false, fmt.Errorf("%s: %w", r.name, err)
		}
		ok = r.print(w, results) && ok
	}
	for _, c := range checks {
		if !strings.Contains(c.name, only) {
			continue
		}
		met, err := c.run(w)
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.name, err)
		}
		ok = ok && met
	}
	return ok, nil
}

// turns is into how many parts the work of a round is cut. The contenders take turns with them, each time beginning
// with another one, so that what else the machine does meets all of them alike.
const turns = 10

// run does the work of a row and returns one result per contender and round.
func (r row) run(rounds int) (map[string][]result, error) {
	work := make([]func(n int) (result, error), len(r.contenders))
	for i, c := range r.contenders {
		do, stop, err := c.start()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		defer stop()
		work[i] = do
	}
	results := make(map[string][]result)
	for range rounds {
		round := make([]result, len(work))
		for turn := range turns {
			for i := range work {
				i = (i + turn) % len(work)
				res, err := work[i](r.n / turns)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", r.contenders[i].name, err)
				}
				round[i] = round[i].plus(res)
			}
		}
		for i, c := range r.contenders {
			results[c.name] = append(results[c.name], round[i])
		}
	}
	return results, nil
}

// print writes the table of a row. Its ratios are our figure divided by that of the peer.
func (r row) print(w io.Writer, results map[string][]result) (ok bool) {
	ok = true
	fmt.Fprintf(w, "%s (%d %s)\n", r.name, r.n, r.things)
	own := medianOf(results[r.contenders[0].name], r.figure)
	for i, c := range r.contenders {
		value := medianOf(results[c.name], r.figure)
		allocs := medianOf(results[c.name], allocs)
		line := fmt.Sprintf("  %-16s %10.1f %-8s %6.2f allocs/msg", c.name, value, r.unit, allocs)
		switch target, set := r.targets[c.name]; {
		case i == 0 && r.lean:
			met := allocs < r.most+zero
			ok = ok && met
			line += fmt.Sprintf("   target at most %.0f allocs/msg: %s", r.most, verdict(met))
		case i == 0:
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
		fmt.Fprintln(w, line)
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

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)))]
}
