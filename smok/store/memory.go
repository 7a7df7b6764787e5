package store

import (
	"cmp"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/store/internal/budget"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// MemoryOptions are the settings of [Memory]. The zero value is good for use; see package diskstore for what each bound
// means.
type MemoryOptions struct {
	MaxValues int64         // bytes of Trend and Permanent together. Zero means 64 MiB
	MaxAge    time.Duration // of values. Zero means 14 days, negative means no bound
	MaxLogs   int64         // bytes of Logs. Zero means 8 MiB
	MaxWrites int64         // bytes of Writes. Zero means 16 MiB
	MaxBlob   int64         // bytes of one blob. Zero means 64 MiB
	MaxBlobs  int64         // bytes of all blobs. Zero means 256 MiB

	// OnReport is told what was dropped, one report at a time. It must not call the store. Nil tells nobody.
	OnReport func(Report)
}

// DefaultMaxAge is the age at which values are given up.
const DefaultMaxAge = 14 * 24 * time.Hour

// Memory returns a store in memory: it is lost when the program ends. Nil options mean the defaults.
func Memory(opts *MemoryOptions) *Store {
	var o MemoryOptions
	if opts != nil {
		o = *opts
	}
	var telling sync.Mutex
	hook := func(area string) func(spool.Report) {
		if o.OnReport == nil {
			return nil
		}
		return func(r spool.Report) {
			telling.Lock()
			defer telling.Unlock()
			o.OnReport(Report{Area: area, Report: r})
		}
	}
	log := func(area string, maxBytes int64, policy spool.Policy, maxAge time.Duration) Log {
		return NewLog(&spool.Options{MaxBytes: maxBytes, Policy: policy, MaxAge: maxAge, OnReport: hook(area)})
	}
	age := cmp.Or(o.MaxAge, DefaultMaxAge)
	trend, permanent := budget.Share(log("trend", -1, spool.Refuse, age), log("permanent", -1, spool.Refuse, age),
		budget.Options{
			MaxBytes: cmp.Or(o.MaxValues, DefaultMaxValues), OnLesser: hook("trend"), OnGreater: hook("permanent"),
		})
	return &Store{
		Trend: trend, Permanent: permanent,
		Events:  log("events", -1, spool.Refuse, 0),
		Logs:    log("logs", cmp.Or(o.MaxLogs, DefaultMaxLogs), spool.DropOldest, 0),
		Writes:  log("writes", cmp.Or(o.MaxWrites, DefaultMaxWrites), spool.DropOldest, 0),
		Journal: log("journal", -1, spool.Refuse, 0),
		State:   log("state", -1, spool.Refuse, 0),
		Keyed:   NewKeyed(),
		Blobs:   NewBlobs(o.MaxBlob, o.MaxBlobs),
	}
}
