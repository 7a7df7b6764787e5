package engineio

import "github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"

// Reason says why a connection ended: see the constants of package sioclient.
type Reason = sioerr.Reason

// Handler is what a connection tells its owner. The calls come one at a time and in order, from the goroutine that
// reads the connection: as long as one has not returned, nothing more is read from that peer.
type Handler interface {
	// HandleMessage gets each message. Text comes without the type of the packet and is valid during the call only;
	// binary data belongs to the handler.
	HandleMessage(binary bool, data []byte)

	// HandleClose is the last call, and there is exactly one. The error is nil for an end in good order.
	HandleClose(reason Reason, err error)
}

// UpgradeHandler is a [Handler] that wants to know when a session has gone over from polling to WebSocket.
type UpgradeHandler interface {
	Handler

	// HandleUpgrade comes before the first message over the new transport.
	HandleUpgrade()
}

// DrainHandler is a [Handler] of a client that wants to know when a connection takes messages again.
type DrainHandler interface {
	Handler

	// HandleDrain comes after [Conn.Send] returned a *sioclient.BufferFullError, once something of what waited was sent;
	// if the connection ends, HandleClose alone comes. It comes from another goroutine than the calls of Handler, and
	// nothing is sent until it returns.
	HandleDrain()
}
