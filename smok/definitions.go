package smok

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// levelArea is where the storage levels are kept that the hub has set, by path.
const levelArea = "pathpoints.levels"

// changed lets the hub know of what pathpoints there are.
func (s *points) changed() { s.task.wake() }

// all returns the native pathpoints.
func (s *points) all() []*Pathpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Pathpoint, 0, len(s.named))
	for _, p := range s.named {
		all = append(all, p)
	}
	return all
}

// build makes a native pathpoint, with the value and the level that the store has of it.
func (s *points) build(name string, level StorageLevel) (*Pathpoint, error) {
	typ, err := value.TypeOf(name)
	if err != nil {
		return nil, smokerr.InvalidArgument("pathpoint", "name", "is no name of a pathpoint", err)
	}
	p := &Pathpoint{points: s, name: name, typ: typ, level: level, asked: level}
	p.does.Store(&inert)
	var known StorageLevel
	if text, err := s.store.Keyed.Get(levelArea, name); err == nil && json.Unmarshal(text, &known) == nil {
		p.level = known
	}
	if sample, ok := s.values.current(name); ok {
		m := s.clock.look()
		p.state = state{sample: sample, known: true, epoch: m.epoch}
		if sample.Time.After(m.wall.Add(clockStep)) {
			p.state.epoch-- // the clock was set back while the program did not run
		}
	}
	return p, nil
}

// sync tells the hub all native pathpoints, and takes from it their levels, and those that it knows beside them.
func (s *points) sync(ctx context.Context) error {
	all := s.all()
	defs := make([]api.PathpointDef, len(all))
	sent := make(map[*Pathpoint]StorageLevel, len(all))
	for i, p := range all {
		sent[p] = p.Level()
		defs[i] = api.PathpointDef{Path: p.name, StorageLevel: int(sent[p])}
	}
	answer, err := s.api.SyncPathpoints(ctx, defs)
	if err != nil {
		if response, ok := errors.AsType[*smokerr.ResponseError](err); ok && response.Rejected() {
			s.report("pathpoints", err)
			return nil // the same list would be refused again
		}
		return err
	}
	for _, def := range answer {
		if value.IsReparse(def.Path) {
			continue
		}
		level := StorageLevel(def.StorageLevel)
		p := s.known(def.Path)
		if p == nil {
			if p, err = s.get("sync", def.Path, level); err != nil {
				if !errors.Is(err, smokerr.ErrNotFound) {
					s.report("pathpoints", err)
				}
				continue
			}
		}
		before, ok := sent[p]
		if !ok {
			before = p.Level()
		}
		if p.setLevel(before, level) {
			text, _ := json.Marshal(level) // a number
			if s.owed == nil {
				s.owed = make(map[string]store.Change)
			}
			s.owed[p.name] = store.Change{Area: levelArea, Key: p.name, Value: text}
		}
	}
	if len(s.owed) == 0 {
		return nil
	}
	if err := s.store.Keyed.Apply(slices.Collect(maps.Values(s.owed))...); err != nil {
		return err
	}
	s.owed = nil
	return nil
}

// setLevel sets the level that the hub wants, unless the program has changed it since the hub was told. It reports whether
// that is a change.
func (p *Pathpoint) setLevel(told, level StorageLevel) bool {
	p.mu.Lock()
	changed := p.level == told && told != level
	if changed {
		p.level = level
	}
	p.mu.Unlock()
	if does := p.does.Load(); changed && does.OnLevel != nil {
		p.points.guard("OnLevel", func() { does.OnLevel(p, level) })
	}
	return changed
}
