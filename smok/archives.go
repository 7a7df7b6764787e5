package smok

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// archives is the area of archiving: the hub says which pathpoints are to be read at which intervals, and the device reads
// them, with or without the hub.
type archives struct {
	bare
	*host
	points  *points
	list    *task // fetches what is to be read
	reader  *task // reads
	plan    *readingPlan
	unsaved bool // the store does not have the list; of the goroutine that fetches
}

// The key of the list in the keyed store.
const (
	archivesArea = "archives"
	archivesKey  = "list"
)

func newArchives(h *host, points *points, watch *clockWatch) *archives {
	a := &archives{host: h, points: points}
	a.plan = newReadingPlan(h)
	a.list = &task{name: "archives", every: h.opts.Intervals.Archives, run: a.fetch}
	a.reader = &task{name: "archiving", due: a.plan.wait, offline: true, run: a.read}
	if h.opts.AlignArchives {
		watch.onStep(func() {
			a.plan.realign()
			a.reader.wake()
		})
	}
	return a
}

func (a *archives) name() string   { return "archives" }
func (a *archives) tasks() []*task { return []*task{a.list, a.reader} }

// load takes up the list of the last fetch.
func (a *archives) load() error {
	text, err := a.store.Keyed.Get(archivesArea, archivesKey)
	if err != nil {
		if !errors.Is(err, smokerr.ErrNotFound) {
			a.report(a.name(), err)
		}
		return nil // the hub sends it again
	}
	var list []api.ArchiveEntry
	if err := json.Unmarshal(text, &list); err != nil {
		a.report(a.name(), smokerr.Corrupt("load", "archives", err))
		return nil
	}
	a.plan.replace(list)
	return nil
}

// fetch asks the hub for the list.
func (a *archives) fetch(ctx context.Context) error {
	list, err := a.api.ArchiveList(ctx)
	if err != nil {
		return err
	}
	if a.plan.replace(list) {
		a.unsaved = true
		a.reader.wake()
	}
	if !a.unsaved {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	err = a.store.Keyed.Apply(store.Change{Area: archivesArea, Key: archivesKey, Value: text})
	a.unsaved = err != nil
	return err
}

// read lets be read what is due. What cannot be read now is read at its next turn.
func (a *archives) read(context.Context) error {
	var section Section
	var taken []*reading
	for _, r := range a.plan.due() {
		p, err := a.points.get("archives", r.path, Permanent)
		if err != nil {
			if !r.told && !errors.Is(err, smokerr.ErrNotFound) {
				a.report(a.name(), err)
				r.told = true
			}
			continue
		}
		if r.busy() {
			continue // the reading before is not done; nothing is queued behind it
		}
		if wait := a.tooYoung(p, r.interval); wait > 0 {
			a.plan.postpone(r, wait)
			continue
		}
		r.point = p
		p.queued.Store(true)
		section.Orders = append(section.Orders, Order{Type: OrderRead, Path: r.path})
		taken = append(taken, r)
	}
	if len(taken) == 0 {
		return nil
	}
	handle, err := a.exec.Submit(&executor.Submission{Lane: executor.Archive, Sections: []Section{section}})
	if err != nil {
		for _, r := range taken {
			r.point.queued.Store(false)
		}
		if a.closing.Load() {
			return nil
		}
		a.report(a.name(), err)
		return nil
	}
	for _, r := range taken {
		r.handle = handle
	}
	return nil
}

// tooYoung returns how long it is until a value that came from elsewhere is as old as the interval. Aligned readings are
// left out only if it is fresher than half of it.
func (a *archives) tooYoung(p *Pathpoint, interval time.Duration) time.Duration {
	age, ok := p.age()
	switch {
	case !ok:
		return 0
	case a.opts.AlignArchives && age >= interval/2:
		return 0
	}
	if rest := interval - age; rest > slack(interval) {
		return rest
	}
	return 0
}

func (a *archives) status(s *Status) { s.Archived = a.plan.len() }
