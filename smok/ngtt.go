package smok

import (
	"context"
	"errors"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// orderLink gets orders over NGTT. A frame is confirmed when all of its sections have ended.
type orderLink struct {
	*orders
	opts    ngtt.Options
	journal linkJournal
	task    *task
	reached func()         // told that the hub is there
	work    sync.WaitGroup // calls of Run, Close and Shutdown

	mu       sync.Mutex // guards what follows
	client   *ngtt.Client
	used     bool // client.Run was called
	quitting bool
	shut     chan struct{}      // closed when the client's Shutdown has returned
	cut      context.CancelFunc // ends Shutdown
	failed   error              // of Shutdown

	// By the id of the journal's entry, what is being carried out: the order that began it, and those of later clients
	// that wait for it as well.
	running map[uint64][]*ngtt.Order
}

func newOrderLink(a *orders, reached func()) *orderLink {
	l := &orderLink{orders: a, reached: reached, opts: *a.host.opts.NGTT, running: make(map[uint64][]*ngtt.Order)}
	o, d := &l.opts, &a.host.opts
	o.Handler = l.handle
	if o.Logger == nil {
		o.Logger = d.Logger
	}
	if o.Time == nil {
		o.Time = d.Time
	}
	if o.DialContext == nil {
		o.DialContext = d.DialContext
	}
	if o.RootCAs == nil && o.PinnedSHA256 == "" && !o.InsecureSkipTLSVerify {
		o.RootCAs = d.RootCAs
	}
	o.OnError = chain(o.OnError, func(err error) { a.report(ordersName, smokerr.Link(ordersName, err)) })
	o.OnStateChange = chain(o.OnStateChange, l.changed)
	l.task = &task{name: ordersName, run: l.run}
	return l
}

// chain calls both functions, the first of which may be nil.
func chain[T any](first, second func(T)) func(T) {
	if first == nil {
		return second
	}
	return func(v T) {
		first(v)
		second(v)
	}
}

// open makes the first client, which checks the options.
func (l *orderLink) open() (err error) {
	l.journal = linkJournal{l.orders.journal}
	l.opts.Journal = l.journal
	l.client, err = ngtt.New(l.credentials, &l.opts)
	return smokerr.Link("new", err)
}

// changed is told of the connection.
func (l *orderLink) changed(s ngtt.Status) {
	switch s.State {
	case ngtt.StateConnected:
		l.task.settled()
		l.reached()
	case ngtt.StateDisconnected:
		if s.Err != nil {
			l.report(ordersName, smokerr.Link("connect", s.Err))
		}
	}
}

// run keeps the link up until the loops end, or the device goes offline. The link outlives the loops, for the orders that
// are being carried out then.
func (l *orderLink) run(ctx context.Context) error {
	ended, err := l.connect()
	if ended == nil {
		return err
	}
	if !l.online() {
		l.pause()
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		return nil
	}
	if err == nil {
		return smokerr.Canceled(ordersName, "", 0, context.Canceled) // paused
	}
	return smokerr.Link(ordersName, err)
}

// connect runs a client that has not run yet, and returns what it ends with; nil after quit.
func (l *orderLink) connect() (<-chan error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quitting {
		return nil, nil
	}
	if l.used {
		client, err := ngtt.New(l.credentials, &l.opts)
		if err != nil {
			return nil, smokerr.Link(ordersName, err)
		}
		l.client = client
	}
	l.used = true
	client, ended := l.client, make(chan error, 1)
	l.work.Go(func() { ended <- client.Run(l.life) }) // with the lock, since flush may wait already after quit
	return ended, nil
}

// pause takes the link down because the device goes offline. Orders that are being carried out go on.
func (l *orderLink) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.used || l.quitting {
		return
	}
	client := l.client
	l.work.Go(func() { _ = client.Close() }) // always nil
}

// quit takes no more orders, and lets the client end when those are answered that it has.
func (l *orderLink) quit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quitting {
		return
	}
	l.quitting = true
	l.shut = make(chan struct{})
	ctx, cut := context.WithCancel(context.Background())
	l.cut = cut
	client := l.client
	l.work.Go(func() {
		defer close(l.shut)
		l.failed = client.Shutdown(ctx)
	})
}

// flush waits until the hub has the confirmations, or ctx ends.
func (l *orderLink) flush(ctx context.Context) error {
	defer l.work.Wait()
	defer l.cut()
	select {
	case <-l.shut:
		return smokerr.Link("shutdown", l.failed)
	case <-ctx.Done():
		return smokerr.Canceled("shutdown", ordersName, 0, errkit.FromContext(ctx))
	}
}

func (l *orderLink) stats() ngtt.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client.Stats()
}

// handle has the orders of a frame carried out. It waits for room in the queue, so that a hub that sends more than can be
// carried out is slowed down.
func (l *orderLink) handle(ctx context.Context, o *ngtt.Order) {
	if l.joins(o) {
		return
	}
	var tree any
	err := o.Decode(&tree)
	var sections []Section
	if err == nil {
		var problems []order.Problem
		sections, problems, err = order.FromTree(tree)
		l.skipped(problems)
	}
	if err != nil {
		l.report(ordersName, smokerr.Link("decode", err))
		l.ended(o.ID)
		_ = o.Nack(ctx) // a hub that is gone delivers it again
		return
	}
	l.count(&l.orders.stats.Received, 1)
	w := l.journal.job(o.ID, sections)
	acknowledge := func(ctx context.Context) error {
		err := l.journal.done(ctx, o.ID)
		if err == nil {
			l.answer(l.ended(o.ID))
		}
		return err
	}
	finish := func() {
		// An order that was carried out is confirmed even if that cannot be recorded: else it would only come again.
		l.report(ordersName, l.journal.done(l.life, o.ID))
		l.answer(l.ended(o.ID))
	}
	err = l.submit(ctx, w, acknowledge, finish, func() { l.leave(o.ID) })
	if err != nil {
		if !errors.Is(err, smokerr.ErrClosed) && ctx.Err() == nil {
			l.report(ordersName, err)
		}
		l.leave(o.ID)
	}
}

// joins reports whether an order needs no execution: one that an earlier client got, and is being carried out still, is
// answered with that one; one that was carried out since this client has read the journal is answered now.
func (l *orderLink) joins(o *ngtt.Order) bool {
	l.mu.Lock()
	others := l.running[o.ID]
	done := len(others) == 0 && l.journal.isDone(o.ID)
	if !done {
		l.running[o.ID] = append(others, o)
	}
	l.mu.Unlock()
	if done {
		l.answer([]*ngtt.Order{o})
	}
	return done || len(others) > 0
}

// ended returns the orders that wait for the end of a job, which has come.
func (l *orderLink) ended(id uint64) []*ngtt.Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	orders := l.running[id]
	delete(l.running, id)
	return orders
}

// answer confirms orders. Where the connection is gone the journal knows, and the next one gets the confirmation.
func (l *orderLink) answer(orders []*ngtt.Order) {
	for _, o := range orders {
		if err := o.Ack(context.Background()); err != nil && !errors.Is(err, ngtt.ErrConnectionFailed) && !errors.Is(err, ngtt.ErrClosed) {
			l.report(ordersName, smokerr.Link("confirm", err))
		}
	}
}

// leave leaves the orders of a job that was given up to the next process.
func (l *orderLink) leave(id uint64) {
	for _, o := range l.ended(id) {
		o.Leave()
	}
}
