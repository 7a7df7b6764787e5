package link

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// write is the goroutine that writes what nobody has written at once, and keeps the time: it wakes up when a ping is due
// or silence is too long.
func (c *Conn) write() {
	clock := alarm{timer: time.NewTimer(c.opts.PingInterval), due: c.meter.now() + c.opts.PingInterval}
	defer clock.timer.Stop()
	for {
		c.mu.Lock()
		if err := c.failed; err != nil {
			c.mu.Unlock()
			c.writeFailed(err)
			return
		}
		if c.flush() {
			continue
		}
		due, err := c.keepTime()
		if err != nil {
			return
		}
		if due <= c.meter.now() { // there is a ping to write
			continue
		}
		clock.set(due, c.meter.now())
		select {
		case <-c.wake:
		case <-clock.timer.C:
			clock.due = 0
		case <-c.dead:
			return
		}
	}
}

// flush writes what is queued, unless somebody is at it already: then that one, or the goroutine that writes, does the
// rest. It reports whether it has written. It runs with mu held and gives it back.
func (c *Conn) flush() bool {
	if c.writing || c.failed != nil || len(c.out) == 0 {
		c.mu.Unlock()
		return false
	}
	batch := c.out
	c.out, c.spare, c.writing = c.spare, nil, true
	c.mu.Unlock()
	err := c.writeOut(batch)
	c.mu.Lock()
	c.writing = false
	if err == nil {
		c.lastWrite = c.meter.now()
		c.written(len(batch))
	}
	if cap(batch) <= maxWrite {
		c.spare = batch[:0]
	}
	c.failed = err
	rest := err != nil || len(c.out) > 0 || len(c.unproven) >= maxUnproven
	c.mu.Unlock()
	if rest {
		c.signal()
	}
	return true
}

// alarm is a timer that is set anew only when it must ring earlier: ringing too early is cheaper than setting it for
// every frame.
type alarm struct {
	timer *time.Timer
	due   time.Duration // 0 when it has rung
}

func (a *alarm) set(due, now time.Duration) {
	if a.due == 0 || due < a.due {
		a.due = due
		a.timer.Reset(due - now)
	}
}

// writeOut writes a batch, in portions that each have a deadline of their own. A deadline is set for a quarter more than
// the time and kept while at least the time itself is left, since setting it costs about as much as sealing a small
// frame.
func (c *Conn) writeOut(batch []byte) error {
	for len(batch) > 0 {
		n := min(len(batch), maxWrite)
		if now := c.meter.now(); c.deadline-now < c.opts.WriteTimeout {
			c.deadline = now + c.opts.WriteTimeout + c.opts.WriteTimeout/4
			if err := c.stream.SetWriteDeadline(c.meter.began.Add(c.deadline)); err != nil {
				return err
			}
		}
		if _, err := c.stream.Write(batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// written takes note that so many bytes were written. It runs with mu held.
func (c *Conn) written(n int) {
	c.flushed += int64(n)
	done := 0
	for done < len(c.unflushed) && c.unflushed[done].end <= c.flushed {
		m := c.unflushed[done]
		m.at = c.lastWrite
		m.Flushed()
		c.unproven = append(c.unproven, m)
		done++
	}
	c.unflushed = slices.Delete(c.unflushed, 0, done)
	c.unproven = c.unproven[max(0, len(c.unproven)-maxMarks):]
	c.progress()
}

// writeFailed ends the connection because a write failed. The reason often lies in bytes that were not read yet, such
// as the alert of a hub that refuses the device: so a reader that waits gets a moment to find it.
func (c *Conn) writeFailed(err error) {
	if c.waitingSince.Load() != 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		verdict := time.NewTimer(verdictTimeout)
		defer verdict.Stop()
		select {
		case <-c.dead:
		case <-verdict.C:
		}
	}
	c.networkFailed("write", err)
}

// keepTime queues a ping if one is due, ends the connection if the hub was silent for too long, and otherwise
// returns when to look again.
func (c *Conn) keepTime() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.meter.now()
	if since := time.Duration(c.waitingSince.Load()); since != 0 {
		heard := max(time.Duration(c.meter.lastRead.Load()), since-1)
		switch {
		case len(c.pings) > 0 && now >= max(heard, c.pings[0].at)+c.opts.PongTimeout:
			return 0, c.silence("no answer to a ping, and nothing else, for " + c.opts.PongTimeout.String())
		case now >= heard+c.opts.ReadIdleTimeout:
			return 0, c.silence("nothing arrived for " + c.opts.ReadIdleTimeout.String())
		}
	}
	if c.writing || len(c.out) > 0 { // which says more than a ping
		return min(now+c.opts.PingInterval, c.silenceDue(now)), nil
	}
	if due := c.pingDue(); due > now {
		return min(due, c.silenceDue(now)), nil
	}
	id, ok := c.ids.take()
	if !ok {
		return 0, c.end(c.exhausted("ping"))
	}
	c.prove = false
	c.push(wire.Frame{Type: wire.TypePing, TID: id}, nil)
	c.pings = append(c.pings, ping{id: id, end: c.queued, at: now})
	return now, nil
}

// pingDue returns when the next ping goes out: after a while without writing, so that the hub sees a sign of life,
// and a while after something was written that the hub is not known to have read.
func (c *Conn) pingDue() time.Duration {
	if c.prove {
		return 0
	}
	due := c.lastWrite + c.opts.PingInterval
	asked := int64(0) // the position that the unanswered pings prove
	if n := len(c.pings); n > 0 {
		asked = c.pings[n-1].end
	}
	i, _ := slices.BinarySearchFunc(c.unproven, asked+1, func(m waitingMark, end int64) int { return cmp.Compare(m.end, end) })
	switch open := c.unproven[i:]; {
	case len(open) >= maxUnproven:
		return 0
	case len(open) > 0:
		due = min(due, open[0].at+c.opts.PingInterval)
	}
	return due
}

// silenceDue returns when silence may be too long.
func (c *Conn) silenceDue(now time.Duration) time.Duration {
	heard := now // of a reader that does not wait nothing can be said
	if since := time.Duration(c.waitingSince.Load()); since != 0 {
		heard = max(time.Duration(c.meter.lastRead.Load()), since-1)
	}
	due := heard + c.opts.ReadIdleTimeout
	if len(c.pings) > 0 {
		due = min(due, max(heard, c.pings[0].at)+c.opts.PongTimeout)
	}
	return max(due, now+time.Millisecond)
}

func (c *Conn) silence(problem string) error {
	return c.fail("ping", ngtterr.ReasonPingTimeout, errkit.Timeout|errkit.Disconnected, text(problem))
}

// text is an error made of words alone.
type text string

func (t text) Error() string { return string(t) }
