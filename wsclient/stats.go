//go:build !js

package wsclient

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Stats are the counters of a manager. Those that count begin at 0 with New and with ResetStats.
type Stats struct {
	Connects, Disconnects                     uint64
	ProactiveDisconnects, ReactiveDisconnects uint64
	DisconnectsByReason                       map[DisconnectReason]uint64
	Attempts, FailedAttempts                  uint64 // dials

	MessagesReceived, MessagesSent uint64
	BytesReceived, BytesSent       uint64 // of messages, without framing

	LastConnectTime, LastDisconnectTime, LastMessageTime time.Time // zero: never

	Uptime         time.Duration // of the counters: since New or ResetStats
	CurrentUptime  time.Duration // of the connection; 0 if there is none
	ConnectionTime time.Duration // since the last connect, whether the connection lasts or not; 0 if there was none
	TotalDowntime  time.Duration // between connections, and since the last one

	// Of messages that arrived: lost for want of room, places where that happened, recognised as repeated, and what the
	// queue holds or held at most.
	Dropped, GapEvents, Duplicates uint64
	InboundDepth, InboundHighWater int
	InboundBytes                   int64

	// Of messages to be sent, if they are queued: see SendOptions.
	OutboundDepth, OutboundHighWater    int
	OutboundBytes                       int64
	Resent, Acked, Expired, Quarantined uint64
	OutboundDropped, OutboundRefused    uint64
	MaybeLost                           uint64 // written, without a sign that they arrived before the connection was lost
	LossesUntold                        uint64 // losses, counted above, that SendOptions.OnLoss was too slow to be told of

	RTT RTT

	// On the network, of all connections, with framing, TLS and handshakes.
	WireBytesIn, WireBytesOut, Flushes uint64

	CallbackPanics uint64
	HooksSkipped   uint64 // calls of hooks that were left out because too many waited

	LastError  error      // of the last attempt or connection that failed; nil if none has
	LastClose  *CloseInfo // nil if no connection has ended
	Generation uint64     // of the newest connection; not reset
	Endpoint   string     // of the newest connection, without secrets; not reset
	State      State
}

// RTT are the times from pings to their pongs.
type RTT struct {
	Count                    uint64
	Last, Smoothed, Min, Max time.Duration // smoothed as in RFC 6298: an eighth of each new one
}

// counters are what Stats is made of. The busy ones are atomic.
type counters struct {
	messagesIn, messagesOut atomic.Uint64
	bytesIn, bytesOut       atomic.Uint64
	lastMessage             atomic.Int64 // nanoseconds of Unix time; 0: never
	duplicates              atomic.Uint64

	metrics Metrics

	mu      sync.Mutex // guards what follows
	began   time.Time
	s       Stats // what is not in the others
	session *session
	since   time.Time    // last connect; zero: never
	down    time.Time    // last disconnect; zero while connected, and before the first connection
	wire    wsconn.Stats // of connections that are closed
	open    []*wsconn.Conn
	base    totals // at ResetStats
}

func (c *counters) received(now time.Time, n int) {
	c.messagesIn.Add(1)
	c.bytesIn.Add(uint64(n))
	c.lastMessage.Store(now.UnixNano())
	c.metrics.Add(MetricMessagesReceived, 1)
	c.metrics.Add(MetricBytesReceived, uint64(n))
}

func (c *counters) sentOne(n int) { c.add(1, uint64(n)) }

func (c *counters) sent(msgs []wsconn.Message) {
	var n uint64
	for i := range msgs {
		n += uint64(len(msgs[i].Data))
	}
	c.add(uint64(len(msgs)), n)
}

func (c *counters) add(messages, bytes uint64) {
	c.messagesOut.Add(messages)
	c.bytesOut.Add(bytes)
	c.metrics.Add(MetricMessagesSent, messages)
	c.metrics.Add(MetricBytesSent, bytes)
}

func (c *counters) attempt() {
	c.metrics.Add(MetricAttempts, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Attempts++
}

func (c *counters) attemptFailed(err error) {
	c.metrics.Add(MetricFailedAttempts, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.FailedAttempts++
	c.s.LastError = err
}

func (c *counters) connected(s *session) {
	c.metrics.Add(MetricConnects, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Connects++
	c.s.LastConnectTime = time.Now()
	c.s.Endpoint = s.endpoint
	c.session, c.since = s, time.Now()
	if !c.down.IsZero() {
		c.s.TotalDowntime += time.Since(c.down)
		c.down = time.Time{}
	}
}

func (c *counters) disconnected(s *session, info CloseInfo) {
	c.metrics.Add(MetricDisconnects, 1)
	c.metrics.Observe(MetricUptime, info.Uptime.Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Disconnects++
	if info.Why.IsProactive() {
		c.s.ProactiveDisconnects++
	} else {
		c.s.ReactiveDisconnects++
	}
	if c.s.DisconnectsByReason == nil {
		c.s.DisconnectsByReason = make(map[DisconnectReason]uint64)
	}
	c.s.DisconnectsByReason[info.Why]++
	c.s.LastDisconnectTime = time.Now()
	c.s.LastClose = &info
	if info.Err != nil {
		c.s.LastError = info.Err
	}
	if c.session == s {
		c.session, c.down = nil, time.Now()
	}
}

// opened begins to count the bytes of a connection, and ended adds them to those of the others.
func (c *counters) opened(conn *wsconn.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, conn)
}

func (c *counters) ended(conn *wsconn.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = slices.DeleteFunc(c.open, func(o *wsconn.Conn) bool { return o == conn })
	c.wire = plus(c.wire, conn.Stats())
}

func (c *counters) roundTrip(rtt time.Duration) {
	c.metrics.Observe(MetricRTT, rtt.Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.s.RTT
	if r.Count == 0 {
		r.Smoothed, r.Min = rtt, rtt
	}
	r.Count++
	r.Last = rtt
	r.Smoothed += (rtt - r.Smoothed) / 8
	r.Min, r.Max = min(r.Min, rtt), max(r.Max, rtt)
}

// totals are the counters that only grow and that others keep. ResetStats remembers them.
type totals struct {
	messagesIn, messagesOut, bytesIn, bytesOut, duplicates uint64

	panics, skipped uint64
	wire            wsconn.Stats
	inbox           inbox.Stats
	outbox          outbox.Stats
}

// totals returns them as they are now. The mutex of the counters is held.
func (m *Manager) totals() totals {
	c := &m.counters
	t := totals{
		messagesIn: c.messagesIn.Load(), messagesOut: c.messagesOut.Load(),
		bytesIn: c.bytesIn.Load(), bytesOut: c.bytesOut.Load(), duplicates: c.duplicates.Load(),
		panics: m.dispatch.panics.Load(), skipped: m.dispatch.serial.skipped(),
		wire: c.wire, inbox: m.inbox.Stats(),
	}
	for _, conn := range c.open {
		t.wire = plus(t.wire, conn.Stats())
	}
	if m.outbox != nil {
		t.outbox = m.outbox.Stats()
	}
	return t
}

func plus(a, b wsconn.Stats) wsconn.Stats {
	return wsconn.Stats{BytesIn: a.BytesIn + b.BytesIn, BytesOut: a.BytesOut + b.BytesOut, Writes: a.Writes + b.Writes}
}

// Stats returns the counters as they are now.
func (m *Manager) Stats() Stats {
	state, generation := m.State(), m.gen.Load()
	c := &m.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.State, s.Generation = state, generation
	s.DisconnectsByReason = maps.Clone(c.s.DisconnectsByReason)
	s.Uptime = time.Since(c.began)
	if c.session != nil {
		s.CurrentUptime = time.Since(c.session.began)
	}
	if !c.since.IsZero() {
		s.ConnectionTime = time.Since(c.since)
	}
	if !c.down.IsZero() {
		s.TotalDowntime += time.Since(c.down)
	}
	if at := c.lastMessage.Load(); at != 0 {
		s.LastMessageTime = time.Unix(0, at)
	}
	t, b := m.totals(), &c.base
	s.MessagesReceived, s.MessagesSent = t.messagesIn-b.messagesIn, t.messagesOut-b.messagesOut
	s.BytesReceived, s.BytesSent = t.bytesIn-b.bytesIn, t.bytesOut-b.bytesOut
	s.Duplicates = t.duplicates - b.duplicates
	s.CallbackPanics, s.HooksSkipped = t.panics-b.panics, t.skipped-b.skipped
	s.WireBytesIn = uint64(t.wire.BytesIn - b.wire.BytesIn)
	s.WireBytesOut = uint64(t.wire.BytesOut - b.wire.BytesOut)
	s.Flushes = uint64(t.wire.Writes - b.wire.Writes)
	s.Dropped, s.GapEvents = t.inbox.Dropped-b.inbox.Dropped, t.inbox.Gaps-b.inbox.Gaps
	s.InboundDepth, s.InboundBytes, s.InboundHighWater = t.inbox.Depth, t.inbox.Bytes, t.inbox.HighWater
	o, ob := &t.outbox, &b.outbox
	s.OutboundDepth, s.OutboundBytes, s.OutboundHighWater = o.Depth, o.Bytes, o.HighWater
	s.Resent, s.Expired, s.Quarantined = o.Resent-ob.Resent, o.Expired-ob.Expired, o.Quarantined-ob.Quarantined
	s.OutboundDropped, s.OutboundRefused = o.Dropped-ob.Dropped, o.Refused-ob.Refused
	s.MaybeLost, s.LossesUntold = o.MaybeLost-ob.MaybeLost, o.Untold-ob.Untold
	if m.opts.Send.Mode == SendAtLeastOnce {
		s.Acked = o.Delivered - ob.Delivered
	}
	return s
}

// ResetStats sets the counters to zero. What is no count stays: state, generation, endpoint, and what queues hold.
func (m *Manager) ResetStats() {
	c := &m.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s = Stats{Endpoint: c.s.Endpoint}
	c.began = time.Now()
	c.since = time.Time{}
	if !c.down.IsZero() {
		c.down = time.Now()
	}
	c.lastMessage.Store(0)
	c.base = m.totals()
}
