// Package logship takes the log records of a program and sends them to the hub: a [slog.Handler] that never blocks, a
// bounded queue, and batches for an upload that its owner gives it. It has no goroutine: whoever owns the [Queue] calls
// [Queue.Wait] and [Queue.Ship] in turn.
package logship

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Config configures a [Queue]. Upload is needed; for everything else the zero value fits.
type Config struct {
	// Upload sends a batch. It is called by the goroutine of [Queue.Ship]. Records that are logged with its context do
	// not come back into the queue. A [smokerr.ResponseError] that says Rejected means that the hub will never take the
	// batch; after any other error it stays in the queue.
	Upload func(ctx context.Context, records []api.LogRecord) error

	// Service tells several programs of one device apart.
	Service string

	// Level is the least level that is taken. Nil means [slog.LevelInfo].
	Level slog.Leveler

	// JSON writes the attributes of a record behind its message as a JSON object, and not as key=value.
	JSON bool

	// ReplaceAttr may change or, by the zero Attr, drop an attribute before it is written, as that of
	// [slog.HandlerOptions] does. It does not get time, level and message. It must not log.
	ReplaceAttr func(groups []string, a slog.Attr) slog.Attr

	// Secrets are texts that must not leave the device. They become "***" wherever they appear.
	Secrets []string

	// MaxRecords and MaxBytes bound what waits in memory. The oldest records go first. Zero means 20,000 records and
	// 8 MiB.
	MaxRecords int
	MaxBytes   int64

	// BatchRecords and BatchBytes bound one upload; the bytes are those of the body. One record of any length is always
	// sent. Zero means 500 records and 512 KiB.
	BatchRecords int
	BatchBytes   int

	// BatchDelay is how long the first record waits for more. Zero means 1s.
	BatchDelay time.Duration

	// OnReady is called when there is something to send, instead of what [Queue.Wait] does about it: after the first record
	// and after those that complete a batch. It is called by whoever logs, so it must not block nor log. Nil means nobody.
	OnReady func()

	// OnReject is told of each record that the hub will never take, by the goroutine of [Queue.Ship]. Nil means nobody.
	OnReject func(api.LogRecord, error)
}

func (c Config) withDefaults() (Config, error) {
	if c.Upload == nil {
		return c, invalid("Upload", "missing")
	}
	if c.Level == nil {
		c.Level = slog.LevelInfo
	}
	if c.OnReady == nil {
		c.OnReady = func() {}
	}
	if c.OnReject == nil {
		c.OnReject = func(api.LogRecord, error) {}
	}
	for _, limit := range []struct {
		field string
		value *int
		zero  int
	}{
		{"MaxRecords", &c.MaxRecords, 20_000}, {"BatchRecords", &c.BatchRecords, 500}, {"BatchBytes", &c.BatchBytes, 512 << 10},
	} {
		if *limit.value == 0 {
			*limit.value = limit.zero
		}
		if *limit.value < 0 {
			return c, invalid(limit.field, "negative")
		}
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 8 << 20
	}
	if c.BatchDelay == 0 {
		c.BatchDelay = time.Second
	}
	switch {
	case c.MaxBytes < 0:
		return c, invalid("MaxBytes", "negative")
	case c.BatchDelay < 0:
		return c, invalid("BatchDelay", "negative")
	}
	return c, nil
}

func invalid(field, reason string) error { return smokerr.InvalidArgument("logs", field, reason, nil) }

// Stats are the numbers of a [Queue].
type Stats struct {
	Queued   int    // records that wait
	Bytes    int64  // that they take, about
	Shipped  uint64 // records that the hub has, those about dropped ones included
	Dropped  uint64 // records that found no room
	Rejected uint64 // records that the hub did not want
}

// Queue holds log records until the hub has them. Its handlers may be used from several goroutines; Wait, Ship and Flush
// are for the one that owns it.
type Queue struct {
	cfg  Config
	wake chan struct{} // there are records, or a batch of them

	mu       sync.Mutex
	records  []api.LogRecord // oldest first; Message and ExceptionText as they are, not yet encoded
	first    uint64          // number of records[0]
	bytes    int64
	when     int64  // of the last record, in microseconds
	inFlight uint64 // records below this number may be on their way
	sending  int    // records that were dropped while they were being sent: maybe not lost
	unsaid   int    // records that were dropped, and the hub does not know
	lastLost int64  // when of the last one dropped
	stats    Stats
}

// New returns an empty queue.
func New(cfg Config) (*Queue, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Queue{cfg: cfg, wake: make(chan struct{}, 1)}, nil
}

// Handler returns a handler for a logger of the program. It takes every record of the level and above, in microseconds:
// when there is no room the oldest ones go, and the hub is told how many.
//
// The attributes stand behind the message. The first one that is an error becomes the exception text, together with one
// of the name "stack". Values are resolved at once, so they may change later. Attributes whose names speak of secrets
// (password, token, key and the like) are "***", and so is what looks like one in a text.
func (q *Queue) Handler() slog.Handler { return &handler{queue: q} }

// Stats returns the numbers as they are now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Queued, s.Bytes = len(q.records), q.bytes
	return s
}

// overhead is what a record takes in memory beside its texts, about.
const overhead = 128

func sizeOf(r *api.LogRecord) int64 { return int64(len(r.Message)+len(r.ExceptionText)) + overhead }

// add appends a record and makes room for it.
func (q *Queue) add(at time.Time, r api.LogRecord) {
	size := sizeOf(&r)
	q.mu.Lock()
	q.when = max(at.UnixMicro(), q.when+1)
	r.When = time.UnixMicro(q.when)
	q.records = append(q.records, r)
	q.bytes += size
	for len(q.records) > q.cfg.MaxRecords || q.bytes > q.cfg.MaxBytes && len(q.records) > 1 {
		q.drop()
	}
	waiting := len(q.records)
	ready := waiting == 1 || waiting >= q.cfg.BatchRecords || q.bytes >= int64(q.cfg.BatchBytes)
	q.mu.Unlock()
	if ready {
		select {
		case q.wake <- struct{}{}:
		default:
		}
		q.cfg.OnReady()
	}
}

// drop removes the oldest record. mu is held.
func (q *Queue) drop() {
	if q.first < q.inFlight {
		q.sending++
	} else {
		q.unsaid++
	}
	q.stats.Dropped++
	q.lastLost = q.records[0].When.UnixMicro()
	q.remove(1)
}

// remove takes the n oldest records out. mu is held.
func (q *Queue) remove(n int) {
	for i := range n {
		q.bytes -= sizeOf(&q.records[i])
		q.records[i] = api.LogRecord{} // lets go of the texts
	}
	q.records = q.records[n:]
	q.first += uint64(n)
}
