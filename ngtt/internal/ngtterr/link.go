package ngtterr

import (
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The classes of the link.
var (
	// ErrConnectionFailed: there is no connection to the hub, or it broke. See [ConnectionFailedError].
	ErrConnectionFailed = Err.New("connection", "connection failed", 0)

	// ErrNotConnected: a call needed a connection and there is none at the moment. Carried by a
	// [ConnectionFailedError].
	ErrNotConnected = ErrConnectionFailed.New("notconnected", "not connected", errkit.NotReady|errkit.NotSent)

	// ErrOrderConnectionLost: the connection that an order came on is gone, so that the order cannot be answered.
	// Carried by a [ConnectionFailedError].
	ErrOrderConnectionLost = ErrConnectionFailed.New("order", "the order's connection is gone",
		errkit.Disconnected|errkit.NotSent)

	// ErrDataStreamSyncFailed: the hub refused pathpoint data. See [DataStreamSyncFailedError].
	ErrDataStreamSyncFailed = Err.New("rejected", "data refused by the hub", errkit.Invalid)

	// ErrInvalidFrame: a frame breaks the protocol or passes a limit. See [InvalidFrameError].
	ErrInvalidFrame = Err.New("frame", "invalid frame", errkit.Protocol)

	// ErrInvalidCredentials: the device's certificate or key cannot be used. See [InvalidCredentialsError].
	ErrInvalidCredentials = Err.New("credentials", "invalid credentials", errkit.Auth|errkit.Invalid|errkit.NotSent)

	// ErrConfiguration: an option or an argument cannot be used. See [ConfigurationError].
	ErrConfiguration = Err.New("config", "wrong configuration", errkit.Invalid|errkit.NotSent)

	// ErrClosed: a client was used after it was closed.
	ErrClosed = Err.New("closed", "client closed", errkit.Closed|errkit.NotSent)

	// ErrJournal: the journal of orders failed, so that orders cannot be told from their repetitions. The cause is
	// the journal's own error.
	ErrJournal = Err.New("journal", "journal failed", 0)

	// ErrPanic: the handler of orders panicked.
	ErrPanic = Err.New("panic", "panic in the handler", errkit.Internal)
)

// Reason says in one word what went wrong with a connection.
type Reason string

// The reasons. Unknown ones may be added.
const (
	ReasonDial         Reason = "dial"           // the hub cannot be reached: refused, unreachable
	ReasonDNS          Reason = "dns"            // the hub's name is not found
	ReasonTimeout      Reason = "timeout"        // no connection, or no handshake, in time
	ReasonTLS          Reason = "tls"            // the handshake failed, or the hub is not the one that is trusted
	ReasonRejected     Reason = "rejected"       // the hub refused the device's certificate
	ReasonPeerClosed   Reason = "closed by peer" // the hub closed the connection
	ReasonPingTimeout  Reason = "ping timeout"   // the hub did not answer a ping, or was silent for too long
	ReasonIDsExhausted Reason = "ids exhausted"  // every transaction id is in use
	ReasonProtocol     Reason = "protocol"       // the hub broke the protocol
	ReasonIO           Reason = "io"             // reading or writing failed
	ReasonNotConnected Reason = "not connected"  // there is no connection at the moment
	ReasonClosing      Reason = "closing"        // the device closes the link
	ReasonJournal      Reason = "journal"        // the journal of orders failed
)

// ConnectionFailedError reports that there is no connection to the hub, or that it broke. Info.Op says during what:
// "dial", "read", "write", or the call that needed the connection.
//
// The kinds follow the reason and the cause. Whether the request of a call reached the hub is unknown unless the error
// is errkit.NotSent.
type ConnectionFailedError struct {
	errkit.Info
	Reason Reason

	// NoInternet says that the device's own way to the hub is missing: the name is not resolved, the connection is
	// refused, nothing can be reached, or nobody answers the dial. It is false for a link that was up, and for
	// trouble with TLS and certificates.
	NoInternet bool

	// Hint helps whoever reads the log, such as a clock that must be wrong; often empty.
	Hint string
}

func (e *ConnectionFailedError) Error() string {
	detail := string(e.Reason)
	if e.Hint != "" {
		detail += " (" + e.Hint + ")"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns reason, hint and whether the internet is missing, for structured logs.
func (e *ConnectionFailedError) ErrorAttrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("reason", string(e.Reason)), slog.Bool("no_internet", e.NoInternet)}
	if e.Hint != "" {
		attrs = append(attrs, slog.String("hint", e.Hint))
	}
	return attrs
}

// DataStreamSyncFailedError reports that the hub declined pathpoint data as invalid. The same data will be declined
// again.
type DataStreamSyncFailedError struct {
	errkit.Info
	TID uint16 // transaction id
}

func (e *DataStreamSyncFailedError) Error() string {
	return errkit.Message(&e.Info, "tid "+strconv.Itoa(int(e.TID)))
}

// ErrorAttrs returns the transaction id for structured logs.
func (e *DataStreamSyncFailedError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("tid", int(e.TID))}
}

// InvalidFrameError reports a frame that breaks the protocol, or that passes a limit (errkit.TooLarge).
type InvalidFrameError struct {
	errkit.Info
	Type   uint16 // frame type
	TID    uint16 // transaction id
	Length int64  // length of the body, in bytes
	Reason string // what is wrong with it
}

func (e *InvalidFrameError) Error() string {
	detail := "type " + strconv.Itoa(int(e.Type)) + ", tid " + strconv.Itoa(int(e.TID)) + ", " +
		strconv.FormatInt(e.Length, 10) + " bytes"
	if e.Reason != "" {
		detail = e.Reason + " (" + detail + ")"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the frame's header and what is wrong, for structured logs.
func (e *InvalidFrameError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("type", int(e.Type)), slog.Int("tid", int(e.TID)), slog.Int64("length", e.Length),
		slog.String("reason", e.Reason),
	}
}
