package pikvm_test

import (
	"slices"
	"time"
)

// durations are how long the same thing took time and again.
type durations []time.Duration

func (d *durations) add(took time.Duration) { *d = append(*d, took) }

// fast returns the longest of the fastest tenth.
func (d *durations) fast() time.Duration {
	sorted := slices.Sorted(slices.Values(*d))
	return sorted[len(sorted)/10]
}
