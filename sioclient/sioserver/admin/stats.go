package admin

import (
	"os"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// serverStats is the event of that name.
type serverStats struct {
	ServerID   string           `json:"serverId"`
	Hostname   string           `json:"hostname"`
	PID        int              `json:"pid"`
	Uptime     float64          `json:"uptime"` // in seconds
	Clients    int              `json:"clientsCount"`
	Polling    int              `json:"pollingClientsCount"`
	Events     []aggregated     `json:"aggregatedEvents"`
	Namespaces []namespaceStats `json:"namespaces"`
}

type namespaceStats struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

// aggregated is how often something happened since the last report.
type aggregated struct {
	Timestamp int64  `json:"timestamp"` // in milliseconds, of a full second
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     int64  `json:"count"`
}

func (a *Admin) stats() serverStats {
	now := a.server.Stats()
	s := serverStats{
		ServerID: a.opts.ServerID, Hostname: a.host, PID: os.Getpid(), Uptime: time.Since(a.begun).Seconds(),
		Clients: now.Connections, Polling: a.server.Polling(), Events: a.counts.take(now),
	}
	for _, n := range a.server.Namespaces() {
		s.Namespaces = append(s.Namespaces, namespaceStats{n.Name(), n.Len()})
	}
	return s
}

// counts is what happened since the last report.
type counts struct {
	mu     sync.Mutex
	events []aggregated
	last   sioserver.Stats
}

// maxCounts bounds the different things that are counted between two reports: seconds times reasons.
const maxCounts = 1000

// add counts one.
func (c *counts) add(kind, sub string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	second := time.Now().Truncate(time.Second).UnixMilli()
	for i := len(c.events) - 1; i >= 0; i-- {
		e := &c.events[i]
		if e.Timestamp == second && e.Type == kind && e.SubType == sub {
			e.Count++
			return
		}
	}
	if len(c.events) >= maxCounts { // nobody has looked for long
		c.events = c.events[1:]
	}
	c.events = append(c.events, aggregated{second, kind, sub, 1})
}

// take returns what was counted, with what the server counts by itself.
func (c *counts) take(now sioserver.Stats) []aggregated {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := c.events
	if events == nil {
		events = []aggregated{}
	}
	second := time.Now().Truncate(time.Second).UnixMilli()
	for _, e := range []aggregated{
		{second, "packetsIn", "", now.MessagesIn - c.last.MessagesIn},
		{second, "packetsOut", "", now.MessagesOut - c.last.MessagesOut},
		{second, "bytesIn", "", now.BytesIn - c.last.BytesIn},
		{second, "bytesOut", "", now.BytesOut - c.last.BytesOut},
	} {
		if e.Count > 0 {
			events = append(events, e)
		}
	}
	c.events, c.last = nil, now
	return events
}
