package smok

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Limits and names of events.
const (
	eventsName   = "events"
	maxEventSize = 64 << 10 // as sent
	forgetEvery  = time.Hour
)

// events is the area that keeps events. Every change is in the table before it is in memory.
type events struct {
	bare
	*host
	task    *task // uploads
	prune   *task
	refused int // events one after the other that the hub did not want; of the task, and of flush after it

	table *store.Table // by provisional uuid

	mu     sync.Mutex // held while the table is written, so that changes of an event follow one another
	kept   map[string]*eventRecord
	byUUID map[string]*eventRecord
	last   uint64 // number of the youngest event
}

// eventRecord is an event and how far it came. It is replaced, never changed.
type eventRecord struct {
	Event   Event     `json:"event"`
	Number  uint64    `json:"number"`           // events in the order in which they were raised
	Dirty   bool      `json:"dirty,omitempty"`  // the hub does not have it as it is
	Refused time.Time `json:"refused,omitzero"` // when the hub refused it as it is
}

func newEvents(h *host) *events {
	e := &events{host: h, kept: make(map[string]*eventRecord), byUUID: make(map[string]*eventRecord)}
	e.task = &task{name: eventsName, every: h.opts.Intervals.Events, run: e.sync}
	e.prune = &task{name: "old events", every: forgetEvery, offline: true, run: e.retire}
	return e
}

func (e *events) name() string   { return eventsName }
func (e *events) tasks() []*task { return []*task{e.task, e.prune} }

func (e *events) load() error {
	var err error
	if e.table, err = store.OpenTable(e.store.Events, nil); err != nil {
		return err
	}
	for key, raw := range e.table.All() {
		r := new(eventRecord)
		if err := json.Unmarshal(raw, r); err != nil || r.Event.Provisional != key {
			e.report(eventsName, smokerr.Corrupt("events.load", eventsName, cmp.Or(err, errors.New("event under a wrong key"))))
			continue
		}
		e.set(r)
		e.last = max(e.last, r.Number)
	}
	return nil
}

func (e *events) flush(ctx context.Context) error {
	if !e.online() {
		return nil
	}
	return e.sync(ctx)
}

// set takes a record into memory. mu is held, or nobody else has the area yet.
func (e *events) set(r *eventRecord) {
	if old := e.kept[r.Event.Provisional]; old != nil {
		delete(e.byUUID, old.Event.UUID)
	}
	e.kept[r.Event.Provisional] = r
	if r.Event.UUID != "" {
		e.byUUID[r.Event.UUID] = r
	}
}

// find returns the record of an event by either uuid. mu is held.
func (e *events) find(op, id string) (*eventRecord, error) {
	if r := e.byUUID[id]; r != nil {
		return r, nil
	}
	if r := e.kept[id]; r != nil {
		return r, nil
	}
	return nil, smokerr.NotFound(op, "event", id)
}

func (e *events) open(ctx context.Context, op string, event Event) (Event, error) {
	if event.StartedOn.IsZero() {
		event.StartedOn = e.clock.now()
	}
	event.Metadata = maps.Clone(event.Metadata)
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	event.Provisional = hex.EncodeToString(id[:])
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.put(ctx, op, &eventRecord{Event: event, Number: e.last + 1, Dirty: true})
	if err != nil {
		return Event{}, err
	}
	e.last++
	return event.clone(), nil
}

func (e *events) edit(ctx context.Context, op, id string, change func(*Event) error) (Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, err := e.find(op, id)
	if err != nil {
		return Event{}, err
	}
	r := &eventRecord{Event: old.Event.clone(), Number: old.Number, Dirty: true}
	if err := change(&r.Event); err != nil {
		return Event{}, err
	}
	if err := e.put(ctx, op, r); err != nil {
		return Event{}, err
	}
	return r.Event.clone(), nil
}

// put checks a record, stores it and takes it into memory. mu is held.
func (e *events) put(ctx context.Context, op string, r *eventRecord) error {
	if r.Event.Color < White || r.Event.Color > Red {
		return smokerr.InvalidArgument(op, "Color", "unknown", nil)
	}
	event := r.Event.wire(true)
	wire, err := api.AppendEvent(nil, &event)
	if err != nil {
		return smokerr.InvalidArgument(op, "Event", "cannot be sent", err)
	}
	if len(wire) > maxEventSize {
		return smokerr.InvalidArgument(op, "Event", "longer than 64 KiB", nil)
	}
	err = e.write(ctx, r)
	if errors.Is(err, smokerr.ErrQueueFull) && e.drop(ctx, func(*Event) bool { return true }) > 0 {
		err = e.write(ctx, r)
	}
	if err == nil {
		e.task.wake()
	}
	return err
}

// write stores records and takes them into memory. mu is held.
func (e *events) write(ctx context.Context, records ...*eventRecord) error {
	edits := make([]store.Edit, 0, len(records))
	for _, r := range records {
		raw, err := json.Marshal(r)
		if err != nil {
			return smokerr.Store("events", eventsName, err)
		}
		edits = append(edits, store.Edit{Key: r.Event.Provisional, Value: raw})
	}
	if err := e.table.Apply(ctx, edits...); err != nil {
		return err
	}
	for _, r := range records {
		e.set(r)
	}
	return nil
}

func (e *events) get(op, id string) (Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.find(op, id)
	if err != nil {
		return Event{}, err
	}
	return r.Event.clone(), nil
}

// all returns the events, oldest first.
func (e *events) all() []Event {
	e.mu.Lock()
	records := slices.SortedFunc(maps.Values(e.kept), byNumber)
	e.mu.Unlock()
	list := make([]Event, len(records))
	for i, r := range records {
		list[i] = r.Event.clone()
	}
	return list
}

func byNumber(a, b *eventRecord) int { return cmp.Compare(a.Number, b.Number) }

// retire drops what is kept long enough.
func (e *events) retire(ctx context.Context) error {
	before := e.clock.now().Add(-e.opts.KeepEvents)
	_, err := e.forget(ctx, func(event *Event) bool {
		ended := event.EndedOn
		if event.IsPoint {
			ended = event.StartedOn
		}
		return ended.Before(before)
	})
	return err
}

// forget drops the events that are closed, that the hub has, and that old says so of.
func (e *events) forget(ctx context.Context, old func(*Event) bool) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := len(e.kept)
	err := e.dropAll(ctx, old)
	return before - len(e.kept), err
}

// drop is dropAll for those who want room, however much. mu is held.
func (e *events) drop(ctx context.Context, old func(*Event) bool) int {
	before := len(e.kept)
	_ = e.dropAll(ctx, old) // without room the caller has an error to return anyway
	return before - len(e.kept)
}

// dropAll drops events in portions. mu is held.
func (e *events) dropAll(ctx context.Context, old func(*Event) bool) error {
	var gone []string
	for key, r := range e.kept {
		if r.Event.Closed() && !r.Dirty && old(&r.Event) {
			gone = append(gone, key)
		}
	}
	for portion := range slices.Chunk(gone, 1000) {
		if err := e.table.Delete(ctx, portion...); err != nil {
			return err
		}
		for _, key := range portion {
			delete(e.byUUID, e.kept[key].Event.UUID)
			delete(e.kept, key)
		}
	}
	return nil
}

// clone returns a copy that shares nothing.
func (e *Event) clone() Event {
	c := *e
	c.Metadata = maps.Clone(e.Metadata)
	return c
}
