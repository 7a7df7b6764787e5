package ngtt

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/link"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// session is one connection with what the client knows of it.
type session struct {
	*link.Conn
	number int64 // among the connections of the client, counted from 1
	began  time.Time
	behind atomic.Int64 // how long after that the client last caught up with the hub, as a time.Duration
}

// since returns from when the hub could have delivered everything that it would deliver again: not as long as the
// client has no room for orders.
func (s *session) since() time.Time { return s.began.Add(time.Duration(s.behind.Load())) }

// Run keeps the link up: it connects, receives orders for the handler, and connects again whenever the connection
// breaks, until ctx ends, [Client.Shutdown] or [Client.Close] is called, or no further attempt can help. It can be called
// once.
//
// It returns nil after Shutdown and Close; an error that matches ctx.Err() when ctx has ended; the last
// *[ConnectionFailedError] when the hub refuses a certificate that has expired by the device's own clock too; and
// [ErrJournal] when the journal cannot be read. All of the client's goroutines have ended by then, and it is closed.
func (c *Client) Run(ctx context.Context) error {
	if err := c.begin(); err != nil {
		return err
	}
	defer close(c.ran)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.keep = context.WithoutCancel(ctx)
	defer context.AfterFunc(c.life, cancel)()
	defer c.end()

	known, err := c.opts.Journal.Load(ctx)
	if err != nil {
		return ngtterr.ErrJournal.Wrap("load", "", err)
	}
	c.ledger.load(known, time.Now())
	if err := c.credentials.Validity(c.opts.Time()); err != nil {
		c.log(slog.LevelWarn, "certificate not valid now, or wrong clock", errkit.Attr(err))
	}

	var keeper sync.WaitGroup
	stop := make(chan struct{})
	c.work.Go(func() { c.dispatch(ctx) })
	keeper.Go(func() { c.keepBooks(stop) })
	err = c.stayConnected(ctx)
	cancel()
	c.work.Wait()
	close(stop)
	keeper.Wait()
	return err
}

// begin checks that Run may run.
func (c *Client) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed || c.draining:
		return c.closedError("run")
	case c.running:
		return ngtterr.Configuration("run", "Run", "called twice")
	}
	c.running = true
	return nil
}

// end closes the client.
func (c *Client) end() {
	c.kill()
	c.queue.close()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.setState(Status{State: StateIdle})
}

// stayConnected makes one connection after the other.
func (c *Client) stayConnected(ctx context.Context) error {
	delays := c.opts.Backoff.Start()
	for ctx.Err() == nil {
		c.setState(Status{State: StateConnecting, Attempt: delays.Attempt()})
		err := c.explain(c.connect(ctx, delays))
		switch {
		case ctx.Err() != nil:
			continue
		case c.isDraining():
			<-ctx.Done() // what is in flight may end
			continue
		case c.isPermanent(err):
			return err
		}
		status := Status{State: StateDisconnected, Attempt: delays.Attempt(), Err: err, RetryIn: delays.Next(err)}
		if isRejected(err) {
			status.RetryIn = max(status.RetryIn, c.opts.Backoff.Cap)
		}
		c.setState(status)
		_ = retry.Wait(ctx, status.RetryIn) // its only error is that of ctx
	}
	if c.life.Err() != nil {
		return nil
	}
	return ngtterr.Interrupted(ctx, "run", c.dialer.Addr)
}

// connect makes a connection and serves it until it breaks.
func (c *Client) connect(ctx context.Context, delays *retry.Sequence) error {
	if ctx.Err() != nil || c.isDraining() {
		return nil
	}
	conn, err := c.dialer.Dial(ctx)
	if err != nil {
		return err
	}
	delays.Connected()
	s := &session{Conn: conn, number: c.stats.connections.Add(1), began: time.Now()}
	defer func() {
		conn.Close()
		c.stats.over(conn.Stats())
	}()
	defer context.AfterFunc(ctx, conn.Abort)()
	if c.opts.Handler != nil {
		if err := conn.Send(ctx, "fetch", wire.Frame{Type: wire.TypeFetchOrders}, nil); err != nil {
			return err
		}
	}
	if !c.use(s) {
		return nil
	}
	defer c.use(nil)
	c.setState(Status{State: StateConnected, Attempt: delays.Attempt()})
	return c.serve(ctx, s, delays)
}

// use makes s the connection of the client, unless it is shutting down.
func (c *Client) use(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s != nil && (c.draining || c.closed) {
		return false
	}
	c.session = s
	return true
}

// isPermanent reports whether a refusal will not pass: the hub refuses the device's certificate, which has expired by the
// device's own clock. Before that date, or with another reason, the hub may change its mind.
func (c *Client) isPermanent(err error) bool {
	return isRejected(err) && c.opts.Time().After(c.credentials.cert.Leaf.NotAfter)
}

func isRejected(err error) bool {
	failed, ok := errors.AsType[*ngtterr.ConnectionFailedError](err)
	return ok && failed.Reason == ngtterr.ReasonRejected
}

// explain adds to a refusal what the device knows of its own certificate.
func (c *Client) explain(err error) error {
	failed, ok := errors.AsType[*ngtterr.ConnectionFailedError](err)
	if !ok || failed.Reason != ngtterr.ReasonRejected {
		return err
	}
	now, leaf := c.opts.Time(), c.credentials.cert.Leaf
	explained := *failed
	switch {
	case now.After(leaf.NotAfter):
		explained.Hint = "the device's certificate expired on " + leaf.NotAfter.Format(time.DateOnly)
	case now.Before(leaf.NotBefore):
		explained.Hint = "the device's certificate begins on " + leaf.NotBefore.Format(time.DateOnly) +
			", and the clock says " + now.Format(time.RFC3339) + ": is it right?"
	default:
		return err
	}
	return &explained
}

// setState tells everybody what the link is doing.
func (c *Client) setState(status Status) {
	c.mu.Lock()
	c.state = status
	c.mu.Unlock()
	level, attrs := slog.LevelInfo, []slog.Attr{slog.Int("attempt", status.Attempt)}
	if status.Err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Duration("delay", status.RetryIn), errkit.Attr(status.Err))
	}
	c.log(level, "link "+status.State.String(), attrs...)
	if c.opts.OnStateChange != nil {
		c.opts.OnStateChange(status)
	}
}

func (c *Client) log(level slog.Level, message string, attrs ...slog.Attr) {
	attrs = append([]slog.Attr{slog.String("module", "ngtt"), slog.String("target", c.dialer.Addr)}, attrs...)
	c.opts.Logger.LogAttrs(context.Background(), level, message, attrs...)
}
