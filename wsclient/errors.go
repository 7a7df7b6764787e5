package wsclient

import "github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"

// The errors of the module.
type (
	// ConfigError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
	ConfigError = wserr.ConfigError
	// ConnectionError reports that no connection came about: name resolution, dial, TLS, proxy or upgrade failed.
	ConnectionError = wserr.ConnectionError
	// HandshakeError reports an answer to the upgrade other than 101. It is a [ConnectionError].
	HandshakeError = wserr.HandshakeError
	// ClosedError reports that the connection has ended, by a close frame, by the network or by its owner.
	ClosedError = wserr.ClosedError
	// TimeoutError reports that a limit passed. Info.Op names it: connect, ping, receive, send or close.
	TimeoutError = wserr.TimeoutError
	// ReconnectError reports that a lost connection was not regained.
	ReconnectError = wserr.ReconnectError
	// ProtocolError reports that the peer broke the WebSocket protocol.
	ProtocolError = wserr.ProtocolError
	// MessageTooBigError reports a message above the read limit. It is a [ProtocolError].
	MessageTooBigError = wserr.MessageTooBigError
	// QueueFullError reports that a bounded queue had no room.
	QueueFullError = wserr.QueueFullError
)

// The sentinels of the module. Err is matched by all of its errors; ErrNotConnected is below ErrClosed and
// ErrReconnectDisabled below ErrReconnect.
var (
	Err                  = wserr.Err
	ErrConfig            = wserr.ErrConfig
	ErrConnection        = wserr.ErrConnection
	ErrHandshake         = wserr.ErrHandshake
	ErrClosed            = wserr.ErrClosed
	ErrNotConnected      = wserr.ErrNotConnected
	ErrTimeout           = wserr.ErrTimeout
	ErrReconnect         = wserr.ErrReconnect
	ErrReconnectDisabled = wserr.ErrReconnectDisabled
	ErrProtocol          = wserr.ErrProtocol
	ErrMessageTooBig     = wserr.ErrMessageTooBig
	ErrQueueFull         = wserr.ErrQueueFull
)
