package smok

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/silence"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Predicate is a statistic as the hub has configured it for one thing to watch. All methods may be called from several
// goroutines; they show what the hub said last.
type Predicate struct {
	area *predicates

	mu  sync.Mutex
	def api.PredicateDef // replaced, not changed
}

// SilentPeriod is a part of the week, in the time zone of the device, in which a predicate raises no events. Stop is
// included, to the minute; if it comes before Start, the period runs over the end of the week.
type SilentPeriod = api.Silencing

// WeekTime is a minute of the week, in the time zone of the device.
type WeekTime = api.WeekTime

func (p *Predicate) definition() api.PredicateDef {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.def
}

// ID returns the id that the hub has given.
func (p *Predicate) ID() string { return p.definition().ID }

// Statistic returns the name of the statistic.
func (p *Predicate) Statistic() string { return p.definition().Statistic }

// VerboseName returns the name for people.
func (p *Predicate) VerboseName() string { return p.definition().VerboseName }

// Group returns the group of the events that the predicate raises.
func (p *Predicate) Group() string { return p.definition().Group }

// Configuration returns the configuration, a JSON object, nil if there is none.
func (p *Predicate) Configuration() json.RawMessage {
	return slices.Clone(p.definition().Configuration)
}

// Decode decodes the configuration into what dst points to, as [json.Unmarshal] does; without a configuration nothing
// happens. An error is an *[EntryError].
func (p *Predicate) Decode(dst any) error {
	d := p.definition()
	if d.Configuration == nil {
		return nil
	}
	if err := json.Unmarshal(d.Configuration, dst); err != nil {
		return smokerr.BadEntry("predicate.decode", "configuration", 0, "", err)
	}
	return nil
}

// Silencing returns the periods in which the predicate raises no events.
func (p *Predicate) Silencing() []SilentPeriod { return slices.Clone(p.definition().Silencing) }

// Silenced reports whether the predicate raises no events now. While the clock of the device is not set it does: better an
// alarm too many.
func (p *Predicate) Silenced() bool {
	if !p.area.clock.sane() {
		return false
	}
	return p.silencedAt(p.area.info.local())
}

func (p *Predicate) silencedAt(local time.Time) bool {
	d := p.definition()
	periods := make([]silence.Period, len(d.Silencing))
	for i, s := range d.Silencing {
		periods[i] = silence.Period{Start: silence.Moment(s.Start), Stop: silence.Moment(s.Stop)}
	}
	return silence.Contain(periods, local)
}

// OpenEvent raises an event, unless the predicate is silenced now: then it returns false. The event has the verbose name,
// with the message behind it if there is one, the statistic as its token, the group of the predicate, and its id in the
// metadata. See [Device.OpenEvent] and [Device.CloseEvent].
func (p *Predicate) OpenEvent(ctx context.Context, message string, color Color) (event Event, raised bool, err error) {
	if err := p.area.allow("openEvent", p.area.opts.Disable.Events); err != nil {
		return Event{}, false, err
	}
	if p.Silenced() {
		return Event{}, false, nil
	}
	d := p.definition()
	text := d.VerboseName
	if message != "" {
		text += ": " + message
	}
	event, err = p.area.events.open(ctx, "openEvent", Event{
		Color: color, Token: d.Statistic, Group: d.Group, Message: text, Metadata: map[string]string{"predicate_id": d.ID},
	})
	return event, err == nil, err
}

// differences returns what differs between two definitions of a predicate.
func differences(a, b *api.PredicateDef) Change {
	var what Change
	for bit, differs := range map[Change]bool{
		ConfigurationChanged: !sameJSON(a.Configuration, b.Configuration),
		SilencingChanged:     !slices.Equal(a.Silencing, b.Silencing),
		VerboseNameChanged:   a.VerboseName != b.VerboseName,
		GroupChanged:         a.Group != b.Group,
	} {
		if differs {
			what |= bit
		}
	}
	return what
}

// sameJSON reports whether two documents mean the same, whatever the order of their members.
func sameJSON(a, b json.RawMessage) bool {
	if string(a) == string(b) {
		return true
	}
	normal := func(doc json.RawMessage) string {
		var v any
		if json.Unmarshal(doc, &v) != nil {
			return string(doc)
		}
		text, err := json.Marshal(v)
		if err != nil {
			return string(doc)
		}
		return string(text)
	}
	return normal(a) == normal(b)
}
