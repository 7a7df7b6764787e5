package executor

import (
	"context"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
)

// Target is what orders do to a pathpoint. Its methods should return when their context is done. They are called from
// one goroutine at a time for one path, unless a call ignores the end of its context.
type Target interface {
	// Read takes a reading. A [SkipError] says that none was due, or that the pathpoint cannot be read.
	Read(ctx context.Context, advise order.Advise) error

	// Write sets the pathpoint. A [SkipError] says that it cannot be written.
	Write(ctx context.Context, value any, advise order.Advise) error
}

// Options configures an [Executor]. All functions may be called from several goroutines at once.
type Options struct {
	// Lookup returns the pathpoint of that name. An error of class smokerr.ErrNotFound skips the order. Nil means that
	// there are no pathpoints.
	Lookup func(path string) (Target, error)

	// Message lets the hub send a message. Nil skips such orders.
	Message func(ctx context.Context, uuid string) error

	// Sysctl does what the program makes of a sysctl order and reports whether it knows it. Nil skips such orders. They
	// are carried out one at a time.
	Sysctl func(ctx context.Context, opType, opArgs string) (handled bool, err error)

	// Disruptive reports whether a sysctl order may end the program, such as a reboot. It is carried out behind all
	// other orders of its submission, alone, and after [Submission.Acknowledge]. Nil means that none does.
	Disruptive func(opType, opArgs string) bool

	// Queue is how many sections can wait. Zero means 1024.
	Queue int

	// Concurrency is how many orders run at once. Zero means 16. Some of that is kept free for each higher lane: of 16,
	// user orders can have 14, macros 12 and archiving 10.
	Concurrency int

	// AttemptTimeout is how long one attempt to read, to write or to send a message may take. Zero means 30s.
	AttemptTimeout time.Duration

	// SysctlTimeout is how long a sysctl order may take. Zero means 10min.
	SysctlTimeout time.Duration

	// Overdue is how long the executor waits for a call that goes on after its time. Then the order has failed, and the
	// pathpoint has no further calls until that one returns; orders for it fail at once. Zero means 5s.
	Overdue time.Duration

	// ForceAttempts is how often an order with Force is tried. Zero means 10.
	ForceAttempts int

	// ForceBackoff gives the delays between its attempts. A zero Base means 100ms, a zero Cap 5s.
	ForceBackoff retry.Backoff

	// MessageAttempts is how often a message order is tried while its error is transient. Zero means 6.
	MessageAttempts int

	// MessageBackoff gives the delays between its attempts. A zero Base means 500ms, a zero Cap 10s.
	MessageBackoff retry.Backoff

	// Replacement, if not nil, carries out all sections; of the fields above only Disruptive and Queue count then. Queue
	// is also how many sections it has at most that have not ended.
	Replacement Replacement

	// Report, if not nil, is told of what the program should not do: panics, and calls that go on after their time. It
	// is called without a lock, from the goroutine of the order, and should not panic itself.
	Report func(error)
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	orElse(&opts.Queue, 1024)
	orElse(&opts.Concurrency, 16)
	orElse(&opts.AttemptTimeout, 30*time.Second)
	orElse(&opts.SysctlTimeout, 10*time.Minute)
	orElse(&opts.Overdue, 5*time.Second)
	orElse(&opts.ForceAttempts, 10)
	orElse(&opts.MessageAttempts, 6)
	orElse(&opts.ForceBackoff.Base, 100*time.Millisecond)
	orElse(&opts.ForceBackoff.Cap, 5*time.Second)
	orElse(&opts.MessageBackoff.Base, 500*time.Millisecond)
	orElse(&opts.MessageBackoff.Cap, 10*time.Second)
	return opts
}

// orElse sets *field to otherwise unless it is positive.
func orElse[T int | time.Duration](field *T, otherwise T) {
	if *field <= 0 {
		*field = otherwise
	}
}
