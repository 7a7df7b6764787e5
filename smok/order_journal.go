package smok

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// The keys of the journal of orders.
const (
	batchKey = "h/" // and a number: a batch; with a slash and another number: a piece of its sections
	frameKey = "n/" // and the id of an entry of the order link's journal
	stepKey  = "p/" // and the identity of an order: how far that came
)

// maxPiece is how much of a batch is stored under one key, in bytes.
const maxPiece = 512 << 10

// maxEdits is how many changes are made together, so that they fit into a record.
const maxEdits = 4096

// The steps of an order of which the journal takes note. Those that may be repeated have no beginning.
const (
	stepBegun = "b"
	stepEnded = "e"
)

// orderJournal remembers the hub's orders until they are done: those that came over HTTP with all that they say, since
// there is no other copy, and those of the order link by their contents. Of both it knows how far the single orders came.
type orderJournal struct {
	table  *store.Table
	report func(error)

	mu     sync.Mutex // guards what follows
	last   uint64     // the number of the last batch
	frames map[uint64]*frame
	steps  map[string]map[string]string // by execution and identity of the order
}

// batch is the record of sections that came over HTTP.
type batch struct {
	Execution string    `json:"execution"` // what the identities of its orders begin with
	Arrived   time.Time `json:"arrived"`
	Pieces    int       `json:"pieces"`
	keys      []string
	body      []byte
}

// openOrderJournal returns the journal and the jobs of batches that are not done yet, in the order in which they came.
// Records that are damaged are reported and left out.
func openOrderJournal(log store.Log, report func(error)) (*orderJournal, []*job, error) {
	table, err := store.OpenTable(log, nil)
	if err != nil {
		return nil, nil, err
	}
	j := &orderJournal{table: table, report: report, frames: make(map[uint64]*frame), steps: make(map[string]map[string]string)}
	batches := make(map[uint64]*batch)
	var dead []string
	for key, value := range table.All() {
		var err error
		switch {
		case strings.HasPrefix(key, stepKey):
			j.step(strings.TrimPrefix(key, stepKey), string(value))
		case strings.HasPrefix(key, frameKey):
			err = j.loadFrame(key, value)
		case strings.HasPrefix(key, batchKey) && !strings.Contains(key[len(batchKey):], "/"):
			err = j.loadBatch(key, value, batches)
		}
		if err != nil {
			dead = append(dead, key)
			report(smokerr.Corrupt("load", "journal", err))
		}
	}
	jobs := make([]*job, 0, len(batches))
	live := make(map[string]bool) // executions, and keys of pieces
	for _, f := range j.frames {
		live[f.Execution] = true
	}
	for number, b := range batches {
		sections, err := j.assemble(b)
		if err != nil {
			dead = append(dead, b.keys...)
			report(smokerr.Corrupt("load", "journal", err))
			continue
		}
		live[b.Execution] = true
		for _, key := range b.keys {
			live[key] = true
		}
		jobs = append(jobs, &job{journal: j, execution: b.Execution, number: number, sections: sections, keys: b.keys})
	}
	slices.SortFunc(jobs, func(a, b *job) int { return cmp.Compare(a.number, b.number) })
	dead = append(dead, j.orphans(live)...)
	edits := make([]store.Edit, 0, len(dead))
	for _, key := range dead {
		edits = append(edits, store.Edit{Key: key, Delete: true})
	}
	if err := j.apply(context.Background(), edits); err != nil {
		report(err) // the next start tries again
	}
	return j, jobs, nil
}

// loadBatch takes up the head of a batch.
func (j *orderJournal) loadBatch(key string, value []byte, batches map[uint64]*batch) error {
	b := &batch{keys: []string{key}}
	var number uint64
	if _, err := fmt.Sscanf(key[len(batchKey):], "%x", &number); err != nil {
		return err
	}
	if err := json.Unmarshal(value, b); err != nil {
		return err
	}
	for i := range b.Pieces {
		piece := pieceKey(key, i)
		content, err := j.table.Get(piece)
		if err != nil {
			return err
		}
		b.keys = append(b.keys, piece)
		b.body = append(b.body, content...)
	}
	j.last = max(j.last, number)
	batches[number] = b
	return nil
}

// assemble returns the sections of a batch.
func (j *orderJournal) assemble(b *batch) ([]Section, error) {
	sections, problems, err := order.FromMiniJSON(b.body)
	b.body = nil
	if err == nil && len(problems) > 0 {
		err = problems[0].Err
	}
	return sections, err
}

// orphans returns the keys that belong to nothing: those of pieces that a crash left without a head, and of steps whose
// batch or frame is gone.
func (j *orderJournal) orphans(live map[string]bool) (keys []string) {
	for key := range j.table.All() {
		switch {
		case strings.HasPrefix(key, stepKey):
			execution := executionOf(strings.TrimPrefix(key, stepKey))
			if !live[execution] {
				delete(j.steps, execution)
				keys = append(keys, key)
			}
		case strings.HasPrefix(key, batchKey) && !live[key]:
			keys = append(keys, key)
		}
	}
	return keys
}

func pieceKey(head string, i int) string { return fmt.Sprintf("%s/%04x", head, i) }

// identity is the name of an order that stays the same when a crash makes it begin again.
func identity(execution string, section, index int) string {
	return fmt.Sprintf("%s/%d.%d", execution, section, index)
}

func executionOf(identity string) string {
	execution, _, _ := strings.Cut(identity, "/")
	return execution
}

// step takes up how far an order came. The caller holds j.mu, or nobody else has the journal yet.
func (j *orderJournal) step(identity, step string) {
	execution := executionOf(identity)
	if j.steps[execution] == nil {
		j.steps[execution] = make(map[string]string)
	}
	j.steps[execution][identity] = step
}

// add makes a job of sections that came over HTTP, durable when it returns. With an error the job is good as well, but
// would not survive the end of the program.
func (j *orderJournal) add(ctx context.Context, sections []Section, at time.Time) (*job, error) {
	j.mu.Lock()
	j.last++
	number := j.last
	j.mu.Unlock()
	w := &job{journal: j, execution: rand.Text(), number: number, sections: sections}
	body, err := minijson.Marshal(order.Tree(sections))
	if err != nil {
		return w, smokerr.Store("put", "journal", err)
	}
	head := fmt.Sprintf("%s%016x", batchKey, number)
	b := batch{Execution: w.execution, Arrived: at}
	var edits []store.Edit
	for piece := range slices.Chunk(body, maxPiece) {
		edits = append(edits, store.Edit{Key: pieceKey(head, b.Pieces), Value: piece})
		b.Pieces++
	}
	value, err := json.Marshal(b)
	if err != nil {
		return w, smokerr.Store("put", "journal", err)
	}
	edits = append(edits, store.Edit{Key: head, Value: value})
	for len(edits) > 2 { // more than a record holds; without the head, which comes last, the pieces are nothing
		if err := j.table.Apply(ctx, edits[0]); err != nil {
			return w, errors.Join(err, j.table.Delete(ctx, w.dropKeys()...))
		}
		w.keys = append(w.keys, edits[0].Key)
		edits = edits[1:]
	}
	if err := j.table.Apply(ctx, edits...); err != nil {
		return w, errors.Join(err, j.table.Delete(ctx, w.dropKeys()...))
	}
	for _, e := range edits {
		w.keys = append(w.keys, e.Key)
	}
	return w, nil
}

// put records how far an order came.
func (j *orderJournal) put(ctx context.Context, identity, step string) error {
	if err := j.table.Put(ctx, stepKey+identity, []byte(step)); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.step(identity, step)
	return nil
}

// stepOf returns how far an order came, or "".
func (j *orderJournal) stepOf(identity string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.steps[executionOf(identity)][identity]
}

// forget removes keys, and all steps of an execution. What cannot be removed is carried out again after a restart.
func (j *orderJournal) forget(ctx context.Context, execution string, keys ...string) error {
	return j.apply(ctx, j.forgetting(execution, keys...))
}

// apply makes changes. The first ones are made together; steps without what they belong to do no harm.
func (j *orderJournal) apply(ctx context.Context, edits []store.Edit) error {
	for some := range slices.Chunk(edits, maxEdits) {
		if err := j.table.Apply(ctx, some...); err != nil {
			return err
		}
	}
	return nil
}

// forgetting returns the edits of forget, and makes them in memory.
func (j *orderJournal) forgetting(execution string, keys ...string) []store.Edit {
	j.mu.Lock()
	defer j.mu.Unlock()
	edits := make([]store.Edit, 0, len(keys)+len(j.steps[execution]))
	for _, key := range keys {
		edits = append(edits, store.Edit{Key: key, Delete: true})
	}
	for identity := range j.steps[execution] {
		edits = append(edits, store.Edit{Key: stepKey + identity, Delete: true})
	}
	delete(j.steps, execution)
	return edits
}

// full reports whether the journal should get no more orders for the time being.
func (j *orderJournal) full() bool { return j.table.Bytes() > maxJournal/2 }

// maxJournal is the default bound of a table.
const maxJournal = 16 << 20
