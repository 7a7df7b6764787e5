//go:build !js

package wsconn

import (
	"errors"
	"strings"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// The errors of this package are those of package wsclient, under the same names.
type (
	// ConfigError reports an option or an argument that cannot be used. Nothing was sent and nothing changed.
	ConfigError = wserr.ConfigError
	// ConnectionError reports that [Dial] got no connection.
	ConnectionError = wserr.ConnectionError
	// HandshakeError reports an answer to the upgrade other than 101, with status, headers and up to 1 KiB of its
	// body. It is a [ConnectionError]. From [Accept] it tells with which status the request was turned down.
	HandshakeError = wserr.HandshakeError
	// ClosedError reports that the connection has ended: by a close frame, by the network, or by its owner.
	ClosedError = wserr.ClosedError
	// TimeoutError reports that a limit of [Options], [DialOptions] or [Conn.SetReadDeadline] passed.
	TimeoutError = wserr.TimeoutError
	// ProtocolError reports that the peer broke the protocol.
	ProtocolError = wserr.ProtocolError
	// MessageTooBigError reports a message above [Options.ReadLimit]. It is a [ProtocolError].
	MessageTooBigError = wserr.MessageTooBigError
)

// The sentinels of the errors above. Err is matched by every error of the module.
var (
	Err              = wserr.Err
	ErrConfig        = wserr.ErrConfig
	ErrConnection    = wserr.ErrConnection
	ErrHandshake     = wserr.ErrHandshake
	ErrClosed        = wserr.ErrClosed
	ErrTimeout       = wserr.ErrTimeout
	ErrProtocol      = wserr.ErrProtocol
	ErrMessageTooBig = wserr.ErrMessageTooBig
)

// What an error's Op says.
const (
	callConnect = "connect"
	callAccept  = "accept"
	callReceive = "receive"
	callSend    = "send"
	callPing    = "ping"
	callClose   = "close"
	callLinger  = "linger"
)

// errMask ends the reading when the peer masks its frames though it must not, or the other way round.
var errMask = errors.New("frame is masked by a server, or not masked by a client")

// innermost returns the last error of the chain. The library wraps what it has to say in layers of its own calls.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// maxQuote bounds what a peer may put into the fields of an error, in bytes.
const maxQuote = 256

// printable makes a text that a peer chose fit for the fields of an error.
func printable(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxQuote)], "\uFFFD")
}
