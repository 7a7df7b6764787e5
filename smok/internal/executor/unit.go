package executor

import (
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// unit is a section in the queue. The disruptive orders of a submission are one of their own, behind the others.
type unit struct {
	h    *Handle
	lane Lane
	ops  []op
	wait time.Duration // the longest of its wait orders
	// The outcomes of its wait orders.
	waits      []*Outcome
	alone      bool // cannot be joined
	disruptive bool

	// Guarded by the executor's mu.
	started, finished bool
	handed            bool // to the replacement
	begin             time.Time
	next              int // the first of ops that is not in the lane's ready list and was not before
	left              int // ops that have not ended
	timer             *time.Timer
}

// state is where an order is on its way.
type state uint8

const (
	queued  state = iota // with its section
	ready                // in the lane's ready list
	running              // in a call
	delayed              // between two attempts
	ended
)

// op is an order other than a wait on its way.
type op struct {
	u     *unit
	order order.Order
	out   *Outcome
	key   string // what only one may do at a time: the path, or sysctlKey; empty if there is nothing such

	// Guarded by the executor's mu.
	state   state
	turn    int  // of its attempts
	overdue bool // its call goes on after it has failed
	timer   *time.Timer

	attempts int // calls of the target

	// Of the attempt that runs.
	target Target
	last   error // of the attempt before
	begun  bool  // the owner knows that it began
}

// sysctlKey is held by the sysctl order that is carried out. No path begins like it.
const sysctlKey = "\x00sysctl"

// prepare makes a handle of a submission, and calls the program's function that says which orders are disruptive.
func (e *Executor) prepare(s *Submission) (*Handle, error) {
	if s.Lane < 0 || s.Lane >= lanes {
		return nil, smokerr.InvalidArgument("execute", "lane", "is none", nil)
	}
	for _, section := range s.Sections {
		for i := range section.Orders {
			if reason := section.Orders[i].Check(); reason != "" {
				return nil, smokerr.InvalidArgument("execute", "order", reason, nil)
			}
		}
	}
	h := newHandle(e, s)
	last := &unit{h: h, lane: s.Lane, alone: true, disruptive: true}
	for i, section := range s.Sections {
		u := &unit{h: h, lane: s.Lane, alone: section.CannotJoin, ops: make([]op, 0, len(section.Orders))}
		for j := range section.Orders {
			o, out := &section.Orders[j], &h.results[i][j]
			switch {
			case o.Type == order.Wait:
				u.wait = max(u.wait, o.Wait)
				u.waits = append(u.waits, out)
			case o.Type == order.Sysctl && e.disruptive(o):
				last.add(o, out)
			default:
				u.add(o, out)
			}
		}
		u.left = len(u.ops)
		h.units = append(h.units, u)
	}
	if last.left = len(last.ops); last.left > 0 {
		h.units = append(h.units, last)
	}
	for _, u := range h.units {
		for i := range u.ops {
			u.ops[i].u = u
		}
	}
	return h, nil
}

func (u *unit) add(o *order.Order, out *Outcome) {
	key := o.Path
	if o.Type == order.Sysctl {
		key = sysctlKey
	}
	u.ops = append(u.ops, op{order: *o, out: out, key: key})
}

// disruptive asks the program. If it panics, the order is taken for an ordinary one.
func (e *Executor) disruptive(o *order.Order) (yes bool) {
	if e.opts.Disruptive == nil {
		return false
	}
	err := e.call("disruptive", func() error {
		yes = e.opts.Disruptive(o.OpType, o.OpArgs)
		return nil
	})
	return yes && err == nil
}
