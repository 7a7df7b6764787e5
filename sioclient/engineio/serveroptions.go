package engineio

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Names of the transports.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// ServerOptions are the settings of a [Server]. The zero value is good for use.
type ServerOptions struct {
	// Path is where the server answers, with and without the slash at its end, and everything below. Empty means
	// "/engine.io/".
	Path string

	// PingInterval is the time between heartbeats. Zero means 25 s.
	PingInterval time.Duration

	// PingTimeout is how long the answer to a heartbeat may take. Zero means 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout bounds a change of the transport. Zero means 10 s.
	UpgradeTimeout time.Duration

	// MaxPayload bounds the body of a request and a WebSocket message, in bytes. Zero means 1,000,000.
	MaxPayload int64

	// MaxPacketsPerPayload bounds the packets in one request. Zero means no bound but MaxPayload.
	MaxPacketsPerPayload int

	// Transports are those that clients may use. Nil means polling and WebSocket.
	Transports []string

	// DisableUpgrade keeps sessions that began with polling there.
	DisableUpgrade bool

	// AllowEIO3 admits clients of revision 3 of the protocol: Socket.IO 2.
	AllowEIO3 bool

	// CORS lets pages of other sites use the server. Nil means that no such headers are sent.
	CORS *CORS

	// CheckOrigin reports whether the page that a WebSocket request comes from, as told by its Origin header, may use the
	// server. Nil admits requests without that header, pages of the same host, and what CORS admits. The original admits
	// all; WebSocket requests carry the cookies of this site whatever page they come from.
	CheckOrigin func(r *http.Request) bool

	// Cookie sets a cookie with the session id in the first answer of a polling session, for load balancers. Nil means
	// none.
	Cookie *CookieOptions

	// Compression is offered to WebSocket clients; messages of CompressionThreshold bytes and more are compressed.
	// It is off by default: it costs much memory and time.
	Compression wsconn.Compression

	// CompressionThreshold counts for both transports. Zero means 1024.
	CompressionThreshold int

	// DisableHTTPCompression sends the answers of polling sessions as they are. By default long ones are compressed if
	// the client takes that.
	DisableHTTPCompression bool

	// AllowRequest decides on each new session. What a *sioclient.ConnectionRefusedError has for a message is told to the
	// client, of another error nothing. Nil admits all.
	AllowRequest func(r *http.Request) error

	// Middleware sees every request before anything else does, in this order, and may set headers of the answer. An error
	// refuses the request.
	Middleware []func(w http.ResponseWriter, r *http.Request) error

	// InitialHeaders may add headers to the answer that begins a session.
	InitialHeaders func(h http.Header, r *http.Request)

	// Headers may add headers to every answer that is not a refusal.
	Headers func(h http.Header, r *http.Request)

	// GenerateID makes a session id of its own. Nil means 15 random bytes. It must be hard to guess: who knows it can use
	// the session.
	GenerateID func(r *http.Request) (string, error)

	// InitialPacket is a message that follows the open packet. The zero Message means none.
	InitialPacket Message

	// Queue bounds what waits for each client.
	Queue QueueLimits

	// MaxSessions bounds the sessions in total. Zero means no bound.
	MaxSessions int

	// MaxSessionsPerAddress bounds the sessions of one address. Zero means no bound.
	MaxSessionsPerAddress int

	// Address says for MaxSessionsPerAddress where a request comes from. Nil means the host of the connection; behind a
	// proxy, what that adds to the request is needed.
	Address func(r *http.Request) string

	// Logger gets the beginning and the end of each session and refused requests, at debug level. Nil discards.
	Logger *slog.Logger

	// OnConnectionError is told of every request that was refused. It may be called from many goroutines at a time.
	OnConnectionError func(e *RefusedRequest)

	// OnSession begins each session and returns who gets its messages. It is called before the first one is read, from the
	// goroutine of the request. Nil, and a nil Handler, mean that messages are thrown away.
	OnSession func(s *Session) Handler
}

const opNewServer = "engine.NewServer"

// withDefaults returns a copy of the options, nil for none, with everything filled in.
func (o *ServerOptions) withDefaults() (*ServerOptions, error) {
	var c ServerOptions
	if o != nil {
		c = *o
	}
	for field, d := range map[string]time.Duration{
		"PingInterval": c.PingInterval, "PingTimeout": c.PingTimeout, "UpgradeTimeout": c.UpgradeTimeout,
	} {
		if d < 0 || d > 0 && d < time.Millisecond {
			return nil, sioerr.Invalid(opNewServer, field, "shorter than a millisecond")
		}
	}
	for field, n := range map[string]int64{
		"MaxPayload": c.MaxPayload, "MaxPacketsPerPayload": int64(c.MaxPacketsPerPayload),
		"CompressionThreshold": int64(c.CompressionThreshold), "MaxSessions": int64(c.MaxSessions),
		"MaxSessionsPerAddress": int64(c.MaxSessionsPerAddress),
	} {
		if n < 0 {
			return nil, sioerr.Invalid(opNewServer, field, "negative")
		}
	}
	if c.Path == "" {
		c.Path = "/engine.io/"
	}
	c.Path = strings.TrimSuffix(c.Path, "/") + "/"
	if c.Path[0] != '/' {
		return nil, sioerr.Invalid(opNewServer, "Path", "does not begin with a slash")
	}
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.PingTimeout, 20*time.Second)
	setDefault(&c.UpgradeTimeout, 10*time.Second)
	setDefault(&c.MaxPayload, 1_000_000)
	c.MaxPayload = min(c.MaxPayload, maxLimit)
	setDefault(&c.CompressionThreshold, 1024)
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	c.Transports = slices.Clone(c.Transports)
	for _, name := range c.Transports {
		if name != Polling && name != WebSocket {
			return nil, sioerr.Invalid(opNewServer, "Transports", "unknown transport")
		}
	}
	if len(c.Transports) == 0 {
		return nil, sioerr.Invalid(opNewServer, "Transports", "empty")
	}
	if c.Compression < wsconn.CompressionOff || c.Compression > wsconn.CompressionNoContextTakeover {
		return nil, sioerr.Invalid(opNewServer, "Compression", "unknown mode")
	}
	if !c.InitialPacket.isZero() {
		if err := checkMessages(opNewServer, []Message{c.InitialPacket}, true); err != nil {
			return nil, sioerr.Invalid(opNewServer, "InitialPacket", "cannot be sent")
		}
	}
	c.Middleware = slices.Clone(c.Middleware)
	var err error
	if c.Queue, err = c.Queue.withDefaults(opNewServer, "Queue"); err != nil {
		return nil, err
	}
	if c.CORS, err = c.CORS.withDefaults(); err != nil {
		return nil, err
	}
	if c.Cookie, err = c.Cookie.withDefaults(); err != nil {
		return nil, err
	}
	if c.Address == nil {
		c.Address = remoteHost
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &c, nil
}

// maxLimit is what larger limits in bytes are cut to: one byte more can still be counted, and JavaScript knows the number.
const maxLimit = 1<<53 - 1

func setDefault[T time.Duration | int64 | int](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// remoteHost returns the host that a request comes from.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // without a port, as some servers have it
	}
	return host
}
