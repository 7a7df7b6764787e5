package ngtt

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Order is what the hub sends in one frame: a list of sections, each with orders to be executed. It is confirmed or
// refused as a whole. Its methods may be called from any goroutine.
type Order struct {
	// Body is the list of sections, well-formed MiniJSON. It belongs to the handler.
	Body []byte

	// Sections is the length of the list, at least 1.
	Sections int

	// TID is the transaction id that the hub gave it. It means nothing beyond its connection.
	TID uint16

	// Arrived is when it came in.
	Arrived time.Time

	// ID is that of its entry in the [Journal]: the same when it comes again after an earlier process ended in the middle
	// of it. Once the entry is removed, another order may get it.
	ID uint64

	// Redelivered says that its execution may have begun before: an earlier process ended in the middle of it.
	Redelivered bool

	client *Client
	entry  *entry

	once sync.Once // the first of Ack, Nack and Leave
	err  error
}

// maxElements is how many elements a body may have that Decode decodes: in an any, an element may take some 100 times
// the memory of its bytes.
const maxElements = 1 << 17

// Decode decodes the sections into what v points to, such as a slice of structs. See [minijson.Unmarshal]. A body whose
// lists, objects and maps have more than 131,072 elements together is a *[minijson.DecodingError]; for those, use
// [minijson.DecodeOptions] on Body.
func (o *Order) Decode(v any) error {
	return minijson.DecodeOptions{MaxCount: maxElements}.Unmarshal(o.Body, v)
}

// Ack confirms that the order was executed. The hub then forgets it. The journal knows first, so a repetition is
// confirmed without being executed, whatever happens to this confirmation.
//
// Nil means that the confirmation is on its way. When the order's connection is gone, the error matches
// [ErrOrderConnectionLost]; nothing is left to do, since the hub delivers the order again and the client confirms it
// then. Only the first call of Ack and [Order.Nack] has an effect; later ones return what the first one did. ctx is for the
// values that the journal may want: what was executed is recorded and confirmed even if ctx has ended.
func (o *Order) Ack(ctx context.Context) error {
	o.once.Do(func() { o.err = o.client.confirm(ctx, o) })
	return o.err
}

// Nack refuses the order. What the hub does then is its own affair; the order may come again. The errors are those of
// [Order.Ack].
func (o *Order) Nack(ctx context.Context) error {
	o.once.Do(func() { o.err = o.client.reject(ctx, o) })
	return o.err
}

// Leave leaves the order without an answer, for one that was given up in the middle: [Client.Shutdown] need not wait for
// it, the hub keeps it, and the next client that has the journal executes it again. This client takes its repetitions for
// those of an execution that goes on. After [Order.Ack] or [Order.Nack], Leave does nothing; after Leave, they do nothing
// and return nil.
func (o *Order) Leave() { o.once.Do(o.client.inflight.done) }

func (c *Client) confirm(ctx context.Context, o *Order) error {
	defer c.inflight.done()
	ctx = context.WithoutCancel(ctx)
	record := o.entry.JournalEntry // which nobody changes while it is being executed
	record.State = JournalDone
	// An order that was executed is confirmed even if that cannot be recorded: else it would only be executed again.
	// A repetition that comes while the journal writes still joins the execution.
	c.journalFailed("put", c.opts.Journal.Put(ctx, record))
	w := c.ledger.finish(o.entry, time.Now())
	c.stats.executed.Add(1)
	return c.answered("ack", c.sendConfirm(ctx, "ack", o.entry, w))
}

func (c *Client) reject(ctx context.Context, o *Order) error {
	defer c.inflight.done()
	ctx = context.WithoutCancel(ctx)
	w := c.ledger.abandon(o.entry)
	c.forget(ctx, o.entry.ID)
	c.stats.rejected.Add(1)
	return c.answered("nack", w.session.Send(ctx, "nack", wire.Frame{Type: wire.TypeOrderReject, TID: w.tid}, nil))
}

// answered says what became of the answer to an order, which its connection did not take if failed is not nil.
func (c *Client) answered(op string, failed error) error {
	switch {
	case failed == nil:
		return nil
	case c.isClosed():
		return c.closedError(op)
	}
	if lost, ok := errors.AsType[*ngtterr.ConnectionFailedError](failed); ok {
		return &ngtterr.ConnectionFailedError{
			Info: errkit.Info{
				Class: ngtterr.ErrOrderConnectionLost, Op: op, Target: c.dialer.Addr, Err: failed,
				Kind: errkit.TransportKind(failed) &^ errkit.NotSent,
			},
			Reason: lost.Reason,
		}
	}
	return failed
}

// sendConfirm confirms an order that was executed, on the way on which it came.
func (c *Client) sendConfirm(ctx context.Context, op string, e *entry, w way) error {
	return w.session.Send(ctx, op, wire.Frame{Type: wire.TypeOrderConfirm, TID: w.tid}, &confirmation{c, e, w})
}

// confirmation is the way of one confirmation to the hub.
type confirmation struct {
	client *Client
	entry  *entry
	way    way
}

// Flushed implements link.Mark.
func (m *confirmation) Flushed() { m.client.books.add(bookkeeping{m, false}) }

// Proven implements link.Mark.
func (m *confirmation) Proven() { m.client.books.add(bookkeeping{m, true}) }
