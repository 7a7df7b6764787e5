package diskstore

import (
	"cmp"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore"
)

// Options are the settings of [Open]. The zero value is good for use.
type Options struct {
	// FlushInterval is how long values may wait for a sync, to spare the flash: a power cut then takes at most the values
	// of that time, and values that were removed in that time come again. Zero means that each append is synced before it
	// returns; appends at the same time share a sync. Events, orders and all other parts are always synced, except log
	// records, once a second.
	FlushInterval time.Duration

	// MaxValues bounds the values that wait for the hub, in bytes, Trend and Permanent together. When there is no room,
	// the oldest of Trend are dropped, and when it has none, the oldest of Permanent; a trend value for which that does
	// not make room is refused with a *smok.QueueFullError. What is lost is reported. Zero means 64 MiB.
	MaxValues int64

	// MaxAge is the age at which values are given up. Those from before the year 2020, when the clock was not set yet, are
	// not. Zero means 14 days, negative means no bound.
	MaxAge time.Duration

	MaxLogs   int64 // bytes of log records; the oldest are dropped and reported. Zero means 8 MiB
	MaxWrites int64 // bytes of the audit of sensor writes; the oldest are dropped and reported. Zero means 16 MiB
	MaxKeyed  int64 // bytes of keyed state; more is refused. Zero means 32 MiB
	MaxBlob   int64 // bytes of one blob; more is refused. Zero means 64 MiB
	MaxBlobs  int64 // bytes of all blobs; more is refused. Zero means 256 MiB

	// OnReport is told of everything that is lost, damaged or set aside, one report at a time, from the goroutine that came
	// upon it. It must not call the store. Nil tells nobody.
	OnReport func(store.Report)

	// Logger gets what OnReport gets, as warnings. Nil discards.
	Logger *slog.Logger
}

// minValues is the least bound of a log.
const minValues = 4 << 10

func resolve(opts *Options) (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.MaxValues = cmp.Or(o.MaxValues, store.DefaultMaxValues)
	o.MaxAge = cmp.Or(o.MaxAge, store.DefaultMaxAge)
	o.MaxLogs = cmp.Or(o.MaxLogs, store.DefaultMaxLogs)
	o.MaxWrites = cmp.Or(o.MaxWrites, store.DefaultMaxWrites)
	o.MaxKeyed = cmp.Or(o.MaxKeyed, boltstore.DefaultMaxBytes)
	o.MaxBlob = cmp.Or(o.MaxBlob, store.DefaultMaxBlob)
	o.MaxBlobs = cmp.Or(o.MaxBlobs, store.DefaultMaxBlobs)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if tell := o.OnReport; tell != nil {
		var telling sync.Mutex
		o.OnReport = func(r store.Report) {
			telling.Lock()
			defer telling.Unlock()
			tell(r)
		}
	}
	for _, bound := range []struct {
		field string
		value int64
		least int64
	}{
		{"FlushInterval", int64(o.FlushInterval), 0},
		{"MaxValues", o.MaxValues, minValues},
		{"MaxLogs", o.MaxLogs, minValues},
		{"MaxWrites", o.MaxWrites, minValues},
		{"MaxKeyed", o.MaxKeyed, 1},
		{"MaxBlob", o.MaxBlob, 1},
		{"MaxBlobs", o.MaxBlobs, 1},
	} {
		if bound.value < bound.least {
			return o, smokerr.InvalidArgument("store.open", bound.field, "too small", nil)
		}
	}
	return o, nil
}

// report hands a report on.
func (o *Options) report(r store.Report) {
	o.Logger.Warn("store", "module", "smok", "report", r.String())
	if o.OnReport != nil {
		o.OnReport(r)
	}
}
