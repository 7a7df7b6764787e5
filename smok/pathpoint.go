package smok

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// StorageLevel says how long the hub keeps the values of a pathpoint. It is a number on the wire; unknown ones are kept.
type StorageLevel = value.Level

// The storage levels.
const (
	Permanent = value.Permanent // for ever
	Trend     = value.Trend     // two weeks
)

// Sample is one reading of a pathpoint: a value, or the reason why there is none. A value is a bool (type B), an int64 (W
// and w), a float64 (f and d) or a string (u). Times are in whole milliseconds.
type Sample = value.Sample

// Advise says how much is to be done for an order to succeed.
type Advise = order.Advise

// The levels of [Advise].
const (
	Advised = order.Advised // try once
	Force   = order.Force   // try again when it fails
)

// PathpointOptions say what a pathpoint does. The zero value is one that only [Pathpoint.Set] gives values to.
type PathpointOptions struct {
	// Read takes a reading, of the type of the pathpoint or one that can be converted to it. It returns nil if the value
	// will be set later, or was set with [Pathpoint.Set]. An *[OperationFailedError] (see [OperationFailed]) is recorded as
	// it is, the end of the context's time as one of [ReasonTimeout], any other error, or a panic, is reported and recorded
	// as one of [ReasonMalformed]. Nil means that it cannot be read: such orders are skipped.
	Read func(ctx context.Context, advise Advise) (any, error)

	// Write sets the pathpoint to a value, which has its type. An error is a failure: with [Force] the executor tries
	// again. The value does not become the pathpoint's own; Write or a later reading may set it. Nil means that it cannot
	// be written: such orders are skipped.
	Write func(ctx context.Context, v any, advise Advise) error

	// Timeout limits one call of Read or Write. Zero means 30s.
	Timeout time.Duration

	// ReadNoOftenThan skips orders to read when the last value is younger. Zero means that none is skipped.
	ReadNoOftenThan time.Duration

	// ReportOnly lets an error of Read that is no *[OperationFailedError] be reported and not recorded.
	ReportOnly bool

	// NoCoerce takes values as they are, without converting them to the type of the pathpoint.
	NoCoerce bool

	// Keep says whether a sample is worth storing: one that is not becomes the current one and goes no further. Previous is
	// the last one that was stored. Failures and the first sample are always stored. It must not call the device. Nil
	// keeps all.
	Keep func(previous, next Sample) bool

	// OnUpdate is told of every sample that was accepted, whether it differs from the one before or not, from the goroutine
	// that brought it and without a lock. Nil tells nobody.
	OnUpdate func(p *Pathpoint, s Sample)

	// OnLevel is told when the hub has changed the storage level. Nil tells nobody.
	OnLevel func(p *Pathpoint, level StorageLevel)
}

func (o *PathpointOptions) check(op string) error {
	switch {
	case o == nil:
		return nil
	case o.Timeout < 0:
		return smokerr.InvalidArgument(op, "Timeout", "is negative", nil)
	case o.ReadNoOftenThan < 0:
		return smokerr.InvalidArgument(op, "ReadNoOftenThan", "is negative", nil)
	}
	return nil
}

// Pathpoint is a named variable of a device: see [Device.Register] and [Device.Pathpoint]. All methods may be called from
// several goroutines at once. The zero value belongs to no device.
type Pathpoint struct {
	points  *points
	name    string
	typ     value.Type
	formula *formula // of a computed pathpoint
	does    atomic.Pointer[behaviour]
	owned   atomic.Bool // the program or its provider has said what it does

	queued atomic.Bool // archiving has asked for a reading that has not ended

	accept sync.Mutex // held while a sample is judged and stored

	mu     sync.Mutex
	level  StorageLevel // what the hub or the program has said last
	asked  StorageLevel // what the program has asked for, at most
	state  state
	stored *Sample // the last one that was stored; nil if there was none or Keep is
}

// behaviour is what a pathpoint does. It is not changed.
type behaviour struct {
	PathpointOptions
	turn chan struct{} // holds the turn of the handlers; nil if there are none
}

// inert is the behaviour of pathpoints that nobody has said anything of.
var inert behaviour

// own says what the pathpoint does, unless that was said before.
func (p *Pathpoint) own(opts *PathpointOptions) bool {
	if !p.owned.CompareAndSwap(false, true) {
		return false
	}
	if opts != nil {
		b := &behaviour{PathpointOptions: *opts}
		if b.Read != nil || b.Write != nil {
			b.turn = make(chan struct{}, 1)
		}
		p.does.Store(b)
	}
	return true
}

// state is what a pathpoint knows of its value.
type state struct {
	sample Sample
	known  bool          // there is a sample
	fresh  bool          // it is of this run of the program, so that mono counts
	unset  bool          // it was taken before the clock was set: mono counts in place of its time
	dirty  bool          // it is not in the last checkpoint
	epoch  uint32        // of the clock when it was taken
	mono   time.Duration // when it was taken
	came   time.Duration // when it was accepted, by the monotonic clock
}

// Name returns the name.
func (p *Pathpoint) Name() string { return p.name }

// Type returns the letter of the type of its values: B, W, w, f, d or u.
func (p *Pathpoint) Type() byte { return byte(p.typ) }

// Computed reports whether it is computed from others.
func (p *Pathpoint) Computed() bool { return p.formula != nil }

// CanRead and CanWrite report whether it has a handler for that.
func (p *Pathpoint) CanRead() bool { return p.does.Load().Read != nil }

// CanWrite reports whether it has a handler for that.
func (p *Pathpoint) CanWrite() bool { return p.does.Load().Write != nil }

// Level returns how long the hub keeps the values.
func (p *Pathpoint) Level() StorageLevel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.level
}

// Get returns the newest sample. Without one, since it was never read, the error is a *[NotReadError], and an
// *[OperationFailedError] if the last reading failed. The value of a computed pathpoint is as old as the newest of its
// constituents.
func (p *Pathpoint) Get() (Sample, error) {
	if p == nil || p.points == nil {
		return Sample{}, smokerr.InstanceNotReady("get", "pathpoint")
	}
	if err := p.points.allow("get", false); err != nil {
		return Sample{}, err
	}
	if p.formula != nil {
		return p.formula.get()
	}
	s := p.current()
	if !s.known {
		return Sample{}, smokerr.NotRead("get", p.name)
	}
	return s.sample, s.sample.Err(p.name)
}

// current returns the state. A sample from before the clock was set gets its time as soon as that is known.
func (p *Pathpoint) current() state {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.unset {
		if m := p.points.clock.look(); m.set {
			p.state.sample.Time = millis(m.zero.Add(p.state.mono))
			p.state.unset, p.state.epoch, p.state.dirty = false, m.epoch, true
		}
	}
	return p.state
}

// age returns how long ago the last good sample came, and false if there was none in this run of the program.
func (p *Pathpoint) age() (time.Duration, bool) {
	s := p.current()
	if !s.known || !s.fresh || !s.sample.OK() {
		return 0, false
	}
	return p.points.clock.look().mono - s.came, true
}

// ask lets the level be at least the given one.
func (p *Pathpoint) ask(level StorageLevel) {
	if p.formula != nil {
		return
	}
	p.mu.Lock()
	asked := value.Combine(p.asked, level)
	changed := asked != p.asked
	p.asked = asked
	if changed {
		p.level = value.Combine(p.level, asked)
	}
	p.mu.Unlock()
	if changed {
		p.points.changed()
	}
}

// millis cuts a time to what the wire has.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()) }
