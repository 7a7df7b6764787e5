package ngtt

import (
	"context"
	"sync"
	"time"
)

// JournalState is how far an order came.
type JournalState int

// The states of an order in the journal.
const (
	JournalReceived  JournalState = 1 // it is being executed, or was when the process ended
	JournalDone      JournalState = 2 // it was executed
	JournalConfirmed JournalState = 3 // it was executed, and the confirmation was given to the network
)

// String returns "received", "done" or "confirmed".
func (s JournalState) String() string {
	switch s {
	case JournalReceived:
		return "received"
	case JournalDone:
		return "done"
	case JournalConfirmed:
		return "confirmed"
	}
	return "unknown"
}

// JournalEntry is what a [Journal] keeps of one order. Orders have no identity of their own, so a repetition is
// recognised by its contents.
type JournalEntry struct {
	ID      uint64       // given by the client, rising
	Hash    [32]byte     // SHA-256 of the order's body
	Arrived time.Time    // when the order came first
	State   JournalState // how far it came
}

// Journal remembers orders from the moment before their execution until the hub is known to have read the
// confirmation, so that an order that is delivered again because a confirmation was lost is not executed again.
//
// It only stores; the client does the thinking. Methods are called from several goroutines, but not for the same entry
// at the same time. What must survive a power cut is on the disk when Put returns for the states received and done; a
// lost confirmed or Remove does no harm.
type Journal interface {
	// Load returns all entries. It is called once, by [Client.Run].
	Load(ctx context.Context) ([]JournalEntry, error)
	// Put stores an entry, in place of the one with the same ID if there is one.
	Put(ctx context.Context, entry JournalEntry) error
	// Remove forgets an entry. It may not be there.
	Remove(ctx context.Context, id uint64) error
}

// MemoryJournal is a [Journal] in memory. It can be handed from one client to the next.
type MemoryJournal struct {
	mu      sync.Mutex
	entries map[uint64]JournalEntry
}

// NewMemoryJournal returns an empty journal.
func NewMemoryJournal() *MemoryJournal {
	return &MemoryJournal{entries: make(map[uint64]JournalEntry)}
}

// Load returns all entries, in no particular order.
func (j *MemoryJournal) Load(context.Context) ([]JournalEntry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]JournalEntry, 0, len(j.entries))
	for _, e := range j.entries {
		all = append(all, e)
	}
	return all, nil
}

// Put stores an entry.
func (j *MemoryJournal) Put(_ context.Context, entry JournalEntry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries[entry.ID] = entry
	return nil
}

// Remove forgets an entry.
func (j *MemoryJournal) Remove(_ context.Context, id uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.entries, id)
	return nil
}

// Len returns how many entries there are.
func (j *MemoryJournal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}
