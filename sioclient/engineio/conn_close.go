package engineio

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Close ends the connection with the reason sioclient.ForcedClose, after an upgrade under way and, unless discard is
// set, after what waits was sent; then it tells the server. All of that is bounded by DialOptions.CloseTimeout. Close
// does not wait for it: [Conn.Wait] does. Called again with discard set, it hurries up the end.
func (c *Conn) Close(discard bool) { c.closeWith(sioerr.ForcedClose, nil, discard) }

// CloseWith ends the connection with a reason and a cause of the caller's, which the handler gets; no message comes any
// more. What waits is not sent, but the server is told.
func (c *Conn) CloseWith(reason Reason, err error) { c.closeWith(reason, err, true) }

func (c *Conn) closeWith(reason Reason, err error, discard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	if discard {
		c.deaf = true
		c.queue.discard()
		c.changed.Broadcast()
	}
	if !c.closing {
		c.closing = true
		c.tasks.Go(func() { c.sayGoodbye(reason, err) })
	}
}

// sayGoodbye ends a connection in good order.
func (c *Conn) sayGoodbye(reason Reason, err error) {
	limit := alarm.After(c.target.opts.CloseTimeout, c, func(c *Conn) { c.endLocked(reason, err) })
	defer limit.Stop()
	c.mu.Lock()
	for !c.ended && (c.writing || !c.queue.empty() || c.upgrade.underWay()) {
		c.changed.Wait()
	}
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.finishing = true
	c.changed.Broadcast()
	ws := c.ws
	c.mu.Unlock()
	if ws != nil {
		_ = ws.Close(codeNormal, "") // a server that does not answer has nothing more to say
	} else {
		_, _ = c.send(nil, []Message{closePacket}) // nor does it matter whether it got this
	}
	c.endLocked(reason, err)
}

// failed ends the connection for a reason that came from outside, unless it is coming to its end anyway.
func (c *Conn) failed(reason Reason, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(reason, err)
}

// fail is failed with mu held.
func (c *Conn) fail(reason Reason, err error) {
	if c.ended || c.finishing {
		return
	}
	c.target.opts.Remember.set(false)
	c.end(reason, err)
}

func (c *Conn) endLocked(reason Reason, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(reason, err)
}

// end ends the connection unless it has ended: nothing is sent or delivered any more, everything under way is
// interrupted, and HandleClose follows. It runs with mu held.
func (c *Conn) end(reason Reason, err error) {
	if c.ended {
		return
	}
	c.ended, c.reason, c.err = true, reason, err
	c.beat.timer.Stop()
	c.queue.discard()
	c.cancel()
	c.changed.Broadcast()
	for _, ws := range []*wsconn.Conn{c.ws, c.probe} {
		if ws != nil {
			c.tasks.Go(func() { _ = ws.CloseNow() }) // it waits until nothing is left, and is always nil
		}
	}
	close(c.done) // last: finish now waits for the tasks
}

// finish waits until nothing is left but the goroutine that reads, and tells the handler.
func (c *Conn) finish() {
	<-c.done
	c.tasks.Wait()
	if c.poller != nil {
		c.poller.close()
	}
	c.target.opts.Logger.Debug("connection ended", "module", "sioclient", "target", c.target.shown,
		"reason", string(c.reason), errkit.Attr(c.err))
	c.handler.HandleClose(c.reason, c.err)
	close(c.gone)
}
