package ngtt_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

func TestOrdersAreExecutedInOrderAndConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		done := newExecuted()
		c := b.client(ngtt.Options{Handler: done.ackAll(t)})
		b.hub.Enqueue(device, bodies(0, 25)...)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 25 })
		want := make([]string, 25)
		for i, body := range bodies(0, 25) {
			want[i] = pathOf(t, &ngtt.Order{Body: body})
		}
		if d := cmp.Diff(want, done.paths()); d != "" {
			t.Errorf("executed (-want +got):\n%s", d)
		}
		if s := c.Stats(); s.Executed != 25 || s.OrdersReceived != 25 || s.Repeated != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// The first of Ack and Nack counts, and later calls return what it returned.
func TestAckAndNackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.client(ngtt.Options{Handler: func(ctx context.Context, o *ngtt.Order) {
			first, second := o.Ack, o.Nack
			if pathOf(t, o) == "W1" {
				first, second = o.Nack, o.Ack
			}
			if err := errors.Join(first(ctx), second(ctx), first(ctx), second(ctx)); err != nil {
				t.Error(err)
			}
		}})
		b.hub.Enqueue(device, bodies(0, 2)...)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed+c.Rejected == 2 })
		synctest.Wait()
		if c := b.hub.Counts(device); c.Confirmed != 1 || c.Rejected != 1 || c.Stray != 0 {
			t.Errorf("%+v", c)
		}
		if got := b.hub.Received(device, wire.TypeOrderConfirm) + b.hub.Received(device, wire.TypeOrderReject); got != 2 {
			t.Errorf("%d answers", got)
		}
	})
}

// held is a handler that hands the orders over to the test.
func held() (chan *ngtt.Order, func(context.Context, *ngtt.Order)) {
	orders := make(chan *ngtt.Order, 1000)
	return orders, func(_ context.Context, o *ngtt.Order) { orders <- o }
}

// An answer never goes to a connection that the order did not come on: transaction ids start anew there.
func TestAckAfterReconnectErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler})
		b.hub.Enqueue(device, body("W1"))
		order := <-orders
		b.hub.SetFaults(ngtttest.Faults{StallWrites: true}) // no repetition yet
		b.conn().Cut()
		c.states.await(t, ngtt.StateConnected, 2)
		err := order.Ack(t.Context())
		if !errors.Is(err, ngtt.ErrOrderConnectionLost) || !errors.Is(err, ngtt.ErrConnectionFailed) ||
			!errors.Is(err, errkit.NotSent) {
			t.Errorf("error %v", err)
		}
		wantFailure(t, err, ngtt.ReasonPeerClosed, false)
		if again := order.Ack(t.Context()); again != err {
			t.Errorf("the second call returns %v", again)
		}
		synctest.Wait()
		if got := b.hub.Received(device, wire.TypeOrderConfirm); got != 0 {
			t.Errorf("%d confirmations", got)
		}
		// The repetition is confirmed without being executed.
		b.hub.SetFaults(ngtttest.Faults{})
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		if len(orders) != 0 {
			t.Error("executed twice")
		}
	})
}

func TestRedeliveryIsRecognised(t *testing.T) {
	for name, faults := range map[string]ngtttest.Faults{
		"confirmation lost before the hub read it": {DropBeforeConfirm: 3},
		"connection lost after the hub read it":    {DropAfterConfirm: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				done := newExecuted()
				b.hub.SetFaults(faults)
				c := b.client(ngtt.Options{Handler: done.ackAll(t)})
				b.hub.Enqueue(device, bodies(0, 20)...)
				b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 20 })
				if n := b.hub.Counts(device); n.Connections != 4 || n.Rejected != 0 {
					t.Errorf("%+v", n)
				}
				if paths := done.paths(); len(paths) != 20 {
					t.Errorf("%d executions: %v", len(paths), paths)
				}
				if s := c.Stats(); s.Executed != 20 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// Two orders may be equal: on one connection their transaction ids tell them apart, on the next one each absorbs one
// repetition.
func TestEqualOrdersAreNotRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		done := newExecuted()
		b.hub.SetFaults(ngtttest.Faults{DropBeforeConfirm: 1})
		b.client(ngtt.Options{Handler: done.ackAll(t)})
		b.hub.Enqueue(device, body("W1"), body("W1"), body("W1"))
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 3 })
		if got := done.get("W1"); got != 3 {
			t.Errorf("executed %d times", got)
		}
	})
}

// While an order is being executed, its repetition joins in and is answered with it.
func TestRedeliveryJoinsTheRunningExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{RedeliverAfter: 10 * time.Second})
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler})
		b.hub.Enqueue(device, body("W1"))
		order := <-orders
		b.wait(func(c ngtttest.Counts) bool { return c.Repeated >= 2 }) // same connection, same tid
		b.conn().Cut()
		c.states.await(t, ngtt.StateConnected, 2)
		b.wait(func(c ngtttest.Counts) bool { return c.Repeated >= 3 && c.Unanswered == 1 }) // another connection
		synctest.Wait()
		if len(orders) != 0 {
			t.Fatal("executed twice")
		}
		if err := order.Ack(t.Context()); err != nil {
			t.Error(err)
		}
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		if n := b.hub.Counts(device); n.Stray != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// A repetition that comes long after the hub had its chance is another order.
func TestRedeliveryWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		want  int
	}{"within": {30 * time.Second, 1}, "beyond": {90 * time.Second, 2}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, ngtttest.Options{})
				done := newExecuted()
				b.hub.SetFaults(ngtttest.Faults{DropAfterConfirm: 1})
				c := b.client(ngtt.Options{Handler: done.ackAll(t)})
				b.hub.Enqueue(device, body("W1")) // the hub has the confirmation, the client cannot know
				c.states.await(t, ngtt.StateConnected, 2)
				time.Sleep(tc.after)
				b.hub.Enqueue(device, body("W1"))
				b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 2 })
				if got := done.get("W1"); got != tc.want {
					t.Errorf("executed %d times, want %d", got, tc.want)
				}
			})
		})
	}
}

// An order that a process has left half done is executed again by the next one, and says so.
func TestJournalOfAnEarlierProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		journal := ngtt.NewMemoryJournal()
		orders, handler := held()
		first := b.client(ngtt.Options{Handler: handler, Journal: journal})
		b.hub.SetFaults(ngtttest.Faults{DropBeforeConfirm: 1})
		b.hub.Enqueue(device, bodies(0, 2)...)
		done, halfDone := <-orders, <-orders
		_ = done.Ack(t.Context()) // which is lost
		first.states.await(t, ngtt.StateDisconnected, 1)
		_ = first.Close()
		_ = halfDone // never answered

		var redelivered []string
		b.client(ngtt.Options{Journal: journal, Handler: func(ctx context.Context, o *ngtt.Order) {
			if o.Redelivered {
				redelivered = append(redelivered, pathOf(t, o))
			} else {
				t.Errorf("%s is new", pathOf(t, o))
			}
			_ = o.Ack(ctx)
		}})
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 2 })
		if !slices.Equal(redelivered, []string{"W1"}) {
			t.Errorf("executed again: %v", redelivered)
		}
		// A ping later it is certain that the hub knows, and nothing is left.
		time.Sleep(time.Minute)
		if journal.Len() != 0 {
			t.Errorf("%d entries left", journal.Len())
		}
	})
}

// Every state reaches the journal in its turn, and confirmations without a proof call for a ping at once.
func TestJournalFollowsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{Prefetch: 300})
		journal := ngtt.NewMemoryJournal()
		orders, handler := held()
		b.client(ngtt.Options{Handler: handler, Journal: journal, QueueOrders: 1})
		state := func() ngtt.JournalState {
			synctest.Wait()
			entries, _ := journal.Load(t.Context())
			if len(entries) != 1 {
				t.Fatalf("%d entries", len(entries))
			}
			return entries[0].State
		}
		b.hub.Enqueue(device, body("W1"))
		order := <-orders
		if got := state(); got != ngtt.JournalReceived {
			t.Errorf("before the execution: %v", got)
		}
		b.network.Stall(netem.Up)
		_ = order.Ack(t.Context())
		if got := state(); got != ngtt.JournalConfirmed {
			t.Errorf("after the confirmation was written: %v", got)
		}
		b.network.Resume(netem.Up)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		if got := state(); got != ngtt.JournalConfirmed {
			t.Errorf("before the ping: %v", got)
		}
		b.hub.Enqueue(device, bodies(10, 300)...)
		for range 300 {
			_ = (<-orders).Ack(t.Context())
		}
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 301 })
		synctest.Wait()
		if got := b.hub.Received(device, wire.TypePing); got != 1 || journal.Len() > 256 {
			t.Errorf("%d pings, %d entries", got, journal.Len())
		}
		time.Sleep(time.Minute)
		if journal.Len() != 0 {
			t.Errorf("%d entries left", journal.Len())
		}
	})
}

// brokenJournal fails from the nth call of Put.
type brokenJournal struct {
	*ngtt.MemoryJournal
	puts int
}

var errDisk = errors.New("disk full")

func (j *brokenJournal) Put(ctx context.Context, e ngtt.JournalEntry) error {
	if j.puts--; j.puts < 0 {
		return errDisk
	}
	return j.MemoryJournal.Put(ctx, e)
}

// Without its journal the client executes nothing, and says why.
func TestBrokenJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		var reported []error
		c := b.client(ngtt.Options{
			Journal: &brokenJournal{MemoryJournal: ngtt.NewMemoryJournal()},
			Handler: func(context.Context, *ngtt.Order) { t.Error("executed") },
			OnError: func(err error) { reported = append(reported, err) },
		})
		b.hub.Enqueue(device, body("W1"))
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		_ = c.Close()
		wantFailure(t, status.Err, ngtt.ReasonJournal, false)
		if len(reported) == 0 || !errors.Is(reported[0], ngtt.ErrJournal) || !errors.Is(reported[0], errDisk) ||
			!errors.Is(status.Err, errDisk) {
			t.Errorf("reported %v, ended with %v", reported, status.Err)
		}
	})
}

// An order that was executed is recorded and confirmed whatever became of the context.
func TestAckWithEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		journal := &strictJournal{MemoryJournal: ngtt.NewMemoryJournal()}
		b.client(ngtt.Options{Journal: journal, Handler: func(ctx context.Context, o *ngtt.Order) {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			if err := o.Ack(ended); err != nil {
				t.Error(err)
			}
		}})
		b.hub.Enqueue(device, body("W1"))
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		synctest.Wait()
		entries, _ := journal.Load(t.Context())
		if len(entries) != 1 || entries[0].State != ngtt.JournalConfirmed {
			t.Errorf("%+v", entries)
		}
	})
}

// strictJournal does nothing for a context that has ended.
type strictJournal struct{ *ngtt.MemoryJournal }

func (j *strictJournal) Put(ctx context.Context, e ngtt.JournalEntry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return j.MemoryJournal.Put(ctx, e)
}

// Answers have room even when a hub that reads nothing lets everything else wait.
func TestAnswersDoNotWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		orders, handler := held()
		c := b.client(ngtt.Options{Handler: handler})
		b.hub.Enqueue(device, bodies(0, 10)...)
		synctest.Wait()
		b.network.Stall(netem.Up)
		if err := c.StreamLogs(t.Context(), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.StreamLogs(ctx, make([]byte, 1<<20)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("logs had room: %v", err)
		}
		began := time.Now()
		for range 10 {
			if err := (<-orders).Ack(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if after := time.Since(began); after != 0 {
			t.Errorf("waited %v", after)
		}
		b.network.Resume(netem.Up)
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 10 })
	})
}
