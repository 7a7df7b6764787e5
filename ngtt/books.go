package ngtt

import (
	"context"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// bookkeeping is one piece of news about a confirmation: that the network has it, or that the hub has read it.
type bookkeeping struct {
	*confirmation
	proven bool
}

// books gathers the news for the goroutine that writes them into the journal, so that no disk holds up a connection. Its
// length is bounded by that of the confirmations under way.
type books struct {
	wake    chan struct{}
	writing sync.Mutex // one goroutine at a time writes the news

	mu   sync.Mutex // guards what follows
	news []bookkeeping
	held bool // somebody writes the news in a moment and needs no waking
}

func (b *books) add(n bookkeeping) {
	b.mu.Lock()
	b.news = append(b.news, n)
	held := b.held
	b.mu.Unlock()
	if !held {
		tell(b.wake)
	}
}

// hold lets the news wait for release.
func (b *books) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = true
}

// release ends a hold, and reports whether there are news to be written by the caller.
func (b *books) release() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = false
	return len(b.news) > 0
}

func (b *books) take() []bookkeeping {
	b.mu.Lock()
	defer b.mu.Unlock()
	news := b.news
	b.news = nil
	return news
}

// keepBooks is the goroutine that keeps the journal up to date until stop is closed, and then once more.
func (c *Client) keepBooks(stop <-chan struct{}) {
	for {
		c.enter()
		select {
		case <-c.books.wake:
		case <-stop:
			c.enter()
			return
		}
	}
}

// enter writes the news into ledger and journal.
func (c *Client) enter() {
	c.books.writing.Lock()
	defer c.books.writing.Unlock()
	var healthy *session
	for _, n := range c.books.take() {
		if !n.proven {
			c.stats.confirmed.Add(1)
			if record, ok := c.ledger.confirmed(n.entry, n.way); ok {
				c.journalFailed("put", c.opts.Journal.Put(c.keep, record))
			}
			continue
		}
		healthy = n.way.session
		if c.ledger.proven(n.entry, n.way) {
			c.forget(c.keep, n.entry.ID)
		}
	}
	// An order that waits may be a repetition of what the sweep would take away.
	if waiting, _ := c.queue.size(); healthy != nil && waiting == 0 {
		c.forget(c.keep, c.ledger.sweep(healthy, time.Now())...)
	}
}

// forget removes entries from the journal.
func (c *Client) forget(ctx context.Context, ids ...uint64) {
	for _, id := range ids {
		c.journalFailed("remove", c.opts.Journal.Remove(ctx, id))
	}
}

func (c *Client) journalFailed(op string, err error) {
	if err != nil {
		c.report(ngtterr.ErrJournal.Wrap(op, "", err))
	}
}
