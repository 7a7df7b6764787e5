package smok

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// due returns how long it is until a predicate is due.
func (p *predicates) due() time.Duration {
	now := p.clock.look().mono
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Duration(-1)
	for _, w := range p.all {
		if w.logic == nil || w.busy { // registering, or its end, wakes
			continue
		}
		if left := max(0, w.next-now); wait < 0 || left < wait {
			wait = left
		}
	}
	return wait
}

// round calls the functions of all predicates that are due, and of those that end, and waits for them.
func (p *predicates) round(ctx context.Context) error {
	p.adopt()
	slots := make(chan struct{}, predicatesAtOnce)
	var calls sync.WaitGroup
	for _, w := range p.take() {
		calls.Go(func() {
			select {
			case slots <- struct{}{}:
				p.supervise(ctx, w)
				<-slots
			case <-ctx.Done():
				p.release(w)
			}
		})
	}
	calls.Wait()
	return nil
}

// take marks the predicates that have something to do as busy and returns them.
func (p *predicates) take() []*watched {
	now := p.clock.look().mono
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*watched
	for _, w := range p.all {
		if w.logic != nil && !w.busy && (w.next <= now || w.pending != 0) {
			w.next = now + p.opts.Intervals.Ticks
			list = append(list, w)
		}
	}
	for _, w := range p.leaving {
		if !w.busy {
			list = append(list, w)
		}
	}
	for _, w := range list {
		w.busy = true
	}
	slices.SortFunc(list, func(a, b *watched) int { return cmp.Compare(a.ID(), b.ID()) })
	return list
}

// release ends what take began.
func (p *predicates) release(w *watched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.busy = false
}

// supervise lets a predicate do what it has to, and waits until it has, or until its time is up.
func (p *predicates) supervise(ctx context.Context, w *watched) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.PredicateTimeout)
	done := make(chan struct{})
	p.running.Go(func() {
		defer cancel()
		defer close(done)
		p.work(ctx, w)
	})
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	grace := time.NewTimer(predicateGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		p.failed(w, errOverdue)
	}
}

var errOverdue = errors.New("a function of the statistic goes on after its time")

// failed reports what went wrong with a predicate.
func (p *predicates) failed(w *watched, cause error) {
	if cause != nil {
		p.report(predicatesName, smokerr.Sync("tick "+w.ID(), predicatesName, cause))
	}
}

// work calls the functions of a predicate. It has been marked as busy.
func (p *predicates) work(ctx context.Context, w *watched) {
	defer p.ticks.wake() // somebody may wait for its end
	p.mu.Lock()
	left, changed := w.left, w.pending
	w.pending = 0
	p.mu.Unlock()
	if left {
		p.end(ctx, w)
		return
	}
	if changed != 0 {
		p.failed(w, p.try("Changed", func() error { return w.logic.changed(ctx, w.Predicate, changed) }))
	}
	p.failed(w, p.try("Tick", func() error { return w.logic.tick(ctx, w.Predicate) }))
	p.failed(w, p.try("State", func() error { return p.save(context.WithoutCancel(ctx), w) }))
	p.release(w)
}

// end lets the statistic know that the predicate has ended.
func (p *predicates) end(ctx context.Context, w *watched) {
	w.saving.Lock()
	deleted := w.deleted
	w.saving.Unlock()
	p.failed(w, p.try("Stopped", func() error { return w.logic.stopped(ctx, w.Predicate, deleted) }))
	p.failed(w, p.try("State", func() error { return p.save(context.WithoutCancel(ctx), w) }))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaving = slices.DeleteFunc(p.leaving, func(other *watched) bool { return other == w })
}

// adopt gives predicates without a statistic to the first one that takes them. One whose predecessor of the same id has
// not ended yet waits for that.
func (p *predicates) adopt() {
	p.mu.Lock()
	registrations := slices.Clone(p.registrations)
	var orphans []*watched
	for id, w := range p.all {
		same := func(other *watched) bool { return other.ID() == id }
		if w.logic == nil && !slices.ContainsFunc(p.leaving, same) {
			orphans = append(orphans, w)
		}
	}
	p.mu.Unlock()
	for _, w := range orphans {
		for _, r := range registrations {
			if p.begin(w, r.matter) {
				break
			}
		}
	}
}

// begin gives a predicate to a statistic if that takes it.
func (p *predicates) begin(w *watched, m matcher) bool {
	def := w.definition()
	taken := false
	err := p.try("Match", func() error { taken = m.matches(def.Statistic, def.Configuration); return nil })
	if err != nil || !taken {
		p.failed(w, err)
		return false
	}
	state, err := p.state.Get(statePrefix + def.ID)
	if err != nil {
		state = nil
		p.failed(w, ignoreMissing(err))
	}
	var l logic
	err = p.try("State", func() error {
		var err error
		l, err = m.start(state)
		return err
	})
	if err != nil {
		p.failed(w, smokerr.Corrupt("predicates.state", predicatesName, err))
	}
	if l == nil { // reading the state panicked
		return true
	}
	w.saving.Lock()
	w.saved = state
	w.saving.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	w.logic, w.next = l, 0
	return true
}
