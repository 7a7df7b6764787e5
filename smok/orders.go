package smok

import (
	"context"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

const ordersName = "orders"

// OrderSettings say how orders of the hub are dealt with. The zero value is good for use.
type OrderSettings struct {
	// RepeatInDoubt carries out a message or sysctl order again that had begun when the program ended. By default it is
	// reported as [ErrInDoubt] instead, since it may have had its effect. Orders to read and to write are carried out
	// again in any case.
	//
	// One whose beginning the store cannot take is not carried out, and told to [Options.OnError].
	RepeatInDoubt bool
}

// OrderStats says how far the orders of the hub came since the device was made.
type OrderStats struct {
	Received  uint64 // lists of sections: frames of the order link, answers to polls that were not empty
	Handled   uint64 // lists whose orders have all ended
	Abandoned uint64 // lists that come again after a restart
	BadOrders uint64 // orders and sections that mean nothing, and were skipped
	Journal   int64  // bytes of the journal
}

// orders is the area that gets the orders of the hub and has them carried out, once, across restarts as well.
type orders struct {
	*host
	journal *orderJournal
	link    *orderLink // nil when orders are polled for
	poll    *task
	resume  *task
	jobs    waiters // one for each job in the executor

	resuming sync.Mutex
	pending  []*job // of an earlier process; guarded by resuming

	mu    sync.Mutex
	stats OrderStats // guarded by mu
}

// newOrders makes the area. The function is called whenever the order link has reached the hub.
func newOrders(h *host, reached func()) *orders {
	a := &orders{host: h}
	a.resume = &task{name: ordersName + ".resume", offline: true, run: a.carryOn}
	a.poll = &task{name: ordersName, every: h.opts.Intervals.Orders, run: a.fetch}
	if h.opts.NGTT != nil {
		a.link = newOrderLink(a, reached)
	}
	return a
}

func (a *orders) name() string { return ordersName }

func (a *orders) load() (err error) {
	report := func(err error) { a.report(ordersName, err) }
	if a.journal, a.pending, err = openOrderJournal(a.store.Journal, report); err != nil {
		return err
	}
	if a.link != nil {
		return a.link.open()
	}
	return nil
}

func (a *orders) tasks() []*task {
	if a.link != nil {
		return []*task{a.resume, a.link.task}
	}
	return []*task{a.resume, a.poll}
}

// goOffline takes the order link down. Orders that are being carried out go on.
func (a *orders) goOffline() {
	if a.link != nil {
		a.link.pause()
	}
}

func (a *orders) quit() {
	if a.link != nil {
		a.link.quit()
	}
}

func (a *orders) flush(ctx context.Context) error {
	var err error
	if a.link != nil {
		err = a.link.flush(ctx)
	}
	a.jobs.wait() // the executor has stopped: they only have to write
	return err
}

func (a *orders) status(s *Status) {
	a.mu.Lock()
	s.Orders = a.stats
	a.mu.Unlock()
	s.Orders.Journal = a.journal.table.Bytes()
	if a.link != nil {
		s.OrderLink = a.link.stats()
	}
}

func (a *orders) count(field *uint64, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*field += uint64(n)
}

// carryOn hands what an earlier process left to the executor.
func (a *orders) carryOn(ctx context.Context) error {
	a.resuming.Lock()
	defer a.resuming.Unlock()
	for len(a.pending) > 0 {
		if err := a.execute(ctx, a.pending[0]); err != nil {
			return err
		}
		a.pending = a.pending[1:]
	}
	return nil
}

// fetch asks the hub for orders. The hub forgets them with its answer, so they are in the journal before anything else, and
// a request that is out is not given up because the device is closed.
func (a *orders) fetch(ctx context.Context) error {
	if err := a.carryOn(ctx); err != nil {
		return err
	}
	if a.journal.full() {
		return smokerr.QueueFull("orders", "journal", maxJournal/2)
	}
	keep := context.WithoutCancel(ctx)
	body, err := a.api.Orders(keep)
	if err != nil {
		return err
	}
	sections, problems, err := order.FromJSON(body)
	a.skipped(problems)
	if err != nil || len(sections) == 0 {
		return err
	}
	a.count(&a.stats.Received, 1)
	w, err := a.journal.add(keep, sections, a.clock.now())
	if err != nil {
		a.report(ordersName, err)
		w.over.Store(true) // they are carried out nonetheless: there is no other copy
	}
	return a.execute(ctx, w)
}

// maxReports is how many bad orders of a list are told one by one.
const maxReports = 16

// skipped reports what means nothing.
func (a *orders) skipped(problems []order.Problem) {
	a.count(&a.stats.BadOrders, len(problems))
	for i, p := range problems {
		if i == maxReports {
			return
		}
		a.report(ordersName, p.Err)
	}
}

// execute has a job of a batch carried out. It waits for room in the queue, not for the job.
func (a *orders) execute(ctx context.Context, w *job) error {
	finish := func() {
		if err := w.finish(a.life); err != nil {
			a.report(ordersName, err)
		}
	}
	return a.submit(ctx, w, w.finish, finish, func() {})
}

// submit hands a job to the executor. At the end it calls finish if the job was handled, and otherwise leave.
func (a *orders) submit(ctx context.Context, w *job, acknowledge func(context.Context) error, finish, leave func()) error {
	w.repeat = a.opts.Orders.RepeatInDoubt
	if !a.jobs.begin() {
		return smokerr.Closed("submit")
	}
	handle, err := a.exec.SubmitWait(ctx, w.submission(acknowledge))
	if err != nil {
		a.jobs.done()
		return err
	}
	go func() {
		defer a.jobs.done()
		a.await(handle, finish, leave)
	}()
	return nil
}

func (a *orders) await(handle *executor.Handle, finish, leave func()) {
	<-handle.Done()
	if _, err := handle.Wait(context.Background()); err != nil {
		a.count(&a.stats.Abandoned, 1)
		leave()
		return
	}
	a.count(&a.stats.Handled, 1)
	finish()
}
