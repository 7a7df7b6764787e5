package ngtt

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/link"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// Client keeps the order link of one device up. [Client.Run] does the work; all other methods may be called from any
// goroutine at any time.
type Client struct {
	credentials *Credentials
	opts        Options
	dialer      *link.Dialer
	ledger      *ledger
	queue       *orderQueue
	books       books
	inflight    inflight
	stats       counters
	work        sync.WaitGroup // of the goroutines that read and execute

	keep context.Context // that of Run, but never ends: for the journal
	life context.Context // ends with Close; the parent of nothing that Run's own context does not end too
	kill context.CancelFunc
	ran  chan struct{} // closed when Run has returned
	shut chan struct{} // closed when Shutdown has returned

	mu       sync.Mutex // guards what follows
	state    Status
	session  *session // the connection that is up, nil if there is none
	running  bool     // Run was called
	draining bool     // Shutdown was called
	closed   bool     // nothing works any more
}

// New returns a client for the device with these credentials. It checks everything and does no I/O. Nil options mean
// defaults. An option that cannot be used is a *[ConfigurationError].
func New(credentials *Credentials, opts *Options) (*Client, error) {
	if credentials == nil {
		return nil, ngtterr.Credentials("New", "certificate", errMissing)
	}
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	dialer, err := newDialer(credentials, &o)
	if err != nil {
		return nil, err
	}
	c := &Client{
		credentials: credentials, opts: o, dialer: dialer, ledger: newLedger(o.RedeliveryWindow),
		books: books{wake: make(chan struct{}, 1)}, ran: make(chan struct{}),
		shut: make(chan struct{}),
	}
	c.queue = newOrderQueue(o.QueueOrders, o.QueueBytes, &c.inflight)
	c.life, c.kill = context.WithCancel(context.Background())
	return c, nil
}

// Close ends the connection at once and waits until Run, the handler included, has returned. Confirmations that were not
// sent yet are lost, which is what the [Journal] is for. It may be called again, but not by the handler or a hook. It
// always returns nil.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	running := c.running
	c.mu.Unlock()
	c.kill()
	c.queue.close()
	if running {
		<-c.ran
	}
	return nil
}

// Shutdown ends the client in order: it takes no more orders, waits until the handler has returned and every order
// that it was given has its [Order.Ack] or [Order.Nack], sends what is queued, asks the hub with a last ping whether it
// has read the confirmations, and closes. Orders that still waited for the handler stay with the hub.
//
// When ctx ends before, the rest is cut short as by [Client.Close], and the error matches that of ctx; when Close itself
// cuts it short, the error is [ErrClosed]. A second call waits for the first one in the same way, and one on a closed
// client for the rest of [Client.Run]. The handler and hooks must not call it.
func (c *Client) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	second, closed := c.draining, c.closed
	c.draining = true
	c.mu.Unlock()
	switch {
	case second:
		return c.joinShutdown(ctx)
	case closed:
		return c.Close()
	}
	defer close(c.shut)
	c.queue.close()
	var err error
	if !c.inflight.wait(ctx.Done(), c.life.Done()) {
		if err = c.closedError("shutdown"); ctx.Err() != nil {
			err = ngtterr.Interrupted(ctx, "shutdown", c.dialer.Addr)
		}
	}
	if s := c.current(); s != nil {
		if failed := s.Shutdown(ctx); err == nil {
			err = failed
		}
	}
	_ = c.Close() // always nil
	return err
}

// joinShutdown waits for the Shutdown under way, and cuts it short when ctx ends.
func (c *Client) joinShutdown(ctx context.Context) error {
	var err error
	select {
	case <-c.shut:
	case <-c.life.Done(): // Close was called
	case <-ctx.Done():
		if c.life.Err() != nil {
			break // it has just ended
		}
		err = ngtterr.Interrupted(ctx, "shutdown", c.dialer.Addr)
	}
	_ = c.Close() // always nil
	return err
}

// current returns the connection that is up, or nil.
func (c *Client) current() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

func (c *Client) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *Client) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// connected returns the connection that is up, or the error of a call that needs one.
func (c *Client) connected(op string) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, c.closedError(op)
	case c.session == nil:
		return nil, &ngtterr.ConnectionFailedError{
			Info:   errkit.Info{Class: ngtterr.ErrNotConnected, Op: op, Target: c.dialer.Addr},
			Reason: ngtterr.ReasonNotConnected, NoInternet: true,
		}
	}
	return c.session, nil
}

func (c *Client) closedError(op string) error { return ngtterr.ErrClosed.Wrap(op, c.dialer.Addr, nil) }

// report gives an error that ends nothing to whoever wants to know.
func (c *Client) report(err error) {
	c.opts.Logger.LogAttrs(context.Background(), slog.LevelWarn, "order trouble",
		slog.String("module", "ngtt"), slog.String("target", c.dialer.Addr), errkit.Attr(err))
	if c.opts.OnError != nil {
		c.opts.OnError(err)
	}
}

// String returns the device id and the address of the hub.
func (c *Client) String() string {
	return fmt.Sprintf("ngtt.Client(%q, %s)", c.credentials.deviceID, c.dialer.Addr)
}

// Format prints [Client.String] whatever the verb, so that no key gets into a text.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) } // fmt reports a failed write itself

// text is an error made of words alone.
type text string

func (t text) Error() string { return string(t) }

const errMissing = text("missing")
