package ngtt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// receive takes an order: one with sections is returned, an empty one confirmed, and one that cannot be decoded refused. An
// error has ended the connection.
func (c *Client) receive(ctx context.Context, s *session, f wire.Frame) (delivery, error) {
	c.stats.received.Add(1)
	sections, err := countSections(f.Body)
	switch {
	case c.isDraining():
		return delivery{}, nil // the hub keeps it
	case err != nil:
		return delivery{}, c.poisoned(ctx, s, f, err)
	case sections == 0:
		return delivery{}, s.Send(ctx, "confirm", wire.Frame{Type: wire.TypeOrderConfirm, TID: f.TID}, nil)
	}
	return delivery{way: way{s, f.TID}, at: time.Now(), body: bytes.Clone(f.Body), sections: sections}, nil
}

// poisoned refuses an order that cannot be decoded. Not to answer would let the hub deliver it for ever.
func (c *Client) poisoned(ctx context.Context, s *session, f wire.Frame, cause error) error {
	err := &ngtterr.InvalidFrameError{
		Info: errkit.Info{Class: ngtterr.ErrInvalidFrame, Op: "receive", Target: c.dialer.Addr, Err: cause},
		Type: uint16(f.Type), TID: f.TID, Length: int64(len(f.Body)), Reason: "order is no list of sections",
	}
	c.stats.rejected.Add(1)
	c.report(err)
	if c.opts.DropOnPoison {
		return s.Fail(ngtterr.ReasonProtocol, err)
	}
	return s.Send(ctx, "reject", wire.Frame{Type: wire.TypeOrderReject, TID: f.TID}, nil)
}

// skip passes over a frame that a hub does not send to devices, or that nobody waits for. The stream stays in step, since
// the length is known. An error has ended the connection.
func (c *Client) skip(s *session, f wire.Frame) error {
	c.stats.unknown.Add(1)
	c.log(slog.LevelDebug, "frame skipped", slog.String("type", f.Type.String()), slog.Int("size", len(f.Body)))
	if c.opts.OnUnknownFrame != nil {
		c.opts.OnUnknownFrame(f)
	}
	late := f.Type == wire.TypeDataStreamConfirm || f.Type == wire.TypeDataStreamReject
	if !c.opts.Strict || late {
		return nil
	}
	h := wire.Header{Type: f.Type, TID: f.TID, Length: uint32(len(f.Body))}
	return s.Fail(ngtterr.ReasonProtocol, wire.Invalid("read", h, 0, "unexpected type "+f.Type.String()))
}

// dispatch gives the orders of the queue to the handler, one after the other, until ctx ends.
func (c *Client) dispatch(ctx context.Context) {
	for {
		d, ok := c.queue.take(ctx.Done())
		if !ok {
			return
		}
		c.deliver(ctx, d)
		c.queue.end()
	}
}

// deliver gives an order to the handler unless it was executed already.
func (c *Client) deliver(ctx context.Context, d delivery) {
	what, e, stale := c.ledger.arrive(d, sha256.Sum256(d.body))
	c.forget(c.keep, stale...)
	switch what {
	case isRunning:
		c.stats.repeated.Add(1)
		return
	case isDone:
		c.stats.repeated.Add(1)
		// A connection that is gone by now needs no answer.
		_ = c.sendConfirm(ctx, "confirm", e, d.way)
		return
	case isNew, isAgain:
	}
	if err := c.opts.Journal.Put(c.keep, e.JournalEntry); err != nil {
		c.ledger.abandon(e)
		err = ngtterr.ErrJournal.Wrap("put", "", err)
		c.report(err)
		// Without the journal it must not run. The hub keeps it for the next connection.
		_ = d.session.Fail(ngtterr.ReasonJournal, err)
		return
	}
	c.inflight.add() // until the order is answered
	c.handle(ctx, &Order{
		Body: d.body, Sections: d.sections, TID: d.tid, Arrived: d.at, ID: e.ID, Redelivered: what == isAgain,
		client: c, entry: e,
	})
}

// handle calls the handler. An order whose handler panics is refused.
func (c *Client) handle(ctx context.Context, o *Order) {
	defer func() {
		if p := recover(); p != nil {
			err, ok := p.(error)
			if !ok {
				err = errors.New(fmt.Sprint(p))
			}
			c.report(ngtterr.ErrPanic.Wrap("handle", "", err))
			_ = o.Nack(ctx) // what can be done
		}
	}()
	c.opts.Handler(ctx, o)
}
