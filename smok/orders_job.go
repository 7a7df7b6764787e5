package smok

import (
	"context"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// OrderID returns the identity of the order that a handler carries out, by the context that the handler has got. It stays
// the same when a crash makes the device carry out the order again, so a handler that remembers it with its effect can
// avoid a second one. It is empty for readings that archiving asks for.
func OrderID(ctx context.Context) string { return order.ID(ctx) }

// job is sections of the hub on their way through the executor, and the journal's knowledge of them.
type job struct {
	journal   *orderJournal
	execution string
	number    uint64
	sections  []Section
	keys      []string // of the journal, to be removed at the end; none if the order link cares for that

	repeat bool        // what may have been carried out already is carried out again
	over   atomic.Bool // the job is acknowledged: nothing of it comes again
}

// submission returns the job for the executor. The function acknowledges the job before what may end the program.
func (w *job) submission(acknowledge func(ctx context.Context) error) *executor.Submission {
	for i := range w.sections {
		for k := range w.sections[i].Orders {
			w.sections[i].Orders[k].ID = identity(w.execution, i, k)
		}
	}
	return &executor.Submission{
		Lane: executor.Server, Sections: w.sections, Begin: w.begin, End: w.end,
		Acknowledge: func(ctx context.Context) error {
			if err := acknowledge(ctx); err != nil {
				return err
			}
			w.over.Store(true)
			return nil
		},
	}
}

// begin says whether an order is to be carried out, and takes note of its beginning if it must not be repeated.
func (w *job) begin(ctx context.Context, o *order.Order) error {
	switch w.journal.stepOf(o.ID) {
	case stepEnded:
		return executor.Skip("it was carried out before the restart")
	case stepBegun:
		if w.repeat {
			return nil
		}
		w.journal.report(smokerr.ErrInDoubt.Wrap("orders", nameOf(o), nil))
		return executor.Skip("it may have been carried out before the restart")
	}
	if w.over.Load() || repeatable(o) {
		return nil
	}
	if err := w.journal.put(ctx, o.ID, stepBegun); err != nil { // it is not carried out, and does not come again
		err = smokerr.Store("begin", nameOf(o), err)
		w.journal.report(err)
		return err
	}
	return nil
}

// nameOf is what an error calls an order that has no path.
func nameOf(o *order.Order) string { return string(o.Type) + " " + o.OpType + o.UUID }

// end takes note that an order is not to be carried out again, when others of the job still are.
func (w *job) end(o *order.Order, out Outcome) {
	last := len(w.sections) == 1 && len(w.sections[0].Orders) == 1
	if last || o.Type == OrderRead || out.Status != Done && out.Status != Failed || w.over.Load() {
		return
	}
	if err := w.journal.put(context.Background(), o.ID, stepEnded); err != nil {
		w.journal.report(err)
	}
}

// repeatable reports whether an order does no harm when it is carried out twice.
func repeatable(o *order.Order) bool { return o.Type != OrderMessage && o.Type != OrderSysctl }

// finish removes a job of a batch from the journal.
func (w *job) finish(ctx context.Context) error {
	if w.over.Load() || len(w.keys) == 0 {
		return nil
	}
	return w.journal.forget(ctx, w.execution, w.keys...)
}

// dropKeys returns the keys, of which the job knows nothing from then on: it is not in the journal.
func (w *job) dropKeys() []string {
	keys := w.keys
	w.keys = nil
	return keys
}
