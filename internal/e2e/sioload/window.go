package main

import (
	"cmp"
	"slices"
	"time"
)

// window is the measured time.
type window struct {
	start       time.Time
	server, own time.Duration // processor time at the start
	pid         int
}

func openWindow(pid int) (window, error) {
	w := window{pid: pid}
	var err error
	if w.server, err = processorTime(pid); err != nil {
		return w, err
	}
	w.own, err = processorTime(self)
	w.start = time.Now()
	return w, err
}

// close returns a report with the times; the work is still to be filled in.
func (w window) close() (report, error) {
	took := time.Since(w.start)
	server, err := processorTime(w.pid)
	if err != nil {
		return report{}, err
	}
	own, err := processorTime(self)
	return report{
		Seconds: took.Seconds(), ServerCPU: server - w.server,
		OwnCPU: float64(own-w.own) / float64(took),
	}, err
}

func quantile[T cmp.Ordered](sorted []T, q float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// spread fills in the latencies.
func spread(r *report, latencies []time.Duration) {
	slices.Sort(latencies)
	r.P50, r.P99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
}
