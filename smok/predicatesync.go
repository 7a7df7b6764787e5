package smok

import (
	"context"
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// sync asks the hub which predicates there are. An answer that does not say everything takes none away.
func (p *predicates) sync(ctx context.Context) error {
	list, complete, err := p.api.Predicates(ctx)
	if err != nil {
		return smokerr.Sync("sync", predicatesName, err)
	}
	defs := make(map[string]api.PredicateDef, len(list))
	for i, def := range list {
		if _, twice := defs[def.ID]; twice || len(def.ID) > maxPredicateID {
			p.report(predicatesName, smokerr.BadEntry("sync", "predicate", i, "its id is there twice, or too long", nil))
			continue
		}
		defs[def.ID] = def
	}
	p.mu.Lock()
	before := p.defs
	p.mu.Unlock()
	if !complete {
		for id, def := range before {
			if _, ok := defs[id]; !ok {
				defs[id] = def
			}
		}
	}
	stored := p.keep(defs)
	p.apply(defs)
	if stored != nil {
		return stored
	}
	return p.dropStates(ctx, defs)
}

// keep stores what the store does not have of the definitions.
func (p *predicates) keep(defs map[string]api.PredicateDef) error {
	var changes []store.Change
	for id, def := range defs {
		old, known := p.stored[id]
		if known && old.Online == def.Online && old.Statistic == def.Statistic && differences(&old, &def) == 0 {
			continue
		}
		raw, err := json.Marshal(def)
		if err != nil {
			return smokerr.Store("predicates.sync", predicatesName, err)
		}
		changes = append(changes, store.Change{Area: predicatesName, Key: id, Value: raw})
	}
	for id := range p.stored {
		if _, ok := defs[id]; !ok {
			changes = append(changes, store.Change{Area: predicatesName, Key: id, Delete: true})
		}
	}
	if len(changes) > 0 {
		if err := p.store.Keyed.Apply(changes...); err != nil {
			return err
		}
	}
	p.stored = defs
	return nil
}

// apply makes the definitions those that hold.
func (p *predicates) apply(defs map[string]api.PredicateDef) {
	p.mu.Lock()
	p.defs = defs
	for id, w := range p.all {
		def, known := defs[id]
		switch old := w.definition(); {
		case !known:
			w.saving.Lock()
			w.deleted = true
			w.saving.Unlock()
			p.leave(w)
		case !def.Online, def.Statistic != old.Statistic:
			p.leave(w)
		default:
			if w.logic != nil {
				w.pending |= differences(&old, &def)
			}
			w.change(def)
		}
	}
	for id, def := range defs {
		if def.Online && p.all[id] == nil {
			p.all[id] = &watched{Predicate: &Predicate{area: p, def: def}}
		}
	}
	p.mu.Unlock()
	p.ticks.wake()
}

func (p *Predicate) change(def api.PredicateDef) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.def = def
}
