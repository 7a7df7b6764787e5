package smok

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Statistic is what the program does about predicates: the hub configures which ones there are, the statistic looks at the
// device and raises events. S is what it remembers of one predicate from one time to the next, as far as encoding/json
// writes it down, also over restarts.
//
// The functions of one predicate are called one after the other, from a goroutine of their own. A call that fails or panics
// is reported; one that takes longer than [Options.PredicateTimeout], which is when its context ends, is reported and
// waited for. Other predicates do not notice.
type Statistic[S any] struct {
	// Name is the name of the statistics that this is for, as the hub gives it. Match, if not nil, decides in its place.
	Name  string
	Match func(statistic string, configuration json.RawMessage) bool

	// Tick is called at once and then every [Intervals.Ticks]. It may change the state, which is stored also if it fails.
	Tick func(ctx context.Context, p *Predicate, state *S) error

	// Changed is called before the next tick when the hub has changed the predicate. Nil means that nothing is to be done:
	// the predicate shows what the hub says in any case.
	Changed func(ctx context.Context, p *Predicate, state *S, what Change) error

	// Stopped is called when the predicate is switched off by the hub, which keeps the state, or is deleted, which does not.
	// It is not called when the device closes. Nil means that nothing is to be done.
	Stopped func(ctx context.Context, p *Predicate, state *S, deleted bool) error
}

// Change says what the hub has changed of a predicate: a combination of bits.
type Change uint8

// What can change.
const (
	ConfigurationChanged Change = 1 << iota
	SilencingChanged
	VerboseNameChanged
	GroupChanged
)

// Registration is what [RegisterStatistic] returns.
type Registration struct {
	area   *predicates
	matter matcher
}

// Cancel ends the registration: no further predicates get this statistic. Those that have it keep it.
func (r *Registration) Cancel() { r.area.unregister(r) }

// RegisterStatistic lets a statistic take care of the predicates that it matches: at once of those that the hub has
// configured already and no other has taken, be that before a restart and without a link. Of several that match, the first
// one that was registered takes it.
func RegisterStatistic[S any](d *Device, s Statistic[S]) (*Registration, error) {
	const op = "registerStatistic"
	switch err := d.allow(op, d.opts.Disable.Predicates); {
	case err != nil:
		return nil, err
	case s.Tick == nil:
		return nil, smokerr.InvalidArgument(op, "Tick", "nil", nil)
	case s.Name == "" && s.Match == nil:
		return nil, smokerr.InvalidArgument(op, "Name", "empty, and no Match", nil)
	}
	return d.predicates.register(matcher{
		matches: func(statistic string, configuration json.RawMessage) bool {
			if s.Match != nil {
				return s.Match(statistic, slices.Clone(configuration))
			}
			return s.Name == statistic
		},
		start: func(state []byte) (logic, error) {
			l := &typedLogic[S]{statistic: s}
			if state == nil {
				return l, nil
			}
			err := json.Unmarshal(state, &l.state)
			if err != nil {
				l.state = *new(S) // not half of it
			}
			return l, err
		},
	}), nil
}

// matcher is a registered statistic without its type.
type matcher struct {
	matches func(statistic string, configuration json.RawMessage) bool
	start   func(state []byte) (logic, error) // an error is that of the state; there is a logic all the same
}

// logic is what a statistic does about one predicate.
type logic interface {
	tick(ctx context.Context, p *Predicate) error
	changed(ctx context.Context, p *Predicate, what Change) error
	stopped(ctx context.Context, p *Predicate, deleted bool) error
	save() ([]byte, error) // the state
}

type typedLogic[S any] struct {
	statistic Statistic[S]
	state     S
}

func (l *typedLogic[S]) tick(ctx context.Context, p *Predicate) error {
	return l.statistic.Tick(ctx, p, &l.state)
}

func (l *typedLogic[S]) changed(ctx context.Context, p *Predicate, what Change) error {
	if l.statistic.Changed == nil {
		return nil
	}
	return l.statistic.Changed(ctx, p, &l.state, what)
}

func (l *typedLogic[S]) stopped(ctx context.Context, p *Predicate, deleted bool) error {
	if l.statistic.Stopped == nil {
		return nil
	}
	return l.statistic.Stopped(ctx, p, &l.state, deleted)
}

func (l *typedLogic[S]) save() ([]byte, error) { return json.Marshal(&l.state) }
