package sioerr

// Reason says why a connection ended, in the words of the original implementations.
type Reason string

// Reasons on both ends.
const (
	TransportError Reason = "transport error"
	TransportClose Reason = "transport close"
	PingTimeout    Reason = "ping timeout"
	ParseError     Reason = "parse error"
	ForcedClose    Reason = "forced close"
)

// Reasons that only a server reports.
const (
	ServerShuttingDown        Reason = "server shutting down"
	ForcedServerClose         Reason = "forced server close"
	ClientNamespaceDisconnect Reason = "client namespace disconnect"
	ServerNamespaceDisconnect Reason = "server namespace disconnect"
)

// Reasons that only a client reports.
const (
	IOServerDisconnect Reason = "io server disconnect"
	IOClientDisconnect Reason = "io client disconnect"
)

// WillReconnect reports whether a client that lost its connection for this reason connects again by itself.
func (r Reason) WillReconnect() bool { return r != IOServerDisconnect && r != IOClientDisconnect }
