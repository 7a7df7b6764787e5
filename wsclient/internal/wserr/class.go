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

	// ErrUnauthorized: the upgrade was refused with 401 or 407. Carried by a [HandshakeError].
	ErrUnauthorized = ErrHandshake.New("unauthorized", "upgrade refused", errkit.Auth)

	// ErrForbidden: the upgrade was refused with 403. Carried by a [HandshakeError].
	ErrForbidden = ErrHandshake.New("forbidden", "upgrade refused", errkit.Denied)

	// ErrRateLimited: the upgrade was refused with 429. Carried by a [HandshakeError].
	ErrRateLimited = ErrHandshake.New("ratelimited", "upgrade refused", errkit.RateLimited)

	// ErrClosed: the connection has ended. See [ClosedError].
	ErrClosed = Err.New("closed", "connection closed", 0)

	// ErrNotConnected: a call needed a connection and there is none at the moment. Carried by a [ClosedError].
	ErrNotConnected = ErrClosed.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)

	// ErrReconnecting: there is no connection at the moment, and one is being sought. Carried by a [ClosedError].
	ErrReconnecting = ErrNotConnected.New("reconnecting", "not connected", 0)

	// ErrShuttingDown: nothing more is taken, because the owner shuts down. Carried by a [ClosedError].
	ErrShuttingDown = ErrClosed.New("shuttingdown", "shutting down", errkit.Closed|errkit.NotSent)

	// ErrKilled: the owner cut the connection as a failing network would. Carried by a [ClosedError].
	ErrKilled = ErrClosed.New("killed", "connection killed", errkit.Disconnected)

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

	// ErrDecode: a message is not what the caller wants to read it as. See [DecodeError].
	ErrDecode = ErrProtocol.New("decode", "message cannot be decoded", 0)

	// ErrQueueFull: a bounded queue had no room. See [QueueFullError].
	ErrQueueFull = Err.New("queuefull", "queue full", errkit.Full)

	// ErrDrain: a shutdown ended before everything was sent. See [DrainError].
	ErrDrain = Err.New("drain", "messages left behind", 0)

	// ErrState: the state does not allow the call. Carried by a *StateError of package wsclient.
	ErrState = Err.New("state", "not allowed in this state", errkit.Conflict|errkit.NotSent)

	// ErrMaybeSent: the caller's context ended while the message was being written; it goes out unless the connection
	// ends first.
	ErrMaybeSent = Err.New("maybesent", "message may have been sent", 0)

	// ErrExpired: a message waited longer than it was good for, and was not sent.
	ErrExpired = Err.New("expired", "message expired", errkit.Timeout|errkit.NotSent)

	// ErrCanceled: a message was taken back by its sender, and was not sent.
	ErrCanceled = Err.New("canceled", "message canceled", errkit.Canceled|errkit.NotSent)

	// ErrRefused: the peer refused a message that it got.
	ErrRefused = Err.New("refused", "refused by the peer", errkit.Denied)

	// ErrGiveUp: a callback that wraps it ends the attempts to connect.
	ErrGiveUp = Err.New("giveup", "giving up", errkit.Exhausted)
)
