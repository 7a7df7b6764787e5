package store

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TableOptions are the settings of a [Table]. The zero value is good for use.
type TableOptions struct {
	// MaxBytes bounds keys and values, with 32 bytes for each. The log beneath grows to three times that. Zero means
	// 16 MiB.
	MaxBytes int64

	// DropOldest makes room for what is put by dropping what is in the table longest. Otherwise a table without room gives
	// a *smok.QueueFullError.
	DropOldest bool

	// OnDrop is told which keys were dropped to make room, one call at a time. It must not call the table. Nil tells
	// nobody.
	OnDrop func(keys []string)
}

// Edit is one change of a [Table].
type Edit struct {
	Key    string
	Value  []byte // may be empty
	Delete bool   // take the key out instead; one that is not there is fine
}

// entryCost is what an entry counts beside its key and value.
const entryCost = 32

// maxGroup bounds the encoded size of one call of [Table.Apply], and of what the table writes at once.
const maxGroup = 1 << 20

// Table is a map in memory whose changes are records of a [Log], so that it is there again after the program has ended. A
// change is as durable as the log makes an append, before the call returns. Changes that are made at the same time share
// one append. When more than half of the log is of no use any more, what is in the table is written anew and the rest
// removed.
//
// If the log loses a damaged record, the changes in it are lost: what was put is missing, what was deleted comes again. The
// log reports it.
//
// It may be used by several goroutines. The log is the table's from [OpenTable] on, but is closed by its owner.
type Table struct {
	log  Log
	opts TableOptions

	turn chan struct{} // holds a token while somebody writes
	last uint64        // number of the last record; guarded by turn

	mu      sync.Mutex
	waiting []*edits
	entries map[string]*entry
	bytes   int64
	ordinal uint64 // of the youngest entry
}

// entry is what is stored under a key.
type entry struct {
	value   []byte
	ordinal uint64 // since when: ascends, and stays when the value changes
}

// edits is a call of Apply.
type edits struct {
	list []Edit
	err  error
	done chan struct{}
}

func cost(key string, value []byte) int64 { return int64(len(key)+len(value)) + entryCost }

// OpenTable reads what is in the log. Nil options mean the defaults. A log that a newer version of this package wrote, or
// that holds something else, is a *smok.StoreError.
func OpenTable(log Log, opts *TableOptions) (*Table, error) {
	t := &Table{log: log, turn: make(chan struct{}, 1), entries: make(map[string]*entry)}
	if opts != nil {
		t.opts = *opts
	}
	t.opts.MaxBytes = cmp.Or(t.opts.MaxBytes, 16<<20)
	for next := uint64(0); ; {
		records, err := log.PeekFrom(next, 1000)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			return t, nil
		}
		for _, r := range records {
			changes, err := decodeChanges(r.Payload)
			if err != nil {
				return nil, smokerr.Corrupt("store.table", "table", err)
			}
			for _, c := range changes {
				c.Value = bytes.Clone(c.Value)
				t.set(c)
			}
			t.last, next = r.Seq, r.Seq+1
		}
	}
}

// set makes one change in memory. mu is held, or nobody else has the table yet.
func (t *Table) set(c change) {
	if old := t.entries[c.Key]; old != nil {
		t.bytes -= cost(c.Key, old.value)
		delete(t.entries, c.Key)
	}
	if !c.Delete {
		t.entries[c.Key] = &entry{value: c.Value, ordinal: c.ordinal}
		t.bytes += cost(c.Key, c.Value)
	}
	t.ordinal = max(t.ordinal, c.ordinal)
}

// Get returns the value of a key, the caller's own, or a *smok.NotFoundError.
func (t *Table) Get(key string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[key]
	if e == nil {
		return nil, smokerr.NotFound("store.get", "entry", key)
	}
	return own(e.value), nil
}

// All returns the entries, those that are in the table longest first, as they are when the loop begins.
func (t *Table) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		type item struct {
			key string
			entry
		}
		t.mu.Lock()
		items := make([]item, 0, len(t.entries))
		for key, e := range t.entries {
			items = append(items, item{key, *e})
		}
		t.mu.Unlock()
		slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.ordinal, b.ordinal) })
		for _, it := range items {
			if !yield(it.key, own(it.value)) {
				return
			}
		}
	}
}

// Len returns the number of entries.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries)
}

// Bytes returns what the entries count against the bound.
func (t *Table) Bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes
}

// Put stores a value under a key. A key that is there keeps its place in the order of [Table.All].
func (t *Table) Put(ctx context.Context, key string, value []byte) error {
	return t.Apply(ctx, Edit{Key: key, Value: value})
}

// Delete takes keys out. Those that are not there are fine.
func (t *Table) Delete(ctx context.Context, keys ...string) error {
	list := make([]Edit, len(keys))
	for i, key := range keys {
		list[i] = Edit{Key: key, Delete: true}
	}
	return t.Apply(ctx, list...)
}

// Apply makes all changes, in their order, or none. They may be 1 MiB together. The context bounds the wait for others
// that write before; what has begun is waited for, so that the result is certain.
func (t *Table) Apply(ctx context.Context, list ...Edit) error {
	size := 0
	for _, e := range list {
		if e.Key == "" || len(e.Key) > MaxKey {
			return smokerr.InvalidArgument("store.apply", "key", "not of 1 to 4096 bytes", nil)
		}
		size += len(e.Key) + len(e.Value) + maxEditHead
	}
	if size > maxGroup {
		return smokerr.InvalidArgument("store.apply", "value", "longer than 1 MiB together", nil)
	}
	if len(list) == 0 {
		return nil
	}
	r := &edits{list: list, done: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, r)
	t.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case t.turn <- struct{}{}:
		t.commit(context.WithoutCancel(ctx))
		<-t.turn
	case <-ctx.Done():
		if t.withdraw(r) {
			return smokerr.Store("store.apply", "table", context.Cause(ctx))
		}
	}
	<-r.done
	return r.err
}

// withdraw takes back what nobody has begun to write.
func (t *Table) withdraw(r *edits) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, r)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return i >= 0
}
