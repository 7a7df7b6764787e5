package smok

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/reparse"
	"github.com/fieldlink-go/fieldlink/smok/internal/series"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// formula is how a pathpoint is computed from others.
type formula struct {
	expr  *reparse.Expr
	from  []*Pathpoint // one for each name in the expression
	clock *clock
}

// maxNesting is how deep computed pathpoints may be made of computed ones.
const maxNesting = 8

// compute makes the computed pathpoint of that name.
func (s *points) compute(op, name string, level StorageLevel) (*Pathpoint, error) {
	return s.computeNested(op, name, level, maxNesting)
}

func (s *points) computeNested(op, name string, level StorageLevel, depth int) (*Pathpoint, error) {
	if depth == 0 {
		return nil, smokerr.InvalidArgument(op, "name", "is nested too deeply", nil)
	}
	expr, err := reparse.Compile(name, &reparse.Options{
		LegacyFloat: s.opts.Pathpoints.LegacyFloat, Coerce: s.opts.Pathpoints.CoerceComputed,
	})
	if err != nil {
		return nil, err
	}
	f := &formula{expr: expr, clock: s.clock}
	p := &Pathpoint{points: s, name: name, typ: expr.Type(), formula: f, level: Trend}
	p.does.Store(&inert)
	for _, path := range expr.Paths() {
		var of *Pathpoint
		if value.IsReparse(path) {
			of, err = s.computeNested(op, path, level, depth-1)
		} else {
			of, err = s.get(op, path, level)
		}
		if err != nil {
			return nil, err
		}
		p.level = value.Combine(p.level, of.Level())
		f.from = append(f.from, of)
	}
	return p, nil
}

// get computes the value of now.
func (f *formula) get() (Sample, error) {
	row := series.Row{Samples: make([]Sample, len(f.from))}
	for i, p := range f.from {
		s, err := p.Get()
		if err != nil {
			return Sample{}, err
		}
		row.Samples[i] = s
		if s.Time.After(row.Time) {
			row.Time = s.Time
		}
	}
	s := f.eval(row)
	return s, s.Err(f.expr.Name())
}

// eval computes the value of a row. What fails is a sample without a value.
func (f *formula) eval(row series.Row) Sample {
	values := make([]any, len(row.Samples))
	for i, s := range row.Samples {
		if !s.OK() {
			return Sample{Time: row.Time, Reason: s.Reason}
		}
		values[i] = s.Value
	}
	v, err := f.expr.Eval(values)
	if err == nil {
		v, err = value.Canonical(v)
	}
	if err != nil {
		return Sample{Time: row.Time, Reason: smokerr.ReasonType}
	}
	return Sample{Time: row.Time, Value: v}
}

// read reads the constituents, each once.
func (f *formula) read(ctx context.Context, advise order.Advise) error {
	var first error
	for _, p := range f.natives(nil) {
		err := target{p}.Read(ctx, advise)
		if _, skipped := errors.AsType[*executor.SkipError](err); !skipped && first == nil {
			first = err
		}
	}
	return first
}

// natives adds to all the pathpoints that f is computed from, in the end, each once.
func (f *formula) natives(all []*Pathpoint) []*Pathpoint {
next:
	for _, p := range f.from {
		if p.formula != nil {
			all = p.formula.natives(all)
			continue
		}
		for _, other := range all {
			if other == p {
				continue next
			}
		}
		all = append(all, p)
	}
	return all
}

// archive computes the values of the past.
func (f *formula) archive(from, to time.Time) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		all := make([]iter.Seq2[Sample, error], len(f.from))
		for i, p := range f.from {
			all[i] = p.Archive(from, to)
		}
		for row, err := range series.Merge(all...) {
			if err != nil {
				yield(Sample{}, err)
				return
			}
			if !yield(f.eval(row), nil) {
				return
			}
		}
	}
}
