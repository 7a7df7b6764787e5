package smok

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Predicates returns the predicates that are switched on, by ascending ids, also those that no statistic takes care of.
func (d *Device) Predicates() ([]*Predicate, error) {
	if err := d.allow("predicates", d.opts.Disable.Predicates); err != nil {
		return nil, err
	}
	return d.predicates.list(), nil
}

// ResetPredicates lets all predicates begin anew, with the state that is stored, and asks the hub for them.
func (d *Device) ResetPredicates() error {
	if err := d.allow("resetPredicates", d.opts.Disable.Predicates); err != nil {
		return err
	}
	d.predicates.reset()
	return nil
}

// Limits and names of predicates.
const (
	predicatesName   = "predicates"
	predicatesAtOnce = 16
	predicateGrace   = time.Second // for a function whose time is up
	maxPredicateID   = 1 << 10
	statePrefix      = "predicate/" // of keys in the table of what only the device knows
)

// predicates is the area of the predicates. Definitions are in the keyed store, states in the table.
type predicates struct {
	bare
	*host
	info   *info
	events *events
	task   *task // asks the hub
	ticks  *task

	running sync.WaitGroup              // functions of statistics
	stored  map[string]api.PredicateDef // what the store has; of the goroutine of task

	mu            sync.Mutex
	registrations []*Registration
	all           map[string]*watched         // that are switched on
	leaving       []*watched                  // that were, and whose statistic has not heard of it
	defs          map[string]api.PredicateDef // of the hub, also of those that are switched off
}

// watched is a predicate and what is done about it.
type watched struct {
	*Predicate

	// Guarded by predicates.mu.
	logic   logic         // nil while there is no statistic for it
	busy    bool          // a function of it runs
	pending Change        // that the statistic has not heard of
	next    time.Duration // when it is due, by the monotonic clock
	left    bool          // it is in leaving

	saving  sync.Mutex // orders what is written of its state
	saved   []byte     // guarded by saving
	deleted bool       // guarded by saving: its state is not wanted any more
}

func newPredicates(h *host, i *info, e *events) *predicates {
	p := &predicates{host: h, info: i, events: e, all: make(map[string]*watched), defs: make(map[string]api.PredicateDef)}
	p.task = &task{name: predicatesName, every: h.opts.Intervals.Predicates, run: p.sync}
	p.ticks = &task{name: "ticks", due: p.due, offline: true, run: p.round}
	return p
}

func (p *predicates) name() string   { return predicatesName }
func (p *predicates) tasks() []*task { return []*task{p.task, p.ticks} }

// load makes placeholders of what the hub said last. They come to life when a statistic for them is registered.
func (p *predicates) load() error {
	defs := make(map[string]api.PredicateDef)
	err := p.store.Keyed.Each(predicatesName, func(key string, raw []byte) error {
		var def api.PredicateDef
		if err := json.Unmarshal(raw, &def); err != nil || def.ID != key {
			p.report(predicatesName, smokerr.Corrupt("predicates.load", predicatesName, cmp.Or(err, errors.New("under a wrong key"))))
			return nil
		}
		defs[key] = def
		return nil
	})
	p.stored = defs
	p.apply(defs)
	return err
}

// flush waits for the functions of statistics, whose contexts have ended.
func (p *predicates) flush(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		p.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return smokerr.Sync("flush", predicatesName, context.Cause(ctx))
	}
}

func (p *predicates) list() []*Predicate {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*Predicate, 0, len(p.all))
	for _, w := range p.all {
		all = append(all, w.Predicate)
	}
	slices.SortFunc(all, func(a, b *Predicate) int { return cmp.Compare(a.ID(), b.ID()) })
	return all
}

func (p *predicates) register(m matcher) *Registration {
	r := &Registration{area: p, matter: m}
	p.mu.Lock()
	p.registrations = append(p.registrations, r)
	p.mu.Unlock()
	p.ticks.wake()
	return r
}

func (p *predicates) unregister(r *Registration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.registrations = slices.DeleteFunc(p.registrations, func(other *Registration) bool { return other == r })
}

func (p *predicates) reset() {
	p.mu.Lock()
	for id, w := range p.all {
		p.leave(w)
		p.all[id] = &watched{Predicate: &Predicate{area: p, def: w.definition()}}
	}
	p.mu.Unlock()
	p.ticks.wake()
	p.task.wake()
	p.task.retry()
}

// leave lets a predicate end. mu is held.
func (p *predicates) leave(w *watched) {
	delete(p.all, w.ID())
	if w.logic != nil {
		w.left = true
		p.leaving = append(p.leaving, w)
	}
}

// save stores the state of a predicate if it has changed.
func (p *predicates) save(ctx context.Context, w *watched) error {
	state, err := w.logic.save()
	if err != nil {
		return smokerr.Store("predicates.state", predicatesName, err)
	}
	w.saving.Lock()
	defer w.saving.Unlock()
	if w.deleted || w.saved != nil && string(w.saved) == string(state) {
		return nil
	}
	if err := p.state.Put(ctx, statePrefix+w.ID(), state); err != nil {
		return err
	}
	w.saved = state
	return nil
}

// dropStates deletes what is stored of predicates that the hub does not know any more.
func (p *predicates) dropStates(ctx context.Context, known map[string]api.PredicateDef) error {
	var gone []string
	for key := range p.state.All() {
		if id, ok := strings.CutPrefix(key, statePrefix); ok {
			if _, ok := known[id]; !ok {
				gone = append(gone, key)
			}
		}
	}
	for portion := range slices.Chunk(gone, 100) {
		if err := p.state.Delete(ctx, portion...); err != nil {
			return err
		}
	}
	return nil
}
