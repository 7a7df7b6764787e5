package smok

import (
	"cmp"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Intervals says how often a device does what it does on its own. Each is the time from the end of one run to the
// beginning of the next, give or take 10 %. Zero means the default.
type Intervals struct {
	// Values is how long a value waits for others before it is sent. Zero means 1s.
	Values time.Duration

	// Definitions is how often the hub is asked for the storage levels of the pathpoints, beside every change of the
	// device's own. Zero means 1h.
	Definitions time.Duration

	// Checkpoint is how often the current values of pathpoints are written down, so that they are known after a restart.
	// Those that the hub does not have yet are known anyway. Zero means 5min.
	Checkpoint time.Duration

	// Archives is how often the hub is asked which pathpoints to read. Zero means 10min.
	Archives time.Duration
}

// each calls fn with every interval, its name and its default.
func (i *Intervals) each(fn func(name string, interval *time.Duration, otherwise time.Duration)) {
	fn("Values", &i.Values, time.Second)
	fn("Definitions", &i.Definitions, time.Hour)
	fn("Checkpoint", &i.Checkpoint, 5*time.Minute)
	fn("Archives", &i.Archives, 10*time.Minute)
}

func (i *Intervals) check() (err error) {
	i.each(func(name string, interval *time.Duration, _ time.Duration) {
		if *interval < 0 {
			err = smokerr.InvalidArgument("new", "Intervals."+name, "is negative", nil)
		}
	})
	return err
}

func (i *Intervals) fill() {
	i.each(func(_ string, interval *time.Duration, otherwise time.Duration) {
		*interval = cmp.Or(*interval, otherwise)
	})
}
