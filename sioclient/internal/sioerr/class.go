// Package sioerr holds the errors of the whole module, so that its packages can raise them without importing one
// another. Package sioclient gives them to the outside under the same names.
package sioerr

import "github.com/fieldlink-go/fieldlink/errkit"

// The classes of the module. Each matches itself, those above it, [Err] and errkit.Err under errors.Is.
var (
	// Err is matched by every error of the module. Used bare, it reports that the caller's context was canceled.
	Err = errkit.NewClass("sioclient", "socket.io", 0)

	// ErrInvalid: an option or an argument cannot be used; nothing was sent. See [InvalidError].
	ErrInvalid = Err.New("invalid", "invalid argument", errkit.Invalid|errkit.NotSent)

	// ErrReserved: the name of an event belongs to the protocol. Carried by an [InvalidError].
	ErrReserved = ErrInvalid.New("reserved", "reserved event name", 0)

	// ErrConnection: no connection to the server, or to a namespace, came about. See [ConnectionError].
	ErrConnection = Err.New("connection", "connection failed", errkit.Connection)

	// ErrAlreadyConnected: there is a connection already. Carried by a [ConnectionError].
	ErrAlreadyConnected = ErrConnection.New("already", "already connected", errkit.Conflict|errkit.NotSent)

	// ErrConnectTimeout: the server did not confirm in time. Carried by a [ConnectionError].
	ErrConnectTimeout = ErrConnection.New("timeout", "no answer in time", errkit.Timeout)

	// ErrConnectionRefused: the server, or a handler of it, refused the client. See [ConnectionRefusedError].
	ErrConnectionRefused = ErrConnection.New("refused", "connection refused", errkit.Denied)

	// ErrTimeout: an acknowledgement or an event did not come in time. See [TimeoutError].
	ErrTimeout = Err.New("timeout", "operation has timed out", errkit.Timeout)

	// ErrAckTimeout: not all acknowledgements of a broadcast came in time. See [AckTimeoutError].
	ErrAckTimeout = ErrTimeout.New("acks", "operation has timed out", 0)

	// ErrBadNamespace: the namespace is not connected. See [BadNamespaceError].
	ErrBadNamespace = Err.New("namespace", "not a connected namespace", errkit.Invalid|errkit.NotSent)

	// ErrDisconnected: the link ended before the operation was over, or there was none. See [DisconnectedError].
	ErrDisconnected = Err.New("disconnected", "disconnected", errkit.Disconnected)

	// ErrReconnect: the attempts to connect again were used up. Carried by a [DisconnectedError].
	ErrReconnect = ErrDisconnected.New("reconnect", "reconnecting failed", errkit.Connection|errkit.Exhausted)

	// ErrClosed: the owner closed the client, the server or the session.
	ErrClosed = Err.New("closed", "closed", errkit.Closed)

	// ErrEngine: the transport below failed. See [EngineError].
	ErrEngine = Err.New("engine", "transport failed", 0)

	// ErrTooLarge: a message or a request body is above a limit. Carried by an [EngineError].
	ErrTooLarge = ErrEngine.New("toolarge", "too large", errkit.TooLarge)

	// ErrEngineVersion: the peer speaks another revision of Engine.IO. Carried by an [EngineError].
	ErrEngineVersion = ErrEngine.New("version", "other protocol revision", errkit.Unsupported)

	// ErrPacket: a packet breaks the protocol. See [PacketError].
	ErrPacket = Err.New("packet", "invalid packet", errkit.Protocol)

	// ErrDecode: an argument is not what the handler or the caller wants to read it as. See [DecodeError]. It ends
	// nothing.
	ErrDecode = Err.New("decode", "argument cannot be decoded", errkit.Invalid)

	// ErrSession: there is no such session, or it has ended. See [SessionError].
	ErrSession = Err.New("session", "no such session", 0)

	// ErrBufferFull: a bounded buffer had no room. See [BufferFullError].
	ErrBufferFull = Err.New("bufferfull", "buffer full", errkit.Full)

	// ErrHandler: a handler of the program panicked.
	ErrHandler = Err.New("handler", "panic in a handler", errkit.Internal)

	// ErrNotSupported: the adapter or the protocol version cannot do this.
	ErrNotSupported = Err.New("notsupported", "not supported", errkit.Unsupported|errkit.NotSent)
)
