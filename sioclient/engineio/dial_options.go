package engineio

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// EngineAuto as DialOptions.EngineVersion stands for revision 4, and revision 3 with servers that do not speak it.
const EngineAuto = -1

// DialOptions are the settings of [Dial]. The zero value is good for use.
type DialOptions struct {
	// Path is where the server answers. Empty means "/engine.io/". A slash is put at its end if there is none.
	Path string

	// DisableTrailingSlash leaves the slash at the end of Path out.
	DisableTrailingSlash bool

	// Query is sent with every request. Nil means the query of the URL. The parameters of the protocol (EIO, transport,
	// sid, b64 and the timestamp) take the place of those of the same name.
	Query url.Values

	// Transports are tried in this order; to the others the connection is upgraded. Nil means [Polling] and [WebSocket].
	Transports []string

	// DisableUpgrade keeps a connection that began with polling there.
	DisableUpgrade bool

	// Remember, if set, lets connections begin with WebSocket once one got as far. Connections that share it learn from
	// each other.
	Remember *UpgradeMemory

	// TryAllTransports lets Dial try the next transport when one fails to open.
	TryAllTransports bool

	// EngineVersion is the revision of the protocol: 4, which zero means too, 3 for servers of Socket.IO 2, or
	// [EngineAuto]. Over WebSocket alone the revisions open alike, so that EngineAuto sees no difference there.
	EngineVersion int

	// Header is sent with every request. TransportHeader is added for the transport of that name and has precedence.
	Header          http.Header
	TransportHeader map[string]http.Header

	// Jar keeps the cookies that the server sets and sends them back, over both transports. Nil means none.
	Jar http.CookieJar

	// TLSConfig is used for https and wss. Nil means the system's authorities. It is cloned.
	TLSConfig *tls.Config

	// DialContext makes the network connections, to the server or to a proxy. Nil means a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the proxy for a request, nil for none. Nil means [http.ProxyFromEnvironment].
	Proxy func(*http.Request) (*url.URL, error)

	// Subprotocols are offered to WebSocket servers.
	Subprotocols []string

	// HandshakeTimeout bounds the opening of a transport: connecting, the request, the first packet; for an upgrade up to
	// the answer to its probe. Zero means 20 s, negative means no limit but that of the context.
	HandshakeTimeout time.Duration

	// RequestTimeout bounds each polling request. Servers hold a request until they have something to say, for as long as
	// their ping interval, so it must be longer. Zero means no limit: the heartbeat finds a dead server.
	RequestTimeout time.Duration

	// CloseTimeout bounds [Conn.Close]: the sending of what waits, and the good-bye. Zero means 5 s.
	CloseTimeout time.Duration

	// WriteTimeout is the longest time that a WebSocket write may make no progress. Zero means 10 s.
	WriteTimeout time.Duration

	// ReadLimit bounds a WebSocket message and the body of a polling answer, in bytes, after decompression. A longer one
	// ends the connection. Zero means 16 MiB.
	ReadLimit int64

	// Queue bounds what waits to be sent.
	Queue QueueLimits

	// TimestampParam is the query parameter that makes the URLs of polling requests unique, for caches. Empty means "t".
	TimestampParam string

	// DisableTimestamps leaves it out of polling requests; TimestampWebSocket puts it into WebSocket requests as well.
	DisableTimestamps  bool
	TimestampWebSocket bool

	// ForceBase64 sends and asks for binary data as text, for what stands in between and cannot do otherwise.
	ForceBase64 bool

	// Compression offers WebSocket compression, without a window kept between messages; those of CompressionThreshold
	// bytes and more are compressed. Zero means 1024. It costs much and helps on slow links only.
	Compression          bool
	CompressionThreshold int

	// OnOpen is called once, with the connection that Dial is about to return, before the first message is read.
	OnOpen func(*Conn)

	// OnPing is called for every heartbeat of the server, in revision 3 for every answer to one. As the methods of the
	// [Handler], it is called by the goroutine that reads.
	OnPing func()

	// OnUpgradeError is told why an upgrade failed. The connection goes on as it was. It is called by a goroutine of its
	// own, which the end of the connection waits for.
	OnUpgradeError func(error)

	// Logger gets the beginning and the end of the connection and of upgrades at debug level. Nil discards.
	Logger *slog.Logger
}

// UpgradeMemory remembers whether the last connection got as far as WebSocket. The zero value is good for use, by any
// number of connections at a time; it must not be copied.
type UpgradeMemory struct{ webSocket atomic.Bool }

// WebSocket reports whether the next connection begins with WebSocket.
func (m *UpgradeMemory) WebSocket() bool { return m != nil && m.webSocket.Load() }

func (m *UpgradeMemory) set(webSocket bool) {
	if m != nil {
		m.webSocket.Store(webSocket)
	}
}

const opDial = "engine.Dial"

// withDefaults returns a copy of the options, nil for none, with everything filled in.
func (o *DialOptions) withDefaults() (*DialOptions, error) {
	var c DialOptions
	if o != nil {
		c = *o
	}
	for field, n := range map[string]int64{
		"RequestTimeout": int64(c.RequestTimeout), "CloseTimeout": int64(c.CloseTimeout),
		"WriteTimeout": int64(c.WriteTimeout), "ReadLimit": c.ReadLimit,
		"CompressionThreshold": int64(c.CompressionThreshold),
	} {
		if n < 0 {
			return nil, sioerr.Invalid(opDial, field, "negative")
		}
	}
	switch c.EngineVersion {
	case 0:
		c.EngineVersion = int(wire.V4)
	case int(wire.V3), int(wire.V4), EngineAuto:
	default:
		return nil, sioerr.Invalid(opDial, "EngineVersion", "neither 3 nor 4")
	}
	if err := c.setTransports(); err != nil {
		return nil, err
	}
	c.copyMaps()
	if c.Path == "" {
		c.Path = "/engine.io/"
	}
	if c.Path[0] != '/' {
		return nil, sioerr.Invalid(opDial, "Path", "does not begin with a slash")
	}
	c.Path = strings.TrimSuffix(c.Path, "/")
	if !c.DisableTrailingSlash {
		c.Path += "/"
	}
	if c.TimestampParam == "" {
		c.TimestampParam = "t"
	}
	setDefault(&c.HandshakeTimeout, 20*time.Second)
	setDefault(&c.CloseTimeout, 5*time.Second)
	setDefault(&c.ReadLimit, 16<<20)
	c.ReadLimit = min(c.ReadLimit, maxLimit)
	setDefault(&c.CompressionThreshold, 1024)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	c.Queue, err = c.Queue.withDefaults(opDial, "Queue")
	return &c, err
}

func (o *DialOptions) setTransports() error {
	if o.Transports == nil {
		o.Transports = []string{Polling, WebSocket}
	}
	o.Transports = slices.Clone(o.Transports)
	if len(o.Transports) == 0 {
		return sioerr.Invalid(opDial, "Transports", "empty")
	}
	for _, name := range o.Transports {
		if name != Polling && name != WebSocket {
			return sioerr.Invalid(opDial, "Transports", "unknown transport")
		}
	}
	for name := range o.TransportHeader {
		if name != Polling && name != WebSocket {
			return sioerr.Invalid(opDial, "TransportHeader", "unknown transport")
		}
	}
	return nil
}

// copyMaps lets go of what belongs to the caller.
func (o *DialOptions) copyMaps() {
	o.Header = o.Header.Clone()
	o.TransportHeader = maps.Clone(o.TransportHeader)
	for name, h := range o.TransportHeader {
		o.TransportHeader[name] = h.Clone()
	}
	o.Query = url.Values(http.Header(o.Query).Clone())
	o.Subprotocols = slices.Clone(o.Subprotocols)
}

// header returns the header of the requests of a transport, as a copy.
func (o *DialOptions) header(transport string) http.Header {
	h := http.Header{}
	for _, from := range []http.Header{o.Header, o.TransportHeader[transport]} {
		for name, values := range from {
			h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	return h
}
