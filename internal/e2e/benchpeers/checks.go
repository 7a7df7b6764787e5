package main

import (
	"fmt"
	"io"
)

// check is a figure of a Manager with a limit of its own, since there is nothing to compare it with.
type check struct {
	name    string
	measure func() (float64, error)
	unit    string
	most    float64 // 0: no limit, the figure is there for comparison
}

var checks = []check{
	{"goroutines of a connected manager", connectedGoroutines(false), "", 4},
	{"goroutines of a connected manager with queue, handler, hooks", connectedGoroutines(true), "", 4},
	{"goroutines of a manager without connection", downGoroutines, "", 2},
	{"goroutines of a closed manager", closedGoroutines, "", 0.001},
	{"heap of an idle connected manager", idleHeap(direct), "KiB", 40},
	{"heap of an idle connection of coder", idleHeap(coderLibrary{}), "KiB", 0},
	{"from a reset to the next connection, p99", resetToConnected, "ms", 20},
	{"processor time of a manager without connection", downTime, "% of a core", 0.1},
}

// run measures and prints, and reports whether the limit was kept.
func (c check) run(w io.Writer) (ok bool, err error) {
	value, err := c.measure()
	if err != nil {
		return false, err
	}
	ok = c.most == 0 || value <= c.most
	fmt.Fprintf(w, "%-62s %8.3f %s", c.name, value, c.unit)
	if c.most > 0 {
		fmt.Fprintf(w, "   target at most %g: %s", c.most, verdict(ok))
	}
	fmt.Fprintln(w)
	return ok, nil
}
