package smok

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Limits of an upload of events.
const (
	eventsBatch = 100
	eventsBytes = 128 << 10 // also as JSON, however much that escapes, they fit into one change of the table
	// refusedEvery is how long an event that the hub refused waits until it is tried again unchanged: the refusal may have
	// been a fault of the hub's.
	refusedEvery = 24 * time.Hour
)

// sync uploads the events that the hub does not have as they are, each once, oldest first.
func (e *events) sync(ctx context.Context) error {
	for {
		batch := e.batch()
		if len(batch) == 0 {
			return nil
		}
		if err := e.upload(ctx, batch); err != nil {
			return smokerr.Sync("sync", eventsName, err)
		}
	}
}

// batch returns the oldest events that the hub is to get, as many as one request takes.
func (e *events) batch() []*eventRecord {
	now := e.clock.now()
	e.mu.Lock()
	var dirty []*eventRecord
	for r := range maps.Values(e.kept) {
		if r.Dirty && (r.Refused.IsZero() || now.Sub(r.Refused).Abs() >= refusedEvery) {
			dirty = append(dirty, r)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(dirty, byNumber)
	var body []byte
	for i, r := range dirty {
		event := r.Event.wire(true)
		body, _ = api.AppendEvent(body, &event) // it could be encoded when it was accepted
		if i == eventsBatch || i > 0 && len(body) > eventsBytes {
			return dirty[:i]
		}
	}
	return dirty
}

// upload sends events, in halves if the hub does not want them together, and takes note of what it says.
func (e *events) upload(ctx context.Context, batch []*eventRecord) error {
	wire := make([]api.Event, len(batch))
	for i, r := range batch {
		wire[i] = r.Event.wire(!e.opts.OmitProvisionalUUID)
	}
	uuids, err := e.api.UploadEvents(ctx, wire)
	switch {
	case err == nil:
		e.refused = 0
		return e.acknowledge(ctx, batch, uuids)
	case !rejected(err):
		return err
	case e.refused >= maxRefused:
		e.refused = 0
		return err
	case len(batch) == 1:
		e.refused++
		return e.refuse(ctx, batch[0], err)
	}
	if err := e.upload(ctx, batch[:len(batch)/2]); err != nil {
		return err
	}
	return e.upload(ctx, batch[len(batch)/2:])
}

// acknowledge records the uuids that the hub has given, in the order of the batch. An event that changed meanwhile stays
// dirty.
func (e *events) acknowledge(ctx context.Context, batch []*eventRecord, uuids []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var known []*eventRecord
	missing := len(batch)
	for i, uuid := range uuids {
		if uuid == "" {
			continue
		}
		missing--
		if now := e.kept[batch[i].Event.Provisional]; now != nil {
			r := *now
			r.Event.UUID, r.Refused = uuid, time.Time{}
			r.Dirty = now != batch[i]
			known = append(known, &r)
		}
	}
	if err := e.write(context.WithoutCancel(ctx), known...); err != nil { // the hub has them
		return err
	}
	if missing > 0 {
		return fmt.Errorf("the hub said nothing of %d of %d events", missing, len(batch))
	}
	return nil
}

// refuse records that the hub does not want an event as it is.
func (e *events) refuse(ctx context.Context, sent *eventRecord, cause error) error {
	e.report(eventsName, smokerr.Sync("sync", eventsName, cause))
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.kept[sent.Event.Provisional]
	if now != sent {
		return nil // it changed meanwhile, or is gone
	}
	r := *now
	r.Refused = e.clock.now()
	return e.write(context.WithoutCancel(ctx), &r)
}
