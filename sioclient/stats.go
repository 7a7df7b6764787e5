package sioclient

import "sync/atomic"

// Stats counts what a manager and its sockets did since it was made.
type Stats struct {
	Connections     uint64 // to the server
	Attempts        uint64 // to connect again
	Reconnects      uint64 // that succeeded
	Sent            uint64 // events and acknowledgements given to a connection
	Received        uint64 // events
	VolatileDropped uint64 // volatile events that were dropped
	Dropped         uint64 // other events that were accepted and never sent
}

type counters struct {
	connections, attempts, reconnects, sent, received, volatileDropped, dropped atomic.Uint64
}

// Stats returns the counts as they are now.
func (m *Manager) Stats() Stats {
	c := &m.counters
	return Stats{
		Connections: c.connections.Load(), Attempts: c.attempts.Load(), Reconnects: c.reconnects.Load(),
		Sent: c.sent.Load(), Received: c.received.Load(),
		VolatileDropped: c.volatileDropped.Load(), Dropped: c.dropped.Load(),
	}
}
