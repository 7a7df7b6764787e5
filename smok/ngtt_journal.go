package smok

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// frame is the record of an order of the order link.
type frame struct {
	Execution string            `json:"execution"` // what the identities of its orders begin with
	ID        uint64            `json:"id"`
	Hash      []byte            `json:"hash"`
	Arrived   time.Time         `json:"arrived"`
	State     ngtt.JournalState `json:"state"`
}

// linkJournal is the journal of the order link: an [ngtt.Journal].
type linkJournal struct{ *orderJournal }

func (j *orderJournal) loadFrame(key string, value []byte) error {
	f := new(frame)
	if err := json.Unmarshal(value, f); err != nil {
		return err
	}
	if len(f.Hash) != len(ngtt.JournalEntry{}.Hash) || frameKeyOf(f.ID) != key {
		return fmt.Errorf("frame %q is another one", key)
	}
	j.frames[f.ID] = f
	return nil
}

func frameKeyOf(id uint64) string { return fmt.Sprintf("%s%016x", frameKey, id) }

// Load returns all entries.
func (j linkJournal) Load(context.Context) ([]ngtt.JournalEntry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries := make([]ngtt.JournalEntry, 0, len(j.frames))
	for _, f := range j.frames {
		entries = append(entries, ngtt.JournalEntry{ID: f.ID, Hash: [32]byte(f.Hash), Arrived: f.Arrived, State: f.State})
	}
	return entries, nil
}

// Put stores an entry, durably when it returns. That an order is confirmed is not written: it is enough to know that it
// was executed, and costs no write for each.
func (j linkJournal) Put(ctx context.Context, e ngtt.JournalEntry) error {
	f := &frame{ID: e.ID, Hash: e.Hash[:], Arrived: e.Arrived, State: min(e.State, ngtt.JournalDone)}
	j.mu.Lock()
	if old := j.frames[e.ID]; old != nil && bytes.Equal(old.Hash, f.Hash) {
		f.Execution = old.Execution
		if old.State >= f.State {
			j.mu.Unlock()
			return nil
		}
	}
	j.mu.Unlock()
	f.Execution = cmp.Or(f.Execution, rand.Text())
	value, err := json.Marshal(f)
	if err != nil {
		return err
	}
	edits := []store.Edit{{Key: frameKeyOf(e.ID), Value: value}}
	if f.State == ngtt.JournalDone {
		edits = append(edits, j.forgetting(f.Execution)...)
	}
	if err := j.apply(ctx, edits); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.frames[e.ID] = f
	return nil
}

// Remove forgets an entry.
func (j linkJournal) Remove(ctx context.Context, id uint64) error {
	j.mu.Lock()
	f := j.frames[id]
	delete(j.frames, id)
	j.mu.Unlock()
	if f == nil {
		return nil
	}
	return j.forget(ctx, f.Execution, frameKeyOf(id))
}

// isDone reports whether an entry was executed.
func (j linkJournal) isDone(id uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.frames[id]
	return f != nil && f.State == ngtt.JournalDone
}

// done records that an entry was executed, before the client does.
func (j linkJournal) done(ctx context.Context, id uint64) error {
	j.mu.Lock()
	f := j.frames[id]
	j.mu.Unlock()
	if f == nil {
		return nil
	}
	return j.Put(ctx, ngtt.JournalEntry{ID: f.ID, Hash: [32]byte(f.Hash), Arrived: f.Arrived, State: ngtt.JournalDone})
}

// job makes a job of the sections of an entry.
func (j linkJournal) job(id uint64, sections []Section) *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := &job{journal: j.orderJournal, number: id, sections: sections}
	if f := j.frames[id]; f != nil {
		w.execution = f.Execution
	} else {
		w.execution = rand.Text() // the entry was lost
	}
	return w
}
