// Package wserr holds the errors of the whole module, so that its packages can raise them without importing one
// another. Package wsclient and package wsconn give them to the outside under the same names.
package wserr

import "github.com/fieldlink-go/fieldlink/errkit"

// The classes of the module. Each matches itself, those above it, [Err] and errkit.Err under errors.Is.
var (
	// Err is matched by every error of the module.
	Err = errkit.NewClass("wsclient", "websocket", 0)

	// ErrConfig: an option or an argument cannot be used; nothing was sent. See [ConfigError].
	ErrConfig = Err.New("config", "invalid argument", errkit.Invalid|errkit.NotSent)

	// ErrConnection: no connection came about. See [ConnectionError].
	ErrConnection = Err.New("connection", "connection failed", errkit.Connection|errkit.NotSent)

	// ErrHandshake: the peer answered the upgrade with something else than 101. See [HandshakeError].
	ErrHandshake = ErrConnection.New("handshake", "upgrade refused", 0)

	// ErrClosed: the connection has ended. See [ClosedError].
	ErrClosed = Err.New("closed", "connection closed", 0)

	// ErrNotConnected: a call needed a connection and there is none at the moment. Carried by a [ClosedError].
	ErrNotConnected = ErrClosed.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)

	// ErrTimeout: a limit of this module passed. See [TimeoutError].
	ErrTimeout = Err.New("timeout", "timed out", errkit.Timeout)

	// ErrReconnect: a lost connection was not regained. See [ReconnectError].
	ErrReconnect = Err.New("reconnect", "reconnecting failed", errkit.Connection|errkit.Exhausted)

	// ErrReconnectDisabled: a lost connection was not regained because nobody wanted to. Carried by a
	// [ReconnectError].
	ErrReconnectDisabled = ErrReconnect.New("disabled", "reconnecting is switched off",
		errkit.Disconnected|errkit.Unsupported)

	// ErrProtocol: the peer broke the WebSocket protocol. See [ProtocolError].
	ErrProtocol = Err.New("protocol", "protocol violation", errkit.Protocol)

	// ErrMessageTooBig: a message passed the read limit. See [MessageTooBigError].
	ErrMessageTooBig = ErrProtocol.New("toobig", "message too big", errkit.TooLarge)

	// ErrQueueFull: a bounded queue had no room. See [QueueFullError].
	ErrQueueFull = Err.New("queuefull", "queue full", errkit.Full)
)
