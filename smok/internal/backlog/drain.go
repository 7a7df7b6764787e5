package backlog

import (
	"context"
	"errors"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// item is a value of a batch.
type item struct {
	part   *part
	record store.Record
	value  Value
	sample api.Sample
}

// part is what a batch has of one gap.
type part struct {
	stream *stream
	gap    gap
	items  []item
	done   int // items that were dealt with, from the first one on
}

// Drain sends values until the hub has all, but for those whose time is not known yet. An error says why it stopped; what
// is left is where it was.
func (b *Backlog) Drain(ctx context.Context) error {
	for _, s := range b.streams() {
		s.branch(b.opts.BatchValues)
	}
	defer func() { _ = b.Save() }() // what is not written down comes again
	b.refusals = 0
	for {
		parts, err := b.collect()
		if err != nil || len(parts) == 0 {
			return err
		}
		var items []*item
		for _, p := range parts {
			for i := range p.items {
				items = append(items, &p.items[i])
			}
		}
		err = b.deliver(ctx, items)
		for _, p := range parts {
			if p.done > 0 {
				p.stream.confirm(p.gap.from, &p.items[p.done-1].record)
			}
		}
		if err := errors.Join(err, b.Trim()); err != nil {
			return err
		}
		for _, s := range b.streams() {
			if err := s.save(false); err != nil {
				return err
			}
		}
	}
}

// collect makes a batch. Up to half of it is what is newest, if that is not all there is; it stands behind the rest, so
// that within a request the values of a pathpoint are in their order.
func (b *Backlog) collect() ([]*part, error) {
	var live, old []*part
	room := budget{values: b.opts.BatchValues / 2, bytes: b.opts.BatchBytes / 2}
	for _, s := range b.streams() {
		if g, ok := s.newest(); ok {
			p, err := b.take(s, g, &room)
			if err != nil {
				return nil, err
			}
			live = append(live, p)
		}
	}
	room.values += b.opts.BatchValues - b.opts.BatchValues/2
	room.bytes += b.opts.BatchBytes - b.opts.BatchBytes/2
	for _, s := range b.streams() {
		p, err := b.take(s, s.oldest(), &room)
		if err != nil {
			return nil, err
		}
		old = append(old, p)
	}
	return slices.DeleteFunc(append(old, live...), func(p *part) bool { return len(p.items) == 0 }), nil
}

// budget is what a batch still has room for.
type budget struct {
	values, bytes int
	paths         map[string]bool // that are in the batch
	scratch       []byte
}

// take adds values of a gap to a batch.
func (b *Backlog) take(s *stream, g gap, room *budget) (*part, error) {
	p := &part{stream: s, gap: g}
	for at := g.from; room.values > 0; {
		records, err := s.log.PeekFrom(at, room.values)
		if err != nil {
			return nil, err
		}
		for i := range records {
			r := &records[i]
			if g.to != 0 && r.Seq >= g.to {
				records = nil
				break
			}
			at = r.Seq + 1
			it, more, err := b.prepare(s, r)
			if err != nil || !more {
				return p, err
			}
			if it == nil {
				continue
			}
			if !room.fits(it) && (len(p.items) > 0 || room.paths != nil) {
				return p, nil
			}
			room.add(it)
			it.part = p
			p.items = append(p.items, *it)
		}
		if len(records) == 0 {
			if len(p.items) == 0 && g.to != 0 {
				s.skip(g)
			}
			return p, nil
		}
	}
	return p, nil
}

// prepare makes an item of a record. It is nil if the record was set aside; more is false if it has to wait, and with it
// what is behind.
func (b *Backlog) prepare(s *stream, r *store.Record) (it *item, more bool, err error) {
	v, err := Decode(r)
	if err != nil {
		if b.opts.Damaged != nil {
			b.opts.Damaged(err)
		}
		return nil, true, s.log.Quarantine(r.Seq, "is no value")
	}
	if v.Boot != 0 {
		at, verdict := b.opts.Resolve(&v)
		switch verdict {
		case Later:
			return nil, false, nil
		case Never:
			err := smokerr.Corrupt("send", "values", errNoTime)
			return nil, true, b.giveUp(s, r, v, err)
		}
		v.Time = at
	}
	return &item{record: *r, value: v, sample: api.Sample{Time: v.Time, Value: v.Sample.Value, Reason: v.Reason}}, true, nil
}

var errNoTime = errors.New("taken before the clock was set, in an earlier run of the program")

// giveUp sets a value aside.
func (b *Backlog) giveUp(s *stream, r *store.Record, v Value, why error) error {
	if err := s.log.Quarantine(r.Seq, why.Error()); err != nil {
		return err
	}
	b.tellGivenUp(v, why)
	return nil
}

func (b *Backlog) tellGivenUp(v Value, why error) {
	b.givenUp.Add(1)
	if b.opts.GivenUp != nil {
		b.opts.GivenUp(v, why)
	}
}

// seriesBytes is what a series takes beside its path and its samples, at most.
const seriesBytes = 40

// size returns what a value takes in a request.
func (r *budget) size(it *item) int {
	out, err := api.AppendSample(r.scratch[:0], &it.sample)
	n := 16 // it cannot be encoded, and will be given up
	if err == nil {
		r.scratch, n = out, len(out)
	}
	if !r.paths[it.value.Path] {
		n += len(it.value.Path) + seriesBytes
	}
	return n
}

func (r *budget) fits(it *item) bool { return r.values > 0 && r.size(it) <= r.bytes }

func (r *budget) add(it *item) {
	r.values--
	r.bytes -= r.size(it)
	if r.paths == nil {
		r.paths = make(map[string]bool)
	}
	r.paths[it.value.Path] = true
}

// deliver sends items. Those that the hub refuses are found by halving, and given up.
func (b *Backlog) deliver(ctx context.Context, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	err := b.opts.Send(ctx, series(items))
	if err == nil {
		b.refusals = 0
		for _, it := range items {
			it.part.done++
		}
		return nil
	}
	if !rejected(err) {
		return err
	}
	if len(items) > 1 {
		half := len(items) / 2
		if err := b.deliver(ctx, items[:half]); err != nil {
			return err
		}
		return b.deliver(ctx, items[half:])
	}
	it := items[0]
	if aside := b.giveUp(it.part.stream, &it.record, it.value, err); aside != nil {
		if errors.Is(aside, errkit.Closed) {
			return aside
		}
		b.tellGivenUp(it.value, errors.Join(err, aside)) // a full disk must not make it block what is behind it
	}
	it.part.done++
	if b.refusals++; b.refusals >= b.opts.Refusals {
		return err // it may be the hub and not the values
	}
	return nil
}

// rejected reports whether these very values were refused, now and for ever.
func rejected(err error) bool {
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
		return response.Rejected()
	}
	return errors.Is(err, smokerr.ErrInvalidArgument) // they have no form on the wire
}

// series sorts items by their pathpoints. Those of one keep their order.
func series(items []*item) []api.Series {
	var all []api.Series
	index := make(map[string]int)
	for _, it := range items {
		i, ok := index[it.value.Path]
		if !ok {
			i = len(all)
			index[it.value.Path] = i
			all = append(all, api.Series{Path: it.value.Path})
		}
		all[i].Samples = append(all[i].Samples, it.sample)
	}
	return all
}
