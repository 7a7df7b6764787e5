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

	// Info, Sensors, Predicates and BAOBs are how often the hub is asked for these. Zero means 1h, 5min, 5min and 1h.
	Info, Sensors, Predicates, BAOBs time.Duration

	// Ticks is how often each predicate looks at the device, exactly. Zero means 60s.
	Ticks time.Duration

	// Events, SensorWrites and Metadata are how often what the hub is to have is looked for, beside the moment when it
	// comes, which is when it is sent. Zero means 60s.
	Events, SensorWrites, Metadata time.Duration

	// Orders is how often the hub is asked for orders, unless they come over the order link. Zero means 60s.
	Orders time.Duration

	// Macros is how often the hub is asked for macros. Zero means 5min.
	Macros time.Duration
}

// each calls fn with every interval, its name and its default.
func (i *Intervals) each(fn func(name string, interval *time.Duration, otherwise time.Duration)) {
	fn("Values", &i.Values, time.Second)
	fn("Definitions", &i.Definitions, time.Hour)
	fn("Checkpoint", &i.Checkpoint, 5*time.Minute)
	fn("Archives", &i.Archives, 10*time.Minute)
	fn("Info", &i.Info, time.Hour)
	fn("Sensors", &i.Sensors, 5*time.Minute)
	fn("Predicates", &i.Predicates, 5*time.Minute)
	fn("BAOBs", &i.BAOBs, time.Hour)
	fn("Ticks", &i.Ticks, time.Minute)
	fn("Events", &i.Events, time.Minute)
	fn("SensorWrites", &i.SensorWrites, time.Minute)
	fn("Metadata", &i.Metadata, time.Minute)
	fn("Orders", &i.Orders, time.Minute)
	fn("Macros", &i.Macros, 5*time.Minute)
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
