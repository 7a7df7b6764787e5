package ngtt

import (
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/internal/link"
)

// State says what the link is doing.
type State int

// The states of a link.
const (
	StateIdle         State = iota // Run was not called yet, or has returned
	StateConnecting                // a connection is being made
	StateConnected                 // there is a connection
	StateDisconnected              // there is none, and the client waits before it tries again
)

// String returns "idle", "connecting", "connected" or "disconnected".
func (s State) String() string {
	switch s {
	case StateIdle:
		return "idle"
	case StateConnecting:
		return "connecting"
	case StateConnected:
		return "connected"
	case StateDisconnected:
		return "disconnected"
	}
	return "unknown"
}

// Status is a state with its circumstances.
type Status struct {
	State   State
	Attempt int           // number of the attempt to connect, counted from 1 since the last stable connection
	Err     error         // why there is no connection; nil unless disconnected
	RetryIn time.Duration // how long the client waits before the next attempt; 0 unless disconnected
}

// Stats are the counters of a client since it was made.
type Stats struct {
	State       State
	Connections int64         // that came about
	RTT         time.Duration // of the last ping on this connection; 0 if there was none

	BytesIn, BytesOut   int64 // on the network, with TLS
	FramesIn, FramesOut int64
	UnknownFrames       int64 // skipped

	OrdersReceived int64 // every ORDER frame
	Executed       int64 // orders that were executed and acknowledged
	Rejected       int64 // orders that were refused, those that could not be decoded included
	Repeated       int64 // orders that were recognised as repetitions and not executed
	Confirmed      int64 // confirmations that were given to the network

	QueuedOrders int   // waiting for the handler
	QueuedBytes  int64 // waiting for the handler
	Remembered   int   // orders that the client would recognise if they came again
}

// counters are what [Stats] are made of.
type counters struct {
	connections, unknown, received, executed, rejected, repeated, confirmed atomic.Int64

	bytesIn, bytesOut, framesIn, framesOut atomic.Int64 // of connections that are over
}

func (s *counters) over(conn link.Stats) {
	s.bytesIn.Add(conn.BytesIn)
	s.bytesOut.Add(conn.BytesOut)
	s.framesIn.Add(conn.FramesIn)
	s.framesOut.Add(conn.FramesOut)
}

// Stats returns the counters as they are now.
func (c *Client) Stats() Stats {
	s := Stats{
		State: c.Status().State, Connections: c.stats.connections.Load(),
		BytesIn: c.stats.bytesIn.Load(), BytesOut: c.stats.bytesOut.Load(),
		FramesIn: c.stats.framesIn.Load(), FramesOut: c.stats.framesOut.Load(),
		UnknownFrames:  c.stats.unknown.Load(),
		OrdersReceived: c.stats.received.Load(), Executed: c.stats.executed.Load(), Rejected: c.stats.rejected.Load(),
		Repeated: c.stats.repeated.Load(), Confirmed: c.stats.confirmed.Load(),
		Remembered: c.ledger.size(),
	}
	s.QueuedOrders, s.QueuedBytes = c.queue.size()
	if session := c.current(); session != nil {
		conn := session.Conn.Stats()
		s.RTT = conn.RTT
		s.BytesIn += conn.BytesIn
		s.BytesOut += conn.BytesOut
		s.FramesIn += conn.FramesIn
		s.FramesOut += conn.FramesOut
	}
	return s
}

// Status returns what the link is doing.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}
