package smok

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/backlog"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// values is the area of what pathpoints measure: on its way to the hub, and the newest of each, for after a restart.
type values struct {
	bare
	*host
	points     *points
	boot       uint64 // the number of this run of the program
	backlog    *backlog.Backlog
	task       *task
	checkpoint *task

	newest map[string]Sample // what load could not write; not changed
	owed   []store.Change    // the same, until the checkpoint has written it
}

// ValueStatus is what a device has of the values of its pathpoints.
type ValueStatus struct {
	Waiting int64 // that the hub does not have
	GivenUp int64 // that the hub will not have, in this run of the program: see [PathpointSettings.OnGivenUp]
	Bytes   int64 // in the store, with those that are kept
}

func newValues(h *host) *values {
	v := &values{host: h, boot: max(1, rand.Uint64())}
	v.task = &task{name: "values", every: time.Minute, gather: h.opts.Intervals.Values, run: v.send}
	v.checkpoint = &task{name: "checkpoint", every: h.opts.Intervals.Checkpoint, offline: true, run: v.save}
	return v
}

func (v *values) name() string   { return "values" }
func (v *values) tasks() []*task { return []*task{v.task, v.checkpoint} }

// The area of the keyed store with the current values, by path, and the key of the mark up to which they are right.
const (
	currentArea = "pathpoints.current"
	markArea    = "pathpoints.mark"
	markKey     = "mark"
)

// load takes up the backlog, and what came since the last checkpoint.
func (v *values) load() error {
	retention := v.opts.Pathpoints.Retention
	var err error
	v.backlog, err = backlog.New(backlog.Options{
		Store: v.store, Send: v.upload, Resolve: v.resolve,
		GivenUp: v.givenUp, Damaged: func(err error) { v.report("values", err) },
		Retention: v.opts.Pathpoints.RetentionBytes, MaxAge: retention, Now: v.clock.now,
	})
	if err != nil {
		return err
	}
	var mark backlog.Mark
	if text, err := v.store.Keyed.Get(markArea, markKey); err == nil {
		_ = json.Unmarshal(text, &mark) // a damaged one means everything
	}
	newest := make(map[string]backlog.Value)
	err = v.backlog.Scan(mark, func(n backlog.Value) {
		if before, ok := newest[n.Path]; n.Boot == 0 && (!ok || n.Time.After(before.Time)) {
			newest[n.Path] = n
		}
	})
	if err != nil {
		return err
	}
	changes := make([]store.Change, 0, len(newest))
	for path, n := range newest {
		if before, ok := v.current(path); !ok || n.Time.After(before.Time) {
			changes = append(changes, change(path, n.Sample))
		}
	}
	if err := v.write(changes); err != nil {
		v.report(v.name(), err) // a full disk is no reason not to send what fills it
		v.owed, v.newest = changes, make(map[string]Sample, len(newest))
		for path, n := range newest {
			v.newest[path] = n.Sample
		}
	}
	return nil
}

// change returns the change of the store for a current value.
func change(path string, s Sample) store.Change {
	e, err := backlog.Entry(&backlog.Value{Path: path, Sample: s})
	if err != nil {
		return store.Change{Area: currentArea, Key: path, Delete: true}
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(e.Time.UnixMilli()))
	return store.Change{Area: currentArea, Key: path, Value: append(append(out, e.Tag), e.Payload...)}
}

// current returns the value that was current when the program ended.
func (v *values) current(path string) (Sample, bool) {
	stored, ok := v.stored(path)
	if s, late := v.newest[path]; late && (!ok || s.Time.After(stored.Time)) {
		return s, true
	}
	return stored, ok
}

// stored returns the value of the last checkpoint.
func (v *values) stored(path string) (Sample, bool) {
	text, err := v.store.Keyed.Get(currentArea, path)
	if err != nil || len(text) < 9 {
		if err != nil && !errors.Is(err, smokerr.ErrNotFound) {
			v.report("values", err)
		}
		return Sample{}, false
	}
	r := store.Record{Time: time.UnixMilli(int64(binary.LittleEndian.Uint64(text))), Tag: text[8], Payload: text[9:]}
	n, err := backlog.Decode(&r)
	if err != nil || n.Path != path || n.Boot != 0 {
		v.report("values", smokerr.Corrupt("load", "values", err))
		return Sample{}, false
	}
	return n.Sample, true
}

// write makes changes of current values, some at a time.
func (v *values) write(changes []store.Change) error {
	const some = 1000
	for len(changes) > 0 {
		n := min(some, len(changes))
		if err := v.store.Keyed.Apply(changes[:n]...); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// save writes down the current values that changed. With the mark, what came before it need not be read again.
func (v *values) save(context.Context) error {
	if err := v.backlog.Trim(); err != nil {
		return err
	}
	mark := v.backlog.Mark()
	changes := slices.Clone(v.owed)
	saved := make(map[*Pathpoint]time.Time)
	for _, p := range v.points.all() {
		p.accept.Lock() // so that what is before the mark is current
		s := p.current()
		p.accept.Unlock()
		if s.dirty && !s.unset {
			changes = append(changes, change(p.name, s.sample))
			saved[p] = s.sample.Time
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := v.write(changes); err != nil {
		return err
	}
	v.owed = nil
	for p, at := range saved {
		p.mu.Lock()
		p.state.dirty = !p.state.sample.Time.Equal(at) // another one may have come
		p.mu.Unlock()
	}
	text, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	return v.store.Keyed.Apply(store.Change{Area: markArea, Key: markKey, Value: text})
}

// send brings to the hub what it does not have.
func (v *values) send(ctx context.Context) error { return v.backlog.Drain(ctx) }

func (v *values) upload(ctx context.Context, series []api.Series) error {
	return v.api.UploadValues(ctx, series)
}

// resolve finds out when a value was taken that came before the clock was set.
func (v *values) resolve(n *backlog.Value) (time.Time, backlog.Verdict) {
	m := v.clock.look()
	switch {
	case n.Boot != v.boot:
		return time.Time{}, backlog.Never
	case !m.set:
		return time.Time{}, backlog.Later
	}
	return millis(m.zero.Add(n.Mono)), backlog.Known
}

func (v *values) givenUp(n backlog.Value, err error) {
	v.report("values", err)
	if v.opts.Pathpoints.OnGivenUp != nil {
		v.guard("OnGivenUp", func() { v.opts.Pathpoints.OnGivenUp(n.Path, n.Sample, err) })
	}
}

// flush sends what there is, and writes everything down.
func (v *values) flush(ctx context.Context) error {
	var errs []error
	if v.online() {
		if err := v.backlog.Drain(ctx); err != nil {
			errs = append(errs, smokerr.Sync("shutdown", "values", err))
		}
	}
	return errors.Join(append(errs, v.save(ctx), v.backlog.Save())...)
}

func (v *values) status(s *Status) {
	s.Values = ValueStatus{Waiting: v.backlog.Waiting(), GivenUp: v.backlog.GivenUp(), Bytes: v.backlog.Bytes()}
}
