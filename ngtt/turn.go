package ngtt

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// patience is how long a connection may go unread because of an order.
const patience = 5 * time.Millisecond

// turn is the turn of reading one connection. Whoever has it executes an order itself when none waits, since waking another
// goroutine would take as long as all the rest of a quick order. When that takes longer, another goroutine gets the turn.
type turn struct {
	client *Client
	s      *session
	ctx    context.Context // of Run
	delays *retry.Sequence
	over   chan error // the cause of the end, once

	mu        sync.Mutex // guards what follows
	executing bool       // whether the one who has the turn executes an order
	timer     *time.Timer
	armed     bool // whether the timer runs: it rings too early rather than being set for every order
}

// serve reads what the hub sends until the connection ends, and returns the cause.
func (c *Client) serve(ctx context.Context, s *session, delays *retry.Sequence) error {
	t := &turn{client: c, s: s, ctx: ctx, delays: delays, over: make(chan error, 1)}
	t.timer = time.AfterFunc(time.Hour, t.pass)
	defer t.timer.Stop()
	c.work.Go(t.read)
	return <-t.over
}

// read is a goroutine that has the turn, until it is passed to another one or the connection ends.
func (t *turn) read() {
	c := t.client
	for {
		f, err := t.s.Next()
		if err == nil {
			if f.Type == wire.TypeOrder && c.opts.Handler != nil {
				t.delays.Reset()
				var d delivery
				if d, err = c.receive(t.ctx, t.s, f); d.sections > 0 {
					if !t.take(d) {
						return
					}
				}
			} else {
				err = c.skip(t.s, f)
			}
		}
		if err != nil {
			t.over <- err
			return
		}
	}
}

// take executes an order or puts it into the queue. It reports whether the caller still has the turn.
func (t *turn) take(d delivery) bool {
	c := t.client
	if !c.queue.begin() {
		if c.queue.push(t.s.Done(), d) {
			t.s.behind.Store(int64(time.Since(t.s.began)))
		}
		return true
	}
	t.mu.Lock()
	t.executing = true
	if !t.armed {
		t.armed = true
		t.timer.Reset(patience)
	}
	t.mu.Unlock()
	c.books.hold()
	c.deliver(t.ctx, d)
	c.queue.end()
	if c.books.release() {
		c.enter()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.executing
	t.executing = false
	return mine
}

// pass gives the turn to another goroutine if the one that has it executes an order.
func (t *turn) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = false
	if !t.executing {
		return
	}
	t.executing = false
	if t.client.books.release() {
		tell(t.client.books.wake)
	}
	t.client.work.Go(t.read)
}
