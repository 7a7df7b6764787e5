package smok

import (
	"context"
	"iter"
	"maps"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Color says how serious an event is. Unknown ones are not sent.
type Color int

// The colors.
const (
	White  Color = api.ColorWhite
	Yellow Color = api.ColorYellow
	Red    Color = api.ColorRed
)

// String returns "white", "yellow", "red" or "unknown".
func (c Color) String() string {
	switch c {
	case White:
		return "white"
	case Yellow:
		return "yellow"
	case Red:
		return "red"
	}
	return "unknown"
}

// Event is an alarm. It is open from the time it started on until it is closed; a point event has no duration and is
// closed from the beginning.
type Event struct {
	UUID        string    // given by the hub; empty until the hub has the event
	Provisional string    // given by the device: 32 hexadecimal digits
	StartedOn   time.Time // seconds count on the wire
	EndedOn     time.Time // zero while the event is open, and for a point event
	Color       Color
	IsPoint     bool
	Token       string // what raised it: for a predicate its statistic
	Group       string
	Message     string
	HandledBy   string // the user who cares for it; empty if nobody does
	Metadata    map[string]string
}

// Closed reports whether the event is over.
func (e *Event) Closed() bool { return e.IsPoint || !e.EndedOn.IsZero() }

// OpenEvent raises an event and returns it with its provisional uuid. With a nil error it is stored, and reaches the hub
// when that can be reached: once, if the hub tells events apart by smok_provisional_uuid in their metadata. The zero
// StartedOn means now. UUID, Provisional and EndedOn must be empty.
func (d *Device) OpenEvent(ctx context.Context, e Event) (Event, error) {
	const op = "openEvent"
	if err := d.allow(op, d.opts.Disable.Events); err != nil {
		return Event{}, err
	}
	if e.UUID != "" || e.Provisional != "" || !e.EndedOn.IsZero() {
		return Event{}, smokerr.InvalidArgument(op, "Event", "is not a new one", nil)
	}
	return d.events.open(ctx, op, e)
}

// UpdateEvent changes an event. The hub gets what it is then, once more. change is called while other changes wait; it
// must not use the device, and cannot change uuids, StartedOn, EndedOn and IsPoint. The id is either uuid; an unknown one
// is a *[NotFoundError].
func (d *Device) UpdateEvent(ctx context.Context, id string, change func(*Event)) (Event, error) {
	const op = "updateEvent"
	if err := d.allow(op, d.opts.Disable.Events); err != nil {
		return Event{}, err
	}
	return d.events.edit(ctx, op, id, func(e *Event) error {
		fixed := *e
		change(e)
		e.UUID, e.Provisional, e.IsPoint = fixed.UUID, fixed.Provisional, fixed.IsPoint
		e.StartedOn, e.EndedOn = fixed.StartedOn, fixed.EndedOn
		return nil
	})
}

// CloseEvent ends an open event now. The id is either uuid; an unknown one is a *[NotFoundError], an event that is closed
// an *[InvalidArgumentError].
func (d *Device) CloseEvent(ctx context.Context, id string) (Event, error) {
	const op = "closeEvent"
	if err := d.allow(op, d.opts.Disable.Events); err != nil {
		return Event{}, err
	}
	return d.events.edit(ctx, op, id, func(e *Event) error {
		if e.Closed() {
			return smokerr.InvalidArgument(op, "id", "the event is closed", nil)
		}
		e.EndedOn = d.clock.now()
		if e.EndedOn.Before(e.StartedOn) { // the clock was set back
			e.EndedOn = e.StartedOn
		}
		return nil
	})
}

// Event returns the event with this uuid, of the hub or provisional, or a *[NotFoundError].
func (d *Device) Event(id string) (Event, error) {
	const op = "event"
	if err := d.allow(op, d.opts.Disable.Events); err != nil {
		return Event{}, err
	}
	return d.events.get(op, id)
}

// Events returns the events that the device still has, oldest first: those that are open, those that the hub does not
// have, and of the others those that ended not longer ago than [Options.KeepEvents].
func (d *Device) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, e := range d.events.all() {
			if !yield(e) {
				return
			}
		}
	}
}

// ForgetEvents drops the events that are closed and that the hub has, and returns how many there were.
func (d *Device) ForgetEvents(ctx context.Context) (int, error) {
	const op = "forgetEvents"
	if err := d.allow(op, d.opts.Disable.Events); err != nil {
		return 0, err
	}
	return d.events.forget(ctx, func(*Event) bool { return true })
}

// wire returns the event as the hub gets it. With marked, its metadata has the provisional uuid.
func (e *Event) wire(marked bool) api.Event {
	w := api.Event{
		UUID: e.UUID, StartedOn: e.StartedOn, EndedOn: e.EndedOn, Color: int(e.Color), IsPoint: e.IsPoint, Token: e.Token,
		Group: e.Group, Message: e.Message, HandledBy: e.HandledBy, Metadata: e.Metadata,
	}
	if marked {
		w.Metadata = maps.Clone(e.Metadata)
		if w.Metadata == nil {
			w.Metadata = make(map[string]string, 1)
		}
		w.Metadata[provisionalKey] = e.Provisional
	}
	return w
}

// provisionalKey is the member of an event's metadata by which the hub can tell a repeated event from a new one.
const provisionalKey = "smok_provisional_uuid"
