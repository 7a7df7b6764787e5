package executor

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// stopGrace is how long [Executor.Stop] waits for calls whose context it has ended.
const stopGrace = time.Second

// Executor carries out sections of orders. Make one with [New]. All methods may be called from several goroutines.
type Executor struct {
	opts   Options
	slots  [lanes]int      // how many orders may run for one of the lane to begin
	ctx    context.Context // of all calls; ends when Stop gives up
	cancel context.CancelFunc
	wg     sync.WaitGroup // one for each call of the program's functions
	gone   chan struct{}  // closed after Stop when no section is active and no call is under way

	mu      sync.Mutex // never held while a function of the program runs
	lanes   [lanes]lane
	alone   *unit          // the section that runs alone, or waits until it is the only one
	holders map[string]*op // by path: what reads or writes it, its delays between attempts included
	handles map[*Handle]struct{}
	room    chan struct{} // closed when the queue gets shorter; nil if nobody waits
	queued  int           // sections that have not started
	active  int           // sections that have started and not ended
	running int           // orders that hold one of the slots
	calls   int           // calls under way, overdue ones included
	stuck   int           // overdue ones
	totals  [len(Stats{}.Orders)]uint64
	stopped bool
	handing bool // a goroutine gives a section to the replacement
}

// Stats is a snapshot of what an [Executor] does.
type Stats struct {
	Queued  int // sections that have not started
	Active  int // sections that have started and not ended
	Running int // orders under way
	Stuck   int // calls that go on after their time

	Orders [Abandoned + 1]uint64 // orders that ended, by [Status]
}

// New returns an executor that has nothing to do. Nil options mean the defaults.
func New(opts *Options) *Executor {
	e := &Executor{
		opts: opts.withDefaults(), gone: make(chan struct{}),
		holders: make(map[string]*op), handles: make(map[*Handle]struct{}),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	for i := range e.slots {
		e.slots[i] = max(1, e.opts.Concurrency-i*e.opts.Concurrency/8)
	}
	return e
}

// Submit puts the sections into the queue of their lane, all or none. It does not wait: without room it returns a
// *[smokerr.QueueFullError]. After [Executor.Stop] the error is of class smokerr.ErrClosed; a section that means nothing
// is an *[smokerr.InvalidArgumentError].
//
// More sections than the queue can ever hold are taken when it is empty.
func (e *Executor) Submit(s *Submission) (*Handle, error) {
	h, err := e.prepare(s)
	if err != nil {
		return nil, err
	}
	if _, err := e.enqueue(h); err != nil {
		h.cancel()
		return nil, err
	}
	return h, nil
}

// SubmitWait is [Executor.Submit] for whoever can wait for room.
func (e *Executor) SubmitWait(ctx context.Context, s *Submission) (*Handle, error) {
	h, err := e.prepare(s)
	if err != nil {
		return nil, err
	}
	for {
		room, err := e.enqueue(h)
		if err == nil {
			return h, nil
		}
		if room == nil {
			h.cancel()
			return nil, err
		}
		select {
		case <-room:
		case <-ctx.Done():
			h.cancel()
			cause := errkit.FromContext(ctx)
			return nil, &errkit.Basic{Info: errkit.Info{
				Class: smokerr.Err, Op: "execute", Kind: errkit.TransportKind(cause) | errkit.NotSent, Err: cause,
			}}
		}
	}
}

// enqueue takes the submission, or returns what to wait for if there is no room now.
func (e *Executor) enqueue(h *Handle) (room <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return nil, smokerr.Closed("execute")
	}
	if e.queued > 0 && e.queued+len(h.units) > e.opts.Queue {
		if e.room == nil {
			e.room = make(chan struct{})
		}
		return e.room, smokerr.QueueFull("execute", "sections", e.opts.Queue)
	}
	if len(h.units) == 0 {
		h.cancel()
		close(h.done)
		return nil, nil
	}
	e.handles[h] = struct{}{}
	h.left = len(h.units)
	e.queued += len(h.units)
	l := &e.lanes[h.units[0].lane]
	l.queue = append(l.queue, h.units...)
	e.dispatch()
	return nil, nil
}

// Stats returns a snapshot.
func (e *Executor) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Stats{Queued: e.queued, Active: e.active, Running: e.running, Stuck: e.stuck, Orders: e.totals}
}

// Stop ends the executor. Sections that have not started are abandoned. The others are finished, or abandoned when ctx
// ends; then their calls get a second to return, and the error says that the context ended. Stop leaves no goroutine,
// except of calls that ignore their context. It may be called several times.
func (e *Executor) Stop(ctx context.Context) error {
	e.mu.Lock()
	if !e.stopped {
		e.stopped = true
		e.wake()
		for h := range e.handles {
			e.abandonQueued(h)
		}
		e.quiet()
	}
	e.mu.Unlock()

	var err error
	select {
	case <-e.gone:
	case <-ctx.Done():
		err = e.abandon(ctx)
	}
	e.cancel()
	select {
	case <-e.gone:
		e.wg.Wait() // they only have to return
	default:
	}
	return err
}

// detachAll ends the orders whose calls do not return.
func (e *Executor) detachAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for h := range e.handles {
		for _, u := range h.units {
			if u.handed && !u.finished {
				e.detachUnit(u)
			}
			for i := range u.ops {
				if o := &u.ops[i]; o.state == running {
					e.detach(o, errOverdue)
				}
			}
		}
	}
}

// abandon gives up what has started.
func (e *Executor) abandon(ctx context.Context) error {
	e.mu.Lock()
	cut := e.active > 0 || e.calls > 0
	for h := range e.handles {
		h.abandoned = true
		h.cancel()
		e.drop(h)
	}
	e.mu.Unlock()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-e.gone:
	case <-grace.C:
		e.detachAll()
	}
	if !cut {
		return nil
	}
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: smokerr.Err, Op: "stop", Kind: errkit.TransportKind(cause), Err: cause,
	}}
}
