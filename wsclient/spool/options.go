package spool

import (
	"log/slog"
	"math"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// SyncPolicy says when an appended record is safe from a power cut. A record is safe from the end of the process,
// however it ends, as soon as [Spool.Append] has returned, under every policy.
type SyncPolicy int

const (
	// SyncAlways syncs before Append returns; appends that run at the same time share one sync. What Append accepted
	// survives a power cut.
	SyncAlways SyncPolicy = iota
	// SyncEvery syncs [Options.SyncInterval] after the first append that is not synced yet. A power cut takes at most
	// what was accepted in that time.
	SyncEvery
	// SyncNone leaves the time to the operating system, except at the end of a segment, in [Spool.Sync] and in
	// [Spool.Close].
	SyncNone
)

// String returns "always", "every" or "none".
func (p SyncPolicy) String() string { return name(p, "always", "every", "none") }

// Policy says what happens to a record for which there is no room.
type Policy int

const (
	// Refuse returns a *[QueueFullError] and changes nothing.
	Refuse Policy = iota
	// Block waits for room until the context of the call is done.
	Block
	// DropOldest removes as many of the oldest records as needed, counts and reports them.
	DropOldest
	// DropNewest drops the record, counts and reports it, and returns a *[QueueFullError]: only a record that is
	// stored gives a nil error.
	DropNewest
)

// String returns "refuse", "block", "drop-oldest" or "drop-newest".
func (p Policy) String() string { return name(p, "refuse", "block", "drop-oldest", "drop-newest") }

func name[T ~int](v T, names ...string) string {
	if v < 0 || int(v) >= len(names) {
		return "unknown"
	}
	return names[v]
}

// Options are the settings of a [Spool]. The zero value is good for use.
type Options struct {
	// Sync says when a record is safe from a power cut. Zero means SyncAlways.
	Sync SyncPolicy

	// SyncInterval is the time of SyncEvery. Zero means 200 ms.
	SyncInterval time.Duration

	// MaxBytes bounds the records on the disk, each with its 24 bytes of frame. Beside them the directory holds what
	// is removed but still shares a segment with a record, and what is quarantined. Zero means 256 MiB, negative
	// means no bound.
	MaxBytes int64

	// MaxRecords bounds the number of records. Zero and negative mean no bound.
	MaxRecords int64

	// MaxAge is the age at which a record expires: it is dropped when it is the oldest and somebody reads or needs the
	// room. The age is taken from the wall clock; a record from before the year 2020, when the clock was not set yet,
	// does not expire. Zero and negative mean no bound.
	MaxAge time.Duration

	// Policy says what happens when there is no room. Zero means Refuse.
	Policy Policy

	// SegmentBytes is the size at which a segment file ends. A smaller one gives room back sooner and costs more
	// syncs. Zero means 4 MiB; the least is 4 KiB.
	SegmentBytes int64

	// QuarantineBytes bounds what is kept of quarantined records and damaged places; when it is passed, the oldest of
	// them go. Zero means 1 MiB, negative means that only their numbers are kept.
	QuarantineBytes int64

	// CursorInterval is the longest time for which a removal is not written down, to spare the flash: after a crash,
	// the records removed in that time come again. Sync and Close write at once. Zero means 1 s.
	CursorInterval time.Duration

	// OnReport is told of everything that is lost, damaged or set aside, in order and one at a time, from the
	// goroutine that came upon it. It may block and may use the spool, but must not close it. Losses of a full spool
	// come together, at most once a second. Nil means that only [Stats] count them.
	OnReport func(Report)

	// Logger gets what OnReport gets, as warnings. Nil discards.
	Logger *slog.Logger
}

const (
	defaultSyncInterval    = 200 * time.Millisecond
	defaultMaxBytes        = 256 << 20
	defaultSegmentBytes    = 4 << 20
	minSegmentBytes        = 4 << 10
	defaultQuarantineBytes = 1 << 20
	defaultCursorInterval  = time.Second
	// cursorStep is how many bytes may be removed before the cursor is written, whatever the time.
	cursorStep = 1 << 20
	// maxGroup bounds the bytes that are written at once, so that memory stays bounded.
	maxGroup = 1 << 20
)

// resolve checks opts and fills in the defaults.
func resolve(opts *Options) (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	for _, bad := range []struct {
		is    bool
		field string
	}{
		{o.Sync < SyncAlways || o.Sync > SyncNone, "Sync"},
		{o.SyncInterval < 0, "SyncInterval"},
		{o.Policy < Refuse || o.Policy > DropNewest, "Policy"},
		{o.SegmentBytes != 0 && o.SegmentBytes < minSegmentBytes, "SegmentBytes"},
		{o.MaxBytes > 0 && o.MaxBytes < minSegmentBytes, "MaxBytes"},
		{o.CursorInterval < 0, "CursorInterval"},
	} {
		if bad.is {
			return o, wserr.Config("spool.open", bad.field, "out of range")
		}
	}
	o.SyncInterval = orDefault(o.SyncInterval, defaultSyncInterval)
	o.SegmentBytes = orDefault(o.SegmentBytes, defaultSegmentBytes)
	o.QuarantineBytes = orDefault(o.QuarantineBytes, defaultQuarantineBytes)
	o.CursorInterval = orDefault(o.CursorInterval, defaultCursorInterval)
	o.MaxBytes = orDefault(o.MaxBytes, defaultMaxBytes)
	if o.MaxBytes < 0 {
		o.MaxBytes = math.MaxInt64
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = math.MaxInt64
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func orDefault[T ~int64](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}
