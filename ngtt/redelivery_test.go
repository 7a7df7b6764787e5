package ngtt_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// gatedJournal waits before it stores that an order was executed.
type gatedJournal struct {
	*ngtt.MemoryJournal
	gate    chan struct{}
	waiting chan struct{}
}

func (j *gatedJournal) Put(ctx context.Context, e ngtt.JournalEntry) error {
	if e.State == ngtt.JournalDone {
		close(j.waiting)
		<-j.gate
	}
	return j.MemoryJournal.Put(ctx, e)
}

// Nothing is confirmed before the journal has it, not even a repetition that comes while the disk is slow.
func TestRepetitionWaitsForTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		journal := &gatedJournal{ngtt.NewMemoryJournal(), make(chan struct{}), make(chan struct{})}
		orders, handler := held()
		b.client(ngtt.Options{Handler: handler, Journal: journal})
		b.hub.Enqueue(device, body("W1"))
		acked := make(chan error, 1)
		go func() { acked <- (<-orders).Ack(t.Context()) }()
		<-journal.waiting
		b.network.Cut(netem.RST)
		b.wait(func(c ngtttest.Counts) bool { return c.Repeated == 1 })
		synctest.Wait()
		if n := b.hub.Counts(device); n.Confirmed != 0 {
			t.Errorf("%+v", n)
		}
		close(journal.gate)
		if err := <-acked; err != nil {
			t.Error(err)
		}
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		synctest.Wait()
		if n := b.hub.Counts(device); n.Stray != 0 || len(orders) != 0 {
			t.Errorf("%+v, %d orders executed again", n, len(orders))
		}
	})
}

// A repetition that waits in the network because the client has no room does not count as late.
func TestRedeliveryBehindSlowOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		done := newExecuted()
		c := b.client(ngtt.Options{QueueOrders: 1, Handler: func(ctx context.Context, o *ngtt.Order) {
			if done.add(pathOf(t, o)); pathOf(t, o) != "W0" {
				time.Sleep(time.Minute)
			}
			_ = o.Ack(ctx)
		}})
		order := func(tid uint16, path string) wire.Frame {
			return wire.Frame{Type: wire.TypeOrder, TID: tid, Body: body(path)}
		}
		_ = b.conn().Send(order(1, "W0"))
		b.wait(func(c ngtttest.Counts) bool { return c.Stray == 1 }) // the confirmation, which has no proof yet
		b.network.Cut(netem.RST)
		c.states.await(t, ngtt.StateConnected, 2)
		_ = b.conn().Send(order(1, "W1"), order(2, "W2"), order(3, "W3"), order(4, "W4"), order(5, "W0"))
		b.wait(func(c ngtttest.Counts) bool { return c.Stray == 6 })
		if got := done.get("W0"); got != 1 {
			t.Errorf("executed %d times", got)
		}
	})
}

// Of an entry whose state says nothing, it is not known that the order was executed.
func TestJournalEntryWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		journal := &damagedJournal{ngtt.NewMemoryJournal()}
		first := b.client(ngtt.Options{Handler: ignore, Journal: journal})
		b.hub.Enqueue(device, body("W1"))
		synctest.Wait()
		_ = first.Close()
		orders, handler := held()
		b.client(ngtt.Options{Handler: handler, Journal: journal})
		if order := <-orders; !order.Redelivered {
			t.Error("not called a repetition")
		}
	})
}

// damagedJournal has lost all states.
type damagedJournal struct{ *ngtt.MemoryJournal }

func (j *damagedJournal) Load(ctx context.Context) ([]ngtt.JournalEntry, error) {
	entries, err := j.MemoryJournal.Load(ctx)
	for i := range entries {
		entries[i].State = 0
	}
	return entries, err
}
