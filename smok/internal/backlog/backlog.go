package backlog

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Verdict says what is known of the time of a value that was taken before the clock was set.
type Verdict int

// The verdicts.
const (
	Known Verdict = iota // it is known now
	Later                // it will be known when the clock is set
	Never                // nobody can know it any more
)

// Options configures a [Backlog]. Functions are called without a lock.
type Options struct {
	Store *store.Store // of which Trend, Permanent and Keyed are used

	// Send brings values to the hub. It refuses some for good with an error that says so: see
	// smokerr.ResponseError.Rejected.
	Send func(ctx context.Context, series []api.Series) error

	// Resolve returns when a value was taken whose Boot is not zero.
	Resolve func(v *Value) (time.Time, Verdict)

	// GivenUp is told of a value that will not reach the hub, and why.
	GivenUp func(v Value, err error)

	// Damaged is told of a record that is no value.
	Damaged func(err error)

	BatchValues int           // values in a request; zero means 500
	BatchBytes  int           // bytes in a request, by which a single value may be longer; zero means 256 KiB
	Refusals    int           // values that the hub refuses one after the other before it is left alone for a while; zero means 32
	Retention   int64         // bytes of the log of a level beyond which values are not kept that the hub has
	MaxAge      time.Duration // of values that the hub has and that are kept; zero means that none is

	// Now is the clock that MaxAge is about. Nil means time.Now.
	Now func() time.Time
}

// Backlog keeps values until the hub has them. Append and the readers may be called from several goroutines, [Backlog.Drain]
// from one at a time.
type Backlog struct {
	opts             Options
	trend, permanent *stream
	givenUp          atomic.Int64
	refusals         int // one after the other; of the goroutine in Drain
}

// New returns a backlog of what is in the store.
func New(opts Options) (*Backlog, error) {
	for _, o := range []struct {
		field     *int
		otherwise int
	}{{&opts.BatchValues, 500}, {&opts.BatchBytes, 256 << 10}, {&opts.Refusals, 32}} {
		if *o.field <= 0 {
			*o.field = o.otherwise
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	b := &Backlog{
		opts:      opts,
		trend:     &stream{name: "trend", log: opts.Store.Trend, keyed: opts.Store.Keyed},
		permanent: &stream{name: "permanent", log: opts.Store.Permanent, keyed: opts.Store.Keyed},
	}
	for _, s := range b.streams() {
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// streams returns the logs, the more precious one first.
func (b *Backlog) streams() []*stream { return []*stream{b.permanent, b.trend} }

// Append stores values, all or none. With a nil error they are as safe as the store makes them.
func (b *Backlog) Append(ctx context.Context, permanent bool, entries []store.Entry) error {
	if permanent {
		return b.permanent.append(ctx, entries)
	}
	return b.trend.append(ctx, entries)
}

// Waiting returns how many values the hub does not have, and GivenUp how many it will not have.
func (b *Backlog) Waiting() int64 { return b.trend.waiting() + b.permanent.waiting() }

// GivenUp returns how many values were given up.
func (b *Backlog) GivenUp() int64 { return b.givenUp.Load() }

// Bytes returns the size of the values in the store, with those that the hub has and that are kept.
func (b *Backlog) Bytes() int64 { return b.trend.log.Bytes() + b.permanent.log.Bytes() }

// Save writes down what the hub has.
func (b *Backlog) Save() error {
	var first error
	for _, s := range b.streams() {
		if err := s.save(true); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Trim removes what the hub has and nobody wants to keep.
func (b *Backlog) Trim() error {
	var oldest time.Time
	if b.opts.MaxAge > 0 {
		oldest = b.opts.Now().Add(-b.opts.MaxAge)
	}
	for _, s := range b.streams() {
		if err := s.trim(oldest, b.opts.Retention); err != nil {
			return err
		}
	}
	return nil
}
