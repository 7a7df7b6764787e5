package smok

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/backlog"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Update is a sample for a pathpoint: see [Device.Set].
type Update struct {
	Pathpoint *Pathpoint
	Time      time.Time // zero means now
	Value     any       // converted to the pathpoint's type
	Reason    Reason    // of a reading that failed, in place of a value; empty for a value
}

// Set gives the pathpoint a value that was measured at a time; the zero time means now. When it returns nil, the value is
// in the store, as durably as that promises, and will reach the hub.
//
// A value that does not fit the type is an *[OperationFailedError] of [ReasonType], a time further in the future than
// [PathpointSettings.MaxAhead] an *[InvalidArgumentError]. A time that is not after that of the current sample is
// [ErrStale], unless the clock was set back since: of two samples of the same millisecond the first one counts. A store
// without room is a *[QueueFullError], one that fails a *[StoreError]. With an error nothing has changed.
//
// For a computed pathpoint it does nothing.
func (p *Pathpoint) Set(ctx context.Context, at time.Time, v any) error {
	return p.update(ctx, "set", Update{Pathpoint: p, Time: at, Value: v})
}

// SetError records that a reading failed at a time, for a reason that must not be empty. It is as [Pathpoint.Set]
// otherwise.
func (p *Pathpoint) SetError(ctx context.Context, at time.Time, reason Reason) error {
	if reason == "" {
		return smokerr.InvalidArgument("setError", "reason", "is empty", nil)
	}
	return p.update(ctx, "setError", Update{Pathpoint: p, Time: at, Reason: reason})
}

func (p *Pathpoint) update(ctx context.Context, op string, u Update) error {
	if p == nil || p.points == nil {
		return smokerr.InstanceNotReady(op, "pathpoint")
	}
	return p.points.set(ctx, op, []Update{u})
}

// Set gives samples to several pathpoints and stores them together, at the price of one: see [Pathpoint.Set]. Of one
// pathpoint the older ones come first. Samples that cannot be accepted do not keep the others out; the error joins those
// of each. Of those that can, the ones of a storage level are stored all or none.
func (d *Device) Set(ctx context.Context, updates ...Update) error {
	if err := d.allow("set", d.opts.Disable.Pathpoints); err != nil {
		return err
	}
	return d.points.set(ctx, "set", updates)
}

// accepted is a sample that is good and on its way into the store.
type accepted struct {
	p     *Pathpoint
	next  state
	entry store.Entry
	level StorageLevel
	keep  bool // it is worth storing
	err   error
	told  error // of Keep, which did not keep the sample out
}

// set judges samples, stores those that are good, and makes them current.
func (s *points) set(ctx context.Context, op string, updates []Update) error {
	if err := s.allow(op, false); err != nil {
		return err
	}
	var errs []error
	good := make([]Update, 0, len(updates))
	for _, u := range updates {
		switch {
		case u.Pathpoint == nil || u.Pathpoint.points != s:
			errs = append(errs, smokerr.InvalidArgument(op, "Pathpoint", "is not one of this device", nil))
		case u.Pathpoint.formula == nil:
			good = append(good, u)
		}
	}
	list := s.accept(ctx, op, good)
	kept := false
	for i := range list {
		if list[i].err != nil {
			errs = append(errs, list[i].err)
			continue
		}
		kept = kept || list[i].keep
		s.report("pathpoints", list[i].told)
		p := list[i].p
		if does := p.does.Load(); does.OnUpdate != nil {
			s.guard("OnUpdate", func() { does.OnUpdate(p, list[i].next.sample) })
		}
	}
	if kept {
		s.values.task.wake()
	}
	return errors.Join(errs...)
}

// accept judges and stores samples while it holds their pathpoints.
func (s *points) accept(ctx context.Context, op string, updates []Update) []accepted {
	for _, p := range distinct(updates) {
		p.accept.Lock()
		defer p.accept.Unlock()
	}
	m := s.clock.look()
	list := make([]accepted, len(updates))
	newest := make(map[*Pathpoint]*accepted, len(updates)) // of those in the list
	for i, u := range updates {
		a := &list[i]
		a.p = u.Pathpoint
		before := a.p.current()
		if b := newest[a.p]; b != nil {
			before = b.next
		}
		if a.err = a.judge(op, u, before, m); a.err == nil {
			newest[a.p] = a
		}
	}
	s.append(ctx, list)
	for i := range list {
		if list[i].err == nil {
			list[i].p.commit(&list[i])
		}
	}
	return list
}

// distinct returns the pathpoints of updates, each once, always in the same order.
func distinct(updates []Update) []*Pathpoint {
	all := make([]*Pathpoint, 0, len(updates))
	for _, u := range updates {
		all = append(all, u.Pathpoint)
	}
	slices.SortFunc(all, func(a, b *Pathpoint) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(all)
}

// append stores samples: those of a level together.
func (s *points) append(ctx context.Context, list []accepted) {
	for _, permanent := range []bool{true, false} {
		var entries []store.Entry
		for i := range list {
			if a := &list[i]; a.err == nil && a.keep && (a.level == Permanent) == permanent {
				entries = append(entries, a.entry)
			}
		}
		if len(entries) == 0 {
			continue
		}
		err := s.values.backlog.Append(ctx, permanent, entries)
		if err == nil {
			continue
		}
		for i := range list {
			if a := &list[i]; a.err == nil && a.keep && (a.level == Permanent) == permanent {
				a.err = err
			}
		}
	}
}

// The times that a sample can have: those that the store can hold.
var (
	earliest = time.UnixMilli(0)
	latest   = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// judge finds out whether a sample is good, with what comes before it.
func (a *accepted) judge(op string, u Update, before state, m moment) error {
	p := a.p
	s := p.points
	at := u.Time
	if at.IsZero() {
		at = m.wall
	}
	at = millis(at)
	if at.Before(earliest) || at.After(latest) {
		return smokerr.InvalidArgument(op, "time", "is before 1970 or after 2100", nil)
	}
	sample := Sample{Time: at, Reason: u.Reason}
	if u.Reason == "" {
		var err error
		if sample.Value, err = p.coerce(op, u.Value); err != nil {
			return err
		}
	}
	a.next = state{
		sample: sample, known: true, fresh: true, dirty: true,
		epoch: m.epoch, mono: m.mono - m.wall.Sub(at), came: m.mono,
		unset: !m.set && at.Before(s.clock.floor) && !s.opts.Pathpoints.TrustClock,
	}
	if a.next.unset {
		a.next.mono = a.next.mono.Truncate(time.Millisecond) // as it is stored
	}
	if m.set && at.After(m.wall.Add(s.opts.Pathpoints.MaxAhead)) {
		return smokerr.InvalidArgument(op, "time", "is too far in the future", nil)
	}
	if stale(before, a.next) {
		return smokerr.Stale(op, p.name)
	}
	p.mu.Lock()
	stored := p.stored
	a.level = p.level
	p.mu.Unlock()
	a.keep = true
	if does := p.does.Load(); does.Keep != nil && stored != nil && sample.OK() {
		a.told = s.try("Keep", func() error { a.keep = does.Keep(*stored, sample); return nil })
	}
	v := backlog.Value{Path: p.name, Sample: sample}
	if a.next.unset {
		v.Boot, v.Mono = s.values.boot, a.next.mono
	}
	var err error
	a.entry, err = backlog.Entry(&v)
	return err
}

// stale reports whether a sample comes too late to be the current one.
func stale(before, next state) bool {
	switch {
	case !before.known || before.unset != next.unset: // there is nothing to compare
		return false
	case next.unset:
		return next.mono <= before.mono
	}
	return before.epoch == next.epoch && !next.sample.Time.After(before.sample.Time)
}

// commit makes a sample the current one.
func (p *Pathpoint) commit(a *accepted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = a.next
	if a.keep && p.does.Load().Keep != nil {
		p.stored = &a.next.sample
	}
}
