package executor

import (
	"context"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Lane says whose sections these are. Lower numbers go first.
type Lane int

// The lanes.
const (
	Server  Lane = iota // orders of the hub
	User                // of the program
	Macro               // of macros
	Archive             // of archiving
	lanes
)

// String returns the name of the lane in lower case.
func (l Lane) String() string {
	names := [...]string{"server", "user", "macro", "archive"}
	if l < 0 || l >= lanes {
		return "unknown"
	}
	return names[l]
}

// Submission is what [Executor.Submit] takes: sections that belong together, such as those of a frame.
type Submission struct {
	Lane     Lane
	Sections []order.Section

	// Acknowledge, if not nil, is called once, before the first disruptive order and after everything else of the
	// submission has ended: what it acknowledges does not come again when the order ends the program. If it fails, the
	// disruptive orders are abandoned.
	Acknowledge func(ctx context.Context) error

	// Begin, if not nil, is called before the first attempt of an order other than a wait, on the goroutine of the order,
	// and after Acknowledge if that is called for it. With an error the attempt is not made; a [SkipError] skips the order.
	Begin func(ctx context.Context, o *order.Order) error

	// End, if not nil, is called when such an order has ended, before anybody is told, on the goroutine of the order. It is
	// not called for orders that were cancelled or abandoned, nor for those whose calls go on after their time.
	End func(o *order.Order, out Outcome)
}

// Handle is a submission under way. All methods may be called from several goroutines.
type Handle struct {
	e      *Executor
	ctx    context.Context // of the calls; ends with Cancel, or when the executor gives up
	cancel context.CancelFunc

	// Of the one sysctl order that is carried out at a time.
	acknowledge func(ctx context.Context) error // nil if there is nothing to acknowledge, or no longer

	began func(ctx context.Context, o *order.Order) error // nil if nobody wants to know
	ended func(o *order.Order, out Outcome)               // likewise

	// Guarded by e.mu until done is closed.
	results   Results
	units     []*unit
	left      int // units that have not ended
	cancelled bool
	abandoned bool
	err       error // of acknowledge

	done chan struct{}
}

func newHandle(e *Executor, s *Submission) *Handle {
	h := &Handle{
		e: e, acknowledge: s.Acknowledge, began: s.Begin, ended: s.End,
		done: make(chan struct{}), results: make(Results, len(s.Sections)),
	}
	h.ctx, h.cancel = context.WithCancel(e.ctx)
	for i := range s.Sections {
		h.results[i] = make([]Outcome, len(s.Sections[i].Orders))
	}
	return h
}

// Done returns a channel that is closed when all sections have ended.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Wait waits until all sections have ended and returns what became of their orders. It says nothing of success: look at
// the outcomes. An error says that the submission does not count as handled, since it was abandoned, or that ctx ended
// before; then the results are nil. Sections that were cancelled do count.
func (h *Handle) Wait(ctx context.Context) (Results, error) {
	select {
	case <-h.done:
	default:
		select {
		case <-h.done:
		case <-ctx.Done():
			cause := errkit.FromContext(ctx)
			return nil, &errkit.Basic{Info: errkit.Info{
				Class: smokerr.Err, Op: "wait", Kind: errkit.TransportKind(cause), Err: cause,
			}}
		}
	}
	switch {
	case h.err != nil:
		return h.results, h.err
	case h.abandoned:
		return h.results, &errkit.Basic{Info: errkit.Info{Class: smokerr.ErrClosed, Op: "execute"}}
	}
	return h.results, nil
}

// Cancel ends the submission: orders that have not begun are not carried out, the contexts of the others end. It does
// not wait.
func (h *Handle) Cancel() {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	if h.left == 0 || h.cancelled {
		return
	}
	h.cancelled = true
	h.cancel()
	h.e.drop(h)
	h.e.dispatch()
}

// fate returns the state of an order that did not get its turn.
func (h *Handle) fate() Status {
	if h.cancelled {
		return Cancelled
	}
	return Abandoned
}
