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
	// TimeoutError reports that a limit passed. Info.Op names it: connect, ping, receive, send, close, ack, drain or
	// subscribe.
	TimeoutError = wserr.TimeoutError
	// ReconnectError reports that a lost connection was not regained.
	ReconnectError = wserr.ReconnectError
	// ProtocolError reports that the peer broke the WebSocket protocol.
	ProtocolError = wserr.ProtocolError
	// MessageTooBigError reports a message above a limit. It is a [ProtocolError].
	MessageTooBigError = wserr.MessageTooBigError
	// DecodeError reports a message that is not what the caller wants to read it as. It is a [ProtocolError] that ends
	// nothing.
	DecodeError = wserr.DecodeError
	// QueueFullError reports that a bounded queue had no room. From a receiving call it is a gap between messages.
	QueueFullError = wserr.QueueFullError
	// DrainError reports that a shutdown ended before everything was sent.
	DrainError = wserr.DrainError
	// SpoolError reports that the disk under a durable log failed.
	SpoolError = wserr.SpoolError
	// Direction says which way a message went.
	Direction = wserr.Direction
)

// The directions of a [QueueFullError] and of a [MessageTooBigError].
const (
	Inbound  = wserr.Inbound
	Outbound = wserr.Outbound
)

// The sentinels of the module. Err is matched by all of its errors. Each class is matched by those below it:
//
//	ErrConfig
//	ErrConnection         no connection came about
//	  ErrHandshake        the upgrade was refused
//	    ErrUnauthorized   with 401 or 407
//	    ErrForbidden      with 403
//	    ErrRateLimited    with 429
//	ErrClosed             the connection has ended
//	  ErrNotConnected     there is none at the moment
//	    ErrReconnecting   but one is being sought
//	  ErrShuttingDown     nothing more is taken
//	  ErrKilled           the owner cut it
//	ErrTimeout
//	ErrReconnect          the attempts to connect again have ended
//	  ErrReconnectDisabled
//	ErrProtocol           the peer broke the protocol
//	  ErrMessageTooBig
//	  ErrDecode
//	ErrQueueFull
//	ErrDrain              a shutdown left messages behind
//	ErrSpool              the disk failed
//	  ErrSpoolClosed
//	ErrState              the state does not allow the call
//	ErrMaybeSent          the caller's context ended while the message was being written
//	ErrExpired            a message waited longer than it was good for
//	ErrCanceled           a message was taken back
//	ErrRefused            the peer refused a message that it got
//	ErrGiveUp             a callback that wraps it ends the attempts to connect
var (
	Err                  = wserr.Err
	ErrConfig            = wserr.ErrConfig
	ErrConnection        = wserr.ErrConnection
	ErrHandshake         = wserr.ErrHandshake
	ErrUnauthorized      = wserr.ErrUnauthorized
	ErrForbidden         = wserr.ErrForbidden
	ErrRateLimited       = wserr.ErrRateLimited
	ErrClosed            = wserr.ErrClosed
	ErrNotConnected      = wserr.ErrNotConnected
	ErrReconnecting      = wserr.ErrReconnecting
	ErrShuttingDown      = wserr.ErrShuttingDown
	ErrKilled            = wserr.ErrKilled
	ErrTimeout           = wserr.ErrTimeout
	ErrReconnect         = wserr.ErrReconnect
	ErrReconnectDisabled = wserr.ErrReconnectDisabled
	ErrProtocol          = wserr.ErrProtocol
	ErrMessageTooBig     = wserr.ErrMessageTooBig
	ErrDecode            = wserr.ErrDecode
	ErrQueueFull         = wserr.ErrQueueFull
	ErrDrain             = wserr.ErrDrain
	ErrSpool             = wserr.ErrSpool
	ErrSpoolClosed       = wserr.ErrSpoolClosed
	ErrState             = wserr.ErrState
	ErrMaybeSent         = wserr.ErrMaybeSent
	ErrExpired           = wserr.ErrExpired
	ErrCanceled          = wserr.ErrCanceled
	ErrRefused           = wserr.ErrRefused
	ErrGiveUp            = wserr.ErrGiveUp
)
