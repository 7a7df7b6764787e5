package engineio

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Conn is the client end of an Engine.IO connection, made by [Dial]. It does not come back by itself: when it has ended,
// and the [Handler] was told, a new one has to be dialled.
//
// All methods may be called from any goroutine, by the handler too if nothing else is said. A connection has one
// goroutine that reads, one that writes while there is something to write, and one during an upgrade.
type Conn struct {
	target    *target
	handler   Handler
	framing   framing
	handshake wire.Handshake
	poller    *poller // nil for a connection that began with WebSocket
	now       func() time.Time

	requests context.Context // of polling requests and of the upgrade; ends with the connection
	cancel   context.CancelFunc
	tasks    sync.WaitGroup     // all goroutines but the one that reads
	first    chan webSocketRead // the first message over an upgraded transport
	done     chan struct{}
	gone     chan struct{} // nothing is left

	mu      sync.Mutex
	changed sync.Cond // on mu: writing, upgrade, finishing or ended changed
	queue   queue
	writing bool // a writer runs
	refused bool // something did not fit into the queue since the handler was last told that there is room
	ponging bool // the answer to a ping waits in the queue
	ws      *wsconn.Conn
	upgrade upgradeState
	probe   *wsconn.Conn // the connection that is to become ws
	beat    clientBeat

	closing   bool // nothing is taken any more
	deaf      bool // nothing is delivered any more
	finishing bool // the good-bye is on its way, so that the server's end is no news
	ended     bool
	reason    Reason
	err       error
}

// newConn starts a connection on an opened transport.
func newConn(t *target, h Handler, o *opening) *Conn {
	c := &Conn{
		target: t, handler: h, handshake: o.handshake, poller: o.poller, ws: o.ws, now: time.Now,
		framing: framing{revision: o.revision, base64: t.opts.ForceBase64},
		queue:   queue{limits: &t.opts.Queue},
		first:   make(chan webSocketRead, 1), done: make(chan struct{}), gone: make(chan struct{}),
	}
	c.changed.L = &c.mu
	c.requests, c.cancel = context.WithCancel(context.Background())
	t.opts.Logger.Debug("connected", "module", "sioclient", "target", t.shown, "transport", c.Transport(),
		"protocol", c.Protocol())
	if o.ws != nil {
		t.opts.Remember.set(true)
	}
	c.startHeartbeat()
	if t.opts.OnOpen != nil {
		t.opts.OnOpen(c)
	}
	c.mu.Lock()
	if c.ws == nil && !c.closing && c.wantsUpgrade() {
		c.upgrade = upgradeProbing
		c.tasks.Go(c.tryUpgrade)
	}
	c.mu.Unlock()
	go c.run(o.rest)
	return c
}

// ID returns the session id. Whoever knows it can speak in the name of this client.
func (c *Conn) ID() string { return c.handshake.SID }

// Protocol returns the revision of the protocol, 3 or 4.
func (c *Conn) Protocol() int { return int(c.framing.revision) }

// MaxPayload returns the server's limit for a message, in bytes, 0 if it named none.
func (c *Conn) MaxPayload() int64 { return c.handshake.MaxPayload }

// Transport returns [Polling] or [WebSocket].
func (c *Conn) Transport() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws == nil {
		return Polling
	}
	return WebSocket
}

// Upgraded reports whether the connection went over from polling to WebSocket.
func (c *Conn) Upgraded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.upgrade == upgradeDone
}

// Send queues messages, all or none, with none of another call in between. It never waits. Errors, all with nothing sent:
//   - a *sioclient.BufferFullError if they are beyond DialOptions.Queue;
//   - a *sioclient.InvalidError for text that is not UTF-8 or, as long as the transport is polling, contains U+001E;
//   - a *sioclient.EngineError that matches sioclient.ErrTooLarge for a message above [Conn.MaxPayload], for which the
//     server would end the connection;
//   - a *sioclient.DisconnectedError if the connection has ended, also if it has because the heartbeat was missed while
//     the computer slept;
//   - one that matches sioclient.ErrClosed after [Conn.Close].
func (c *Conn) Send(msgs ...Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.beatMissed() {
		c.end(sioerr.PingTimeout, c.heartbeatError())
	}
	switch {
	case c.ended && c.reason != sioerr.ForcedClose:
		return &sioerr.DisconnectedError{
			Info:   errkit.Info{Class: sioerr.ErrDisconnected, Op: opSend, Kind: errkit.NotSent, Err: c.err},
			Reason: c.reason,
		}
	case c.ended, c.closing:
		return &errkit.Basic{Info: errkit.Info{Class: sioerr.ErrClosed, Op: opSend, Kind: errkit.NotSent}}
	}
	if err := checkMessages(opSend, msgs, c.ws == nil && c.framing.revision == wire.V4); err != nil {
		return err
	}
	if err := c.checkSizes(msgs); err != nil {
		return err
	}
	if err := c.queue.push(opSend, msgs...); err != nil {
		c.refused = true
		return err
	}
	c.flush()
	return nil
}

// checkSizes turns down what the server would, in the form in which the present transport carries it.
func (c *Conn) checkSizes(msgs []Message) error {
	limit := c.handshake.MaxPayload
	if limit == 0 {
		return nil
	}
	for i := range msgs {
		size := msgs[i].Len()
		if msgs[i].binary && (c.ws == nil || c.framing.base64) {
			size = c.framing.revision.TextLen(msgs[i].packet())
		}
		if int64(size) > limit {
			e := c.target.engineError(sioerr.ErrTooLarge, opSend, c.transport(), "", errAboveMaxPayload)
			e.Kind |= errkit.NotSent
			return e
		}
	}
	return nil
}

func (c *Conn) transport() string {
	if c.ws == nil {
		return Polling
	}
	return WebSocket
}

// Writable reports whether a message sent now would be on its way at once. What may as well be lost is sent only then.
func (c *Conn) Writable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closing && !c.ended && !c.paused() && !c.writing && c.queue.empty() && !c.beatMissed()
}

// Buffered returns how much waits to be sent, what a write has under way included.
func (c *Conn) Buffered() (messages, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.messages, c.queue.bytes
}

// Done returns a channel that is closed when the connection has ended: nothing is sent any more, and
// [Handler.HandleClose] follows.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Wait returns when the connection has ended, the handler was told, and nothing of it runs any more. The handler must
// not call it.
func (c *Conn) Wait() { <-c.gone }

// flush lets what waits be sent. It runs with mu held.
func (c *Conn) flush() {
	if c.writing || c.ended || c.queue.empty() || c.paused() {
		return
	}
	c.writing = true
	c.tasks.Go(c.write)
}

// write sends what waits until nothing does. It runs while writing is set, in one goroutine at a time.
func (c *Conn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ended && !c.queue.empty() && !c.paused() {
		ws, n := c.ws, -1
		if ws == nil {
			n = postLen(c.queue.waiting, c.framing.revision, c.handshake.MaxPayload)
		}
		batch := c.queue.take(n)
		c.ponging = c.ponging && slices.ContainsFunc(c.queue.waiting, isPong)
		c.mu.Unlock()
		reason, err := c.send(ws, batch)
		c.mu.Lock()
		c.queue.done(batch)
		if err != nil {
			c.fail(reason, err)
		}
		c.tellRoom()
	}
	c.writing = false
	c.changed.Broadcast()
}

// tellRoom tells the handler that there is room again, if something was refused for want of it. It runs with mu held,
// which it gives back meanwhile.
func (c *Conn) tellRoom() {
	h, ok := c.handler.(DrainHandler)
	if !c.refused || c.closing || c.ended || !ok {
		return
	}
	c.refused = false
	c.mu.Unlock()
	h.HandleDrain()
	c.mu.Lock()
}

// send writes a batch to the WebSocket connection, or in one request if there is none.
func (c *Conn) send(ws *wsconn.Conn, batch []Message) (Reason, error) {
	if ws == nil {
		var payload []byte
		for i := range batch {
			payload = c.framing.revision.AppendPayload(payload, batch[i].packet())
		}
		return sioerr.TransportError, c.poller.post(c.requests, payload)
	}
	if err := c.framing.write(ws, batch); err != nil {
		return webSocketReason(err), c.target.webSocketError(opSend, c.handshake.SID, err)
	}
	return "", nil
}
