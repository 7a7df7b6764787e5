package smoktest

import "time"

// Side is one of the two sides of a hub, or both.
type Side uint8

// The sides.
const (
	// REST is the HTTP API.
	REST Side = 1 << iota
	// NGTT is the order link.
	NGTT
	// Both is REST and NGTT.
	Both = REST | NGTT
)

// String returns "REST", "NGTT" or "both".
func (s Side) String() string {
	switch s {
	case REST:
		return "REST"
	case NGTT:
		return "NGTT"
	case Both:
		return "both"
	}
	return "none"
}

func (h *Hub) gates(s Side) []*gate {
	var gates []*gate
	if s&REST != 0 {
		gates = append(gates, h.rest)
	}
	if s&NGTT != 0 {
		gates = append(gates, h.orders)
	}
	return gates
}

// Down takes a side off the network: its connections are reset and new ones refused, until [Hub.Up]. All state stays.
func (h *Hub) Down(side Side) {
	for _, g := range h.gates(side) {
		g.shut()
	}
}

// Up ends an outage. It fails if the address is taken.
func (h *Hub) Up(side Side) error {
	h.mu.Lock()
	started := h.server != nil
	h.mu.Unlock()
	if !started {
		return errNotStarted
	}
	for _, g := range h.gates(side) {
		if err := g.open(); err != nil {
			return err
		}
	}
	return nil
}

// Restart takes both sides off the network for d and brings them back, with their state. It returns when they are back,
// or at once on Close.
func (h *Hub) Restart(d time.Duration) error {
	h.Down(Both)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.ctx.Done():
		return errClosed
	}
	return h.Up(Both)
}

// ResetConnections resets the connections of a side. New ones are served.
func (h *Hub) ResetConnections(side Side) {
	for _, g := range h.gates(side) {
		g.reset()
	}
}
