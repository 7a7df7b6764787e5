package ngtttest

import "time"

// Faults is what is wrong with a hub. The zero value is a hub that works.
type Faults struct {
	// RefuseCertificates ends every handshake with the TLS alert bad_certificate.
	RefuseCertificates bool

	// WithholdPongs answers no pings.
	WithholdPongs bool

	// PongDelay is the time between a ping and its answer.
	PongDelay time.Duration

	// Chunk is how many bytes a write has at most, each in a TLS record of its own; 1 splits frames at every byte.
	// Zero means no limit.
	Chunk int

	// StallReads reads nothing: the device's bytes pile up in the network.
	StallReads bool

	// StallWrites writes nothing, pongs included.
	StallWrites bool

	// ReadPause is how long the hub waits after each frame that it has read.
	ReadPause time.Duration

	// DropBeforeConfirm cuts the connection when a confirmation comes, so many times, and does not look at it: it
	// is lost, and the order goes out again.
	DropBeforeConfirm int

	// DropAfterConfirm cuts the connection after it has taken note of a confirmation, so many times.
	DropAfterConfirm int

	// DropAfterBytes cuts a connection when so many bytes of frames were written to it, in the middle of a frame or
	// not. Zero means never.
	DropAfterBytes int64
}

// SetFaults replaces the faults, for open connections too.
func (h *Hub) SetFaults(f Faults) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = f
	h.notify()
}

// drop reports whether this confirmation is one to cut the connection at. It runs with mu held.
func drop(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}
