package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// commit writes all changes that wait, those of one call as one record, and makes them in memory. turn is held.
func (t *Table) commit(ctx context.Context) {
	for {
		group := t.take()
		if len(group) == 0 {
			break
		}
		t.write(ctx, group)
	}
	t.compact(ctx)
}

// take returns calls that wait, as many as are written at once.
func (t *Table) take() []*edits {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, size := 0, 0
	for n < len(t.waiting) && (n == 0 || size < maxGroup) {
		for _, e := range t.waiting[n].list {
			size += len(e.Key) + len(e.Value) + maxEditHead
		}
		n++
	}
	group := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	return group
}

// write commits a group of calls.
func (t *Table) write(ctx context.Context, group []*edits) {
	plan := t.plan()
	var entries []Entry
	var accepted []*edits
	for _, r := range group {
		changes, err := plan.add(r.list)
		if err != nil {
			r.err = err
			continue
		}
		accepted = append(accepted, r)
		entries = append(entries, Entry{Payload: encodeChanges(changes)})
	}
	if err := t.append(ctx, entries); err != nil {
		for _, r := range accepted {
			r.err = err
		}
		plan.changes, plan.dropped = nil, nil
	}
	t.mu.Lock()
	for _, c := range plan.changes {
		t.set(c)
	}
	t.mu.Unlock()
	if t.opts.OnDrop != nil && len(plan.dropped) > 0 {
		t.opts.OnDrop(plan.dropped)
	}
	for _, r := range group {
		close(r.done)
	}
}

// plan is what the table will be when a group is written. Only who has the turn changes the entries, so it may read them.
type plan struct {
	table   *Table
	changes []change
	after   map[string]*entry // of the keys that changed; nil for those that are deleted
	bytes   int64
	ordinal uint64
	undo    []undo   // of the call that is being added
	oldest  []string // keys by age, once that is needed
	dropped []string
}

// undo is what a key was in the plan before.
type undo struct {
	key     string
	entry   *entry
	planned bool
}

func (t *Table) plan() *plan {
	return &plan{table: t, after: make(map[string]*entry), bytes: t.bytes, ordinal: t.ordinal}
}

// get returns what will be under a key.
func (p *plan) get(key string) *entry {
	if e, ok := p.after[key]; ok {
		return e
	}
	return p.table.entries[key]
}

// add adds the changes of one call, and those that make room for them. An error changes nothing.
func (p *plan) add(list []Edit) ([]change, error) {
	p.undo = p.undo[:0]
	changes, bytes, ordinal, dropped := len(p.changes), p.bytes, p.ordinal, len(p.dropped)
	for _, e := range list {
		p.edit(e)
	}
	for p.bytes > p.table.opts.MaxBytes {
		key, ok := p.eldest(list)
		if !ok {
			for _, u := range slices.Backward(p.undo) {
				p.after[u.key] = u.entry
				if !u.planned {
					delete(p.after, u.key)
				}
			}
			p.changes, p.bytes, p.ordinal, p.dropped = p.changes[:changes], bytes, ordinal, p.dropped[:dropped]
			p.oldest = nil
			return nil, smokerr.QueueFull("store.apply", "entries", len(p.table.entries))
		}
		p.set(change{Edit: Edit{Key: key, Delete: true}})
		p.dropped = append(p.dropped, key)
	}
	return p.changes[changes:], nil
}

func (p *plan) edit(e Edit) {
	c := change{Edit: Edit{Key: e.Key, Delete: e.Delete}}
	if !e.Delete {
		c.Value = bytes.Clone(e.Value)
		if old := p.get(e.Key); old != nil {
			c.ordinal = old.ordinal
		} else {
			p.ordinal++
			c.ordinal = p.ordinal
		}
	}
	p.set(c)
}

func (p *plan) set(c change) {
	u := undo{key: c.Key}
	u.entry, u.planned = p.after[c.Key]
	p.undo = append(p.undo, u)
	if old := p.get(c.Key); old != nil {
		p.bytes -= cost(c.Key, old.value)
	}
	p.after[c.Key] = nil
	if !c.Delete {
		p.after[c.Key] = &entry{value: c.Value, ordinal: c.ordinal}
		p.bytes += cost(c.Key, c.Value)
	}
	p.changes = append(p.changes, c)
}

// eldest returns the key that is in the table longest and was not put by these edits, if one may be dropped.
func (p *plan) eldest(list []Edit) (string, bool) {
	if !p.table.opts.DropOldest {
		return "", false
	}
	if p.oldest == nil {
		p.oldest = p.table.byAge()
	}
	for i, key := range p.oldest {
		if p.get(key) != nil && !slices.ContainsFunc(list, func(e Edit) bool { return e.Key == key }) {
			p.oldest = p.oldest[i:]
			return key, true
		}
	}
	return "", false
}

// byAge returns the keys, those that are in the table longest first.
func (t *Table) byAge() []string {
	keys := make([]string, 0, len(t.entries))
	for key := range t.entries {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(t.entries[a].ordinal, t.entries[b].ordinal) })
	return keys
}

// slack is how much of the log may be of no use, whatever is in the table.
const slack = 64 << 10

// compact writes the entries anew and removes what was before, if more than half of the log is of no use. If it fails, it is
// tried again after the next change: what is in the log is right in any case. turn is held.
func (t *Table) compact(ctx context.Context) {
	if t.log.Bytes() <= 2*t.bytes+slack {
		return
	}
	old := t.last
	var batch []Entry
	size := 0
	for _, key := range t.byAge() {
		e := t.entries[key]
		payload := encodeChanges([]change{{Edit: Edit{Key: key, Value: e.value}, ordinal: e.ordinal}})
		batch = append(batch, Entry{Payload: payload})
		if size += len(payload); size < maxGroup {
			continue
		}
		if t.append(ctx, batch) != nil {
			return
		}
		batch, size = nil, 0
	}
	if t.append(ctx, batch) == nil {
		_ = t.log.Remove(old) // see above
	}
}

// append appends records and takes note of their numbers. turn is held.
func (t *Table) append(ctx context.Context, batch []Entry) error {
	first, err := t.log.AppendBatch(ctx, batch)
	if err == nil && len(batch) > 0 {
		t.last = first + uint64(len(batch)) - 1
	}
	return err
}
