package ngtt

import "github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"

// The classes of errors of this module. Every error matches its class, the classes above it, [Err] and errkit.Err
// under errors.Is.
var (
	// Err is matched by every error of the module, those of package minijson included.
	Err = ngtterr.Err

	// ErrConnectionFailed: there is no connection to the hub, or it broke. See [ConnectionFailedError].
	ErrConnectionFailed = ngtterr.ErrConnectionFailed

	// ErrNotConnected: a call needed a connection and there is none at the moment. It is a [ConnectionFailedError].
	ErrNotConnected = ngtterr.ErrNotConnected

	// ErrOrderConnectionLost: the connection that an order came on is gone, so that the order cannot be answered.
	// It is a [ConnectionFailedError]. The hub delivers the order again.
	ErrOrderConnectionLost = ngtterr.ErrOrderConnectionLost

	// ErrDataStreamSyncFailed: the hub refused pathpoint data. See [DataStreamSyncFailedError].
	ErrDataStreamSyncFailed = ngtterr.ErrDataStreamSyncFailed

	// ErrInvalidFrame: a frame breaks the protocol or passes a limit. See [InvalidFrameError].
	ErrInvalidFrame = ngtterr.ErrInvalidFrame

	// ErrInvalidCredentials: the device's certificate or key cannot be used. See [InvalidCredentialsError].
	ErrInvalidCredentials = ngtterr.ErrInvalidCredentials

	// ErrConfiguration: an option or an argument cannot be used. See [ConfigurationError].
	ErrConfiguration = ngtterr.ErrConfiguration

	// ErrClosed: a client was used after it was closed.
	ErrClosed = ngtterr.ErrClosed

	// ErrJournal: the [Journal] failed. The cause is the journal's own error.
	ErrJournal = ngtterr.ErrJournal

	// ErrPanic: the handler of orders panicked. Only [Options.OnError] and the log see it.
	ErrPanic = ngtterr.ErrPanic
)

// The typed errors of this module.
type (
	// ConnectionFailedError reports that there is no connection to the hub, or that it broke.
	ConnectionFailedError = ngtterr.ConnectionFailedError
	// DataStreamSyncFailedError reports that the hub declined pathpoint data as invalid.
	DataStreamSyncFailedError = ngtterr.DataStreamSyncFailedError
	// InvalidFrameError reports a frame that breaks the protocol, or that passes a limit.
	InvalidFrameError = ngtterr.InvalidFrameError
	// InvalidCredentialsError reports a device's certificate or key that cannot be used.
	InvalidCredentialsError = ngtterr.InvalidCredentialsError
	// ConfigurationError reports an option or an argument that cannot be used.
	ConfigurationError = ngtterr.ConfigurationError
)

// Reason says in one word what went wrong with a connection; see [ConnectionFailedError].
type Reason = ngtterr.Reason

// The reasons of a [ConnectionFailedError].
const (
	ReasonDial         = ngtterr.ReasonDial         // the hub cannot be reached: refused, unreachable
	ReasonDNS          = ngtterr.ReasonDNS          // the hub's name is not found
	ReasonTimeout      = ngtterr.ReasonTimeout      // no connection, or no handshake, in time
	ReasonTLS          = ngtterr.ReasonTLS          // the handshake failed, or the hub is not the one that is trusted
	ReasonRejected     = ngtterr.ReasonRejected     // the hub refused the device's certificate
	ReasonPeerClosed   = ngtterr.ReasonPeerClosed   // the hub closed the connection
	ReasonPingTimeout  = ngtterr.ReasonPingTimeout  // the hub did not answer a ping, or was silent for too long
	ReasonIDsExhausted = ngtterr.ReasonIDsExhausted // every transaction id is in use
	ReasonProtocol     = ngtterr.ReasonProtocol     // the hub broke the protocol
	ReasonIO           = ngtterr.ReasonIO           // reading or writing failed
	ReasonNotConnected = ngtterr.ReasonNotConnected // there is no connection at the moment
	ReasonClosing      = ngtterr.ReasonClosing      // the device closes the link
	ReasonJournal      = ngtterr.ReasonJournal      // the journal of orders failed
)
