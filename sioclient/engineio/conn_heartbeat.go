package engineio

import (
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// clientBeat watches over the life of the server. In revision 4 the server pings and the client waits for that, with one
// timer; in revision 3 it is the other way round.
type clientBeat struct {
	timer   *alarm.Alarm[Conn]
	due     time.Time // when the timer is to fire
	pinging bool      // revision 3: a ping waits for its answer
}

func (c *Conn) startHeartbeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat.timer = alarm.After(time.Hour, c, (*Conn).beatDue)
	if c.framing.revision == wire.V4 {
		c.rearm(c.handshake.PingInterval + c.handshake.PingTimeout)
		return
	}
	c.rearm(c.handshake.PingInterval)
}

// rearm sets the timer. It runs with mu held.
func (c *Conn) rearm(d time.Duration) {
	if !c.ended {
		c.beat.due = c.now().Add(d)
		c.beat.timer.Reset(d)
	}
}

// beatDue is called by the timer.
func (c *Conn) beatDue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
	case c.now().Before(c.beat.due): // set again in the very moment
	case c.framing.revision == wire.V3 && !c.beat.pinging:
		c.beat.pinging = true
		c.queue.force(pingPacket)
		c.flush()
		c.rearm(c.handshake.PingTimeout)
	default:
		c.end(sioerr.PingTimeout, c.heartbeatError())
	}
}

// beatMissed reports whether the heartbeat is overdue by the clock on the wall. The timer does not tell while a computer
// sleeps: its clock may stand still then. It runs with mu held.
func (c *Conn) beatMissed() bool {
	if c.ended {
		return false
	}
	limit := c.beat.due.Round(0) // without the reading of that other clock
	if c.framing.revision == wire.V3 && !c.beat.pinging {
		limit = limit.Add(c.handshake.PingTimeout)
	}
	return c.now().Round(0).After(limit)
}

func (c *Conn) heartbeatError() error {
	e := c.target.engineError(sioerr.ErrEngine, opRead, c.transport(), "", errNoHeartbeat)
	e.Kind |= errkit.Timeout | errkit.Disconnected
	return e
}

// pinged answers a ping of the server, with its data. Of pings that come faster than the answers can be written some
// stay unanswered; the server needs one only.
func (c *Conn) pinged(data []byte) {
	c.mu.Lock()
	c.rearm(c.handshake.PingInterval + c.handshake.PingTimeout)
	if !c.ponging && !c.ended {
		c.ponging = true
		pong := pongPacket
		if len(data) > 0 {
			pong.data = slices.Concat(pong.data, data)
		}
		c.queue.force(pong)
		c.flush()
	}
	c.mu.Unlock()
	if c.target.opts.OnPing != nil {
		c.target.opts.OnPing()
	}
}

// ponged takes the answer to a ping, and waits for the time of the next one.
func (c *Conn) ponged() {
	c.mu.Lock()
	if c.beat.pinging {
		c.beat.pinging = false
		c.rearm(c.handshake.PingInterval)
	}
	c.mu.Unlock()
	if c.target.opts.OnPing != nil {
		c.target.opts.OnPing()
	}
}

func isPong(m Message) bool { return !m.binary && m.data[0] == pongPacket.data[0] }
