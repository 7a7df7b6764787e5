package sioclient

import (
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// The errors of the module.
type (
	// ConnectionError reports that no connection to the server, or to one of its namespaces, came about.
	ConnectionError = sioerr.ConnectionError
	// ConnectionRefusedError reports that the server refused a client; on the server, a middleware or a connect handler
	// returns it. It is a [ConnectionError].
	ConnectionRefusedError = sioerr.ConnectionRefusedError
	// TimeoutError reports that an acknowledgement or an event did not come in time.
	TimeoutError = sioerr.TimeoutError
	// AckTimeoutError reports that not all acknowledgements of a broadcast came in time. It is a [TimeoutError].
	AckTimeoutError = sioerr.AckTimeoutError
	// BadNamespaceError reports the use of a namespace that is not connected.
	BadNamespaceError = sioerr.BadNamespaceError
	// DisconnectedError reports that the link ended before the operation was over, or that there was none.
	DisconnectedError = sioerr.DisconnectedError
	// EngineError reports trouble of the transport below.
	EngineError = sioerr.EngineError
	// PacketError reports a packet that breaks the protocol.
	PacketError = sioerr.PacketError
	// DecodeError reports an argument that is not what it is read as.
	DecodeError = sioerr.DecodeError
	// SessionError reports a session that is not known or not there any more.
	SessionError = sioerr.SessionError
	// BufferFullError reports a bounded buffer that had no room.
	BufferFullError = sioerr.BufferFullError
	// InvalidError reports an option or an argument that cannot be used.
	InvalidError = sioerr.InvalidError
	// Reason says why a connection ended.
	Reason = sioerr.Reason
)

// The sentinels of the module. Err is matched by all of its errors. Each class is matched by those below it:
//
//	ErrInvalid             an option or an argument cannot be used
//	  ErrReserved          the name of an event belongs to the protocol
//	ErrConnection          no connection came about
//	  ErrAlreadyConnected  there is one already
//	  ErrConnectTimeout    the server did not confirm in time
//	  ErrConnectionRefused the server refused the client
//	ErrTimeout             an acknowledgement or an event did not come in time
//	  ErrAckTimeout        of a broadcast, not all acknowledgements
//	ErrBadNamespace        the namespace is not connected
//	ErrDisconnected        the link ended, or there was none
//	  ErrReconnect         and the attempts to connect again are used up
//	ErrClosed              the owner closed the client, the server or the session
//	ErrEngine              the transport below failed
//	  ErrTooLarge          a message or a body is above a limit
//	  ErrEngineVersion     the server speaks another revision of Engine.IO
//	ErrPacket              a packet breaks the protocol
//	ErrDecode              an argument cannot be decoded
//	ErrSession             there is no such session
//	ErrBufferFull          a bounded buffer had no room
//	ErrHandler             a handler of the program panicked
//	ErrNotSupported        the adapter or the protocol version cannot do this
var (
	Err                  = sioerr.Err
	ErrInvalid           = sioerr.ErrInvalid
	ErrReserved          = sioerr.ErrReserved
	ErrConnection        = sioerr.ErrConnection
	ErrAlreadyConnected  = sioerr.ErrAlreadyConnected
	ErrConnectTimeout    = sioerr.ErrConnectTimeout
	ErrConnectionRefused = sioerr.ErrConnectionRefused
	ErrTimeout           = sioerr.ErrTimeout
	ErrAckTimeout        = sioerr.ErrAckTimeout
	ErrBadNamespace      = sioerr.ErrBadNamespace
	ErrDisconnected      = sioerr.ErrDisconnected
	ErrReconnect         = sioerr.ErrReconnect
	ErrClosed            = sioerr.ErrClosed
	ErrEngine            = sioerr.ErrEngine
	ErrTooLarge          = sioerr.ErrTooLarge
	ErrEngineVersion     = sioerr.ErrEngineVersion
	ErrPacket            = sioerr.ErrPacket
	ErrDecode            = sioerr.ErrDecode
	ErrSession           = sioerr.ErrSession
	ErrBufferFull        = sioerr.ErrBufferFull
	ErrHandler           = sioerr.ErrHandler
	ErrNotSupported      = sioerr.ErrNotSupported
)

// The reasons for which a connection ends, in the words of the original implementations.
const (
	TransportError            = sioerr.TransportError
	TransportClose            = sioerr.TransportClose
	PingTimeout               = sioerr.PingTimeout
	ParseError                = sioerr.ParseError
	ForcedClose               = sioerr.ForcedClose
	ServerShuttingDown        = sioerr.ServerShuttingDown
	ForcedServerClose         = sioerr.ForcedServerClose
	ClientNamespaceDisconnect = sioerr.ClientNamespaceDisconnect
	ServerNamespaceDisconnect = sioerr.ServerNamespaceDisconnect
	IOServerDisconnect        = sioerr.IOServerDisconnect
	IOClientDisconnect        = sioerr.IOClientDisconnect
)

// The numbers with which an Engine.IO server says why it refuses a request, in [EngineError.Code]
// (https://socket.io/docs/v4/engine-io-protocol/).
const (
	CodeNone               = sioerr.CodeNone // the server gave none
	CodeUnknownTransport   = sioerr.CodeUnknownTransport
	CodeUnknownSession     = sioerr.CodeUnknownSession
	CodeBadMethod          = sioerr.CodeBadMethod
	CodeBadRequest         = sioerr.CodeBadRequest
	CodeForbidden          = sioerr.CodeForbidden
	CodeUnsupportedVersion = sioerr.CodeUnsupportedVersion
)

// Refuse returns the error with which a middleware or a connect handler of a server turns a client down: the client gets
// the text and, unless it is nil, the data. Data that cannot be encoded is left out.
func Refuse(message string, data any) *ConnectionRefusedError {
	e := &ConnectionRefusedError{Message: message}
	e.Info = errkit.Info{Class: ErrConnectionRefused}
	if data != nil {
		if raw, err := json.Marshal(data); err == nil {
			e.Data = raw
		}
	}
	return e
}
