package sioclient

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Options configures a [Manager]. The zero value is ready to use and does what the official client does; the manager
// copies it.
type Options struct {
	// Engine configures the transport: path, transports, headers, TLS, dialling, limits. An empty Path means
	// "/socket.io/". EngineVersion is set by Version.
	Engine engineio.DialOptions

	// Version is the version of the protocol that the server speaks. Zero means VersionAuto.
	Version Version

	// Parser is the form of the packets. Both ends must use the same. packet.Revision4 is chosen by the Version.
	Parser packet.Parser

	// Limits bound what is accepted from the server. FromServer is set in any case.
	Limits packet.Limits

	// Timeout limits one attempt to connect, and the wait for the server's word on a namespace in Connect. Zero means
	// 20s, negative means no limit.
	Timeout time.Duration

	// DisableReconnection ends everything when the connection is lost or the first attempt fails.
	DisableReconnection bool

	// RetryFirst lets Connect and Dial go on when the first attempt to connect fails, until their context is done or
	// ReconnectionAttempts are used up. Otherwise they return the error of that attempt. [Socket.Open] always goes on.
	RetryFirst bool

	// ReconnectionAttempts is how many attempts are made after a connection was lost or a first attempt failed. Zero
	// or less means that there is no limit.
	ReconnectionAttempts int

	// ReconnectionDelay is about how long the first of these attempts is waited for; before each further one it is
	// twice as long. Zero means 1s.
	ReconnectionDelay time.Duration

	// ReconnectionDelayMax is the longest delay. Zero means 5s.
	ReconnectionDelayMax time.Duration

	// RandomizationFactor is the share by which a delay is made longer or shorter at random. Zero means 0.5, negative
	// means none, more than 1 means 1.
	RandomizationFactor float64

	// Backoff returns the delay before an attempt, counted from 1, in place of the three above. A server that asks for
	// a longer one (Retry-After) gets it, up to 5 minutes.
	Backoff func(attempt int) time.Duration

	// Prepare, if not nil, is called before each attempt to connect and may change what it uses, to put a fresh token
	// into a header for instance. An error fails the attempt. The context ends with the attempt. It must not close the
	// manager, which would wait for it.
	Prepare func(ctx context.Context, attempt *Attempt) error

	// Hooks tell what the manager does.
	Hooks Hooks

	// Socket holds the options of sockets that are made without options of their own.
	Socket SocketOptions

	// Logger gets what happens. Nil means nobody.
	Logger *slog.Logger
}

// Attempt is one attempt to connect, given to Options.Prepare.
type Attempt struct {
	Number int                  // 0 for the first one of a manager at rest, then counted from 1 in each outage
	URL    string               // scheme, host and query
	Engine engineio.DialOptions // a copy: see http.Header.Clone before changing its header
}

// SocketOptions configures a [Socket]. The zero value is ready to use; the socket copies it.
type SocketOptions struct {
	// Auth is sent to the namespace when the socket connects: what encodes as a JSON object, or nil for nothing.
	// Socket.IO 2 has no such thing: see Query.
	Auth any

	// AuthFunc is asked for it on every connection, in place of Auth. It runs on a goroutine of its own. After an
	// error it is asked again as Options.ReconnectionDelay and the like say, while the connection stays. The context
	// ends when the connection does or the socket leaves. It must not close the manager, which would wait for it.
	AuthFunc func(ctx context.Context) (any, error)

	// Query is sent to a server of Socket.IO 2 with the name of the namespace, unless that is the main one; its query
	// is that of the URL.
	Query url.Values

	// Retries, if positive, is how often an event is sent again when its acknowledgement does not come within the
	// AckTimeout. Events then wait for each other, so that they arrive in order and at least once, and an event for
	// which all fails goes to OnError. Volatile events are exempt.
	Retries int

	// AckTimeout limits the wait for an acknowledgement: of Call, unless its context has a deadline, and of each try
	// with Retries. Zero means 60s, negative means no limit.
	AckTimeout time.Duration

	// DisableBuffer lets Emit and Call fail with a *[DisconnectedError] while the socket is not connected. Otherwise
	// what they send is kept and sent once it is.
	DisableBuffer bool

	// BufferMessages and BufferBytes bound what is kept to be sent, including what waits for retries. Zero means
	// 10,000 and 16 MiB. What does not fit gives a *[BufferFullError].
	BufferMessages, BufferBytes int

	// QueueMessages and QueueBytes bound the events that have arrived and that handlers did not come to. When that
	// much waits, nothing more is read from the connection; if that lasts for longer than the heartbeat allows, the
	// connection is lost. While a Call waits, four times as much is taken, so that the answer to a handler that calls
	// comes through behind the events that wait for that handler. Zero means 1,000 and 16 MiB.
	QueueMessages, QueueBytes int

	// InboxMessages and InboxBytes bound the events without a handler that are kept for Receive and Events. When more
	// come the oldest are dropped, which the next Receive tells. Zero means 1,000 and 4 MiB, negative messages mean
	// that none are kept.
	InboxMessages, InboxBytes int

	// StripOffset takes the offset of connection state recovery, which a server with that feature adds to each event
	// as a last argument, away from what handlers get. By default they get it, as in the official client.
	StripOffset bool
}

// Version is a version of the protocols.
type Version int

// The versions.
const (
	// VersionAuto tries Socket.IO 3 and newer first, and then 2. It stays with what led to a connection.
	VersionAuto Version = 0
	// Version3 is Engine.IO 3 with Socket.IO protocol revision 4: Socket.IO 1 and 2.
	Version3 Version = 3
	// Version4 is Engine.IO 4 with Socket.IO protocol revision 5: Socket.IO 3 and 4.
	Version4 Version = 4
)

func (o *Options) withDefaults() error {
	const op = "new"
	switch o.Version {
	case VersionAuto, Version3, Version4:
	default:
		return sioerr.Invalid(op, "Version", "unknown")
	}
	switch o.Parser {
	case packet.Default:
	case packet.Msgpack:
		if o.Version == Version3 {
			return sioerr.Invalid(op, "Parser", "msgpack is for Socket.IO 3 and newer")
		}
		o.Version = Version4
	default:
		return sioerr.Invalid(op, "Parser", "not one to choose")
	}
	if o.ReconnectionDelay < 0 || o.ReconnectionDelayMax < 0 {
		return sioerr.Invalid(op, "ReconnectionDelay", "negative")
	}
	o.Timeout = orDefault(o.Timeout, 20*time.Second)
	o.ReconnectionDelay = orDefault(o.ReconnectionDelay, time.Second)
	o.ReconnectionDelayMax = orDefault(o.ReconnectionDelayMax, 5*time.Second)
	o.RandomizationFactor = min(max(orDefault(o.RandomizationFactor, 0.5), 0), 1)
	if o.Backoff == nil {
		o.Backoff = delays{base: o.ReconnectionDelay, limit: o.ReconnectionDelayMax, jitter: o.RandomizationFactor}.before
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Limits.FromServer = true
	return nil
}

func (o *SocketOptions) withDefaults() error {
	const op = "socket"
	if _, err := encodeAuth(o.Auth); err != nil {
		return sioerr.Invalid(op, "Auth", "does not encode as a JSON object")
	}
	for _, n := range []int{o.BufferMessages, o.BufferBytes, o.QueueMessages, o.QueueBytes, o.InboxBytes, o.Retries} {
		if n < 0 {
			return sioerr.Invalid(op, "limit", "negative")
		}
	}
	o.AckTimeout = orDefault(o.AckTimeout, 60*time.Second)
	o.BufferMessages = orDefault(o.BufferMessages, 10_000)
	o.BufferBytes = orDefault(o.BufferBytes, 16<<20)
	o.QueueMessages = orDefault(o.QueueMessages, 1000)
	o.QueueBytes = orDefault(o.QueueBytes, 16<<20)
	o.InboxMessages = orDefault(o.InboxMessages, 1000)
	o.InboxBytes = orDefault(o.InboxBytes, 4<<20)
	return nil
}

func orDefault[T int | time.Duration | float64](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// encodeAuth returns what a CONNECT packet carries for a value; nil for none.
func encodeAuth(auth any) (json.RawMessage, error) {
	if auth == nil {
		return nil, nil
	}
	raw, err := packet.Marshal(auth)
	if err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return nil, nil
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, sioerr.Invalid("connect", "auth", "does not encode as a JSON object")
	}
	return raw, nil
}
