package smok

import (
	"iter"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Archive yields the samples of the pathpoint from one time up to and with another, in their order, from the device's own
// store: those that the hub does not have yet, and as many of the others as [PathpointSettings.Retention] keeps. The zero
// time to means all. The hub is not asked. Of a computed pathpoint there is a sample for each moment at which one of its
// constituents has one, from when all of them have. An error is the last pair.
//
// It reads the store from its beginning.
func (p *Pathpoint) Archive(from, to time.Time) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		if p == nil || p.points == nil {
			yield(Sample{}, smokerr.InstanceNotReady("archive", "pathpoint"))
			return
		}
		if err := p.points.allow("archive", false); err != nil {
			yield(Sample{}, err)
			return
		}
		all := p.points.values.backlog.Samples(p.name)
		if p.formula != nil {
			all = p.formula.archive(from, to)
		}
		for s, err := range all {
			if err == nil && (s.Time.Before(from) || !to.IsZero() && s.Time.After(to)) {
				continue
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}
