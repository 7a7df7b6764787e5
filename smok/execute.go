package smok

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Order is one thing to do: [OrderRead] and so on say what. Which fields count depends on the type.
type Order = order.Order

// Section is a group of orders that are carried out together, and what waits in the queue as one. Orders for different
// pathpoints run side by side, those for one pathpoint in the order of the list.
type Section = order.Section

// OrderType says what an [Order] asks for.
type OrderType = order.Type

// The types of orders.
const (
	OrderRead    = order.Read    // read the pathpoint Path
	OrderWrite   = order.Write   // write Value to the pathpoint Path
	OrderWait    = order.Wait    // let the section last for at least Wait
	OrderMessage = order.Message // let the hub send its message UUID
	OrderSysctl  = order.Sysctl  // do what the program makes of OpType and OpArgs
)

// Execution is sections under way: see [Device.Execute].
type Execution = executor.Handle

// Results has the outcomes of an [Execution]: those of the orders of each section, in the order of the lists.
type Results = executor.Results

// Outcome is what became of one order.
type Outcome = executor.Outcome

// OrderStatus says what became of an order.
type OrderStatus = executor.Status

// The states of an [Outcome].
const (
	Done      = executor.Done      // carried out
	Skipped   = executor.Skipped   // there was nothing to do; see Outcome.Reason
	Stale     = executor.Stale     // too old, by its StaleAfter
	Failed    = executor.Failed    // by Outcome.Err, after all attempts
	Cancelled = executor.Cancelled // by Execution.Cancel
	Abandoned = executor.Abandoned // since the device was closed
)

// Execute lets sections be carried out, behind the orders of the hub that wait. It waits for room in the queue, until ctx
// ends, and not for the sections: their end does not depend on ctx. A section that means nothing is an
// *[InvalidArgumentError].
func (d *Device) Execute(ctx context.Context, sections ...Section) (*Execution, error) {
	if d.closing.Load() {
		return nil, smokerr.Closed("execute")
	}
	return d.exec.SubmitWait(ctx, &executor.Submission{Lane: executor.User, Sections: identified(sections)})
}

// identified returns a copy of sections of the program, with identities for the orders that have none.
func identified(sections []Section) []Section {
	execution := rand.Text()
	sections = slices.Clone(sections)
	for i := range sections {
		orders := slices.Clone(sections[i].Orders)
		for k := range orders {
			orders[k].ID = cmp.Or(orders[k].ID, identity(execution, i, k))
		}
		sections[i].Orders = orders
	}
	return sections
}

// Read takes a reading, among the other orders for this pathpoint, waits for it and returns the newest sample, which may
// be older if [PathpointOptions.ReadNoOftenThan] says so. A computed pathpoint lets its constituents be read. When ctx
// ends, the reading is given up. It must not be called from a handler of the same pathpoint.
func (p *Pathpoint) Read(ctx context.Context, advise Advise) (Sample, error) {
	if p == nil || p.points == nil {
		return Sample{}, smokerr.InstanceNotReady("read", "pathpoint")
	}
	from := []*Pathpoint{p}
	if p.formula != nil {
		from = p.formula.natives(nil)
	}
	section := Section{}
	for _, n := range from {
		if !n.CanRead() {
			if p == n {
				return Sample{}, smokerr.ErrUnavailable.Wrap("read", p.name, nil)
			}
			continue
		}
		section.Orders = append(section.Orders, Order{Type: OrderRead, Path: n.name, Advise: advise})
	}
	if err := p.points.execute(ctx, "read", section); err != nil {
		return Sample{}, err
	}
	return p.Get()
}

// Write lets the pathpoint be written, among the other orders for it, and waits for that. For a computed pathpoint it does
// nothing. When ctx ends, the write is given up. It must not be called from a handler of the same pathpoint.
func (p *Pathpoint) Write(ctx context.Context, v any, advise Advise) error {
	switch {
	case p == nil || p.points == nil:
		return smokerr.InstanceNotReady("write", "pathpoint")
	case p.formula != nil:
		return nil
	case !p.CanWrite():
		return smokerr.ErrUnavailable.Wrap("write", p.name, nil)
	}
	v, err := p.coerce("write", v)
	if err != nil {
		return err
	}
	return p.points.execute(ctx, "write", Section{Orders: []Order{{Type: OrderWrite, Path: p.name, Value: v, Advise: advise}}})
}

// execute carries out a section and returns the error of the first order that failed.
func (h *host) execute(ctx context.Context, op string, section Section) error {
	if h.closing.Load() {
		return smokerr.Closed(op)
	}
	if len(section.Orders) == 0 {
		return nil
	}
	handle, err := h.exec.SubmitWait(ctx, &executor.Submission{Lane: executor.User, Sections: []Section{section}})
	if err != nil {
		return err
	}
	results, err := handle.Wait(ctx)
	if err != nil {
		handle.Cancel()
		return err
	}
	for _, outcome := range results[0] {
		switch outcome.Status {
		case Done, Skipped:
		case Failed:
			return outcome.Err
		default:
			return smokerr.Canceled(op, "", 0, outcome.Err)
		}
	}
	return nil
}
