//go:build !js

package wsclient

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

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
	since   time.Time // last connect; zero: never
	down    time.Time // last disconnect; zero while connected, and before the first connection
	earlier wsconn.Stats
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

// ended takes over the counters of a connection that is closed.
func (c *counters) ended(conn *wsconn.Conn) {
	w := conn.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.WireBytesIn += uint64(w.BytesIn)
	c.s.WireBytesOut += uint64(w.BytesOut)
	c.s.Flushes += uint64(w.Writes)
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

// Stats returns the counters as they are now.
func (m *Manager) Stats() Stats {
	c := &m.counters
	c.mu.Lock()
	s := c.s
	s.DisconnectsByReason = maps.Clone(c.s.DisconnectsByReason)
	s.Uptime = time.Since(c.began)
	if c.session != nil {
		s.CurrentUptime = time.Since(c.session.began)
		w := c.session.conn.Stats()
		s.WireBytesIn += uint64(w.BytesIn)
		s.WireBytesOut += uint64(w.BytesOut)
		s.Flushes += uint64(w.Writes)
	}
	if !c.since.IsZero() {
		s.ConnectionTime = time.Since(c.since)
	}
	if !c.down.IsZero() {
		s.TotalDowntime += time.Since(c.down)
	}
	s.MessagesReceived, s.MessagesSent = c.messagesIn.Load(), c.messagesOut.Load()
	s.BytesReceived, s.BytesSent = c.bytesIn.Load(), c.bytesOut.Load()
	s.Duplicates = c.duplicates.Load()
	if at := c.lastMessage.Load(); at != 0 {
		s.LastMessageTime = time.Unix(0, at)
	}
	c.mu.Unlock()
	return s
}
