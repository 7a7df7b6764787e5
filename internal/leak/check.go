package leak

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// label is the profiler label that marks the goroutines of a checked test.
const label = "leak.check"

var checks atomic.Int64

// Check fails t if goroutines that t started, or that those started, still run half a minute after t ended.
// It must be called from the goroutine of t, before whatever it shall watch. Goroutines of other tests do not
// disturb it, so it may be used in parallel tests; functions of [time.AfterFunc] are not seen, [Main] sees them.
//
// Cleanups run last to first: what t.Cleanup registered after Check has already run when Check looks.
func Check(t testing.TB) {
	t.Helper()
	// New goroutines inherit the profiler labels of the goroutine that starts them, over any number of generations.
	id := fmt.Sprintf("%s#%d", t.Name(), checks.Add(1))
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(label, id)))
	t.Cleanup(func() {
		t.Helper()
		pprof.SetGoroutineLabels(context.Background()) // the test's own goroutine still runs
		if left := settle(func() []string { return labelled(id) }); len(left) > 0 {
			t.Errorf("leak: %d kinds of goroutines left:\n\n%s", len(left), strings.Join(left, "\n\n"))
		}
	})
}

// labelled returns the stacks of all goroutines that carry the label id; equal stacks are one entry with a count.
func labelled(id string) []string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return []string{err.Error()}
	}
	var found []string
	mark := strconv.Quote(label) + ":" + strconv.Quote(id)
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(record, mark) {
			found = append(found, strings.TrimSpace(record))
		}
	}
	return found
}
