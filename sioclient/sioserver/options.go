package sioserver

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Options are the settings of a [Server]. The zero value is good for use.
type Options struct {
	// Engine is the transport below: heartbeats, transports, origins, cookies, clients of Socket.IO 2 (AllowEIO3), the
	// limits of payloads, of sessions in total and per address (admission), and of what waits for each client. Its Path
	// is "/socket.io/" if it is empty; OnSession and InitialPacket must not be set.
	Engine engineio.ServerOptions

	// ConnectTimeout is how long a connection may stay without joining a namespace. Zero means 45 s.
	ConnectTimeout time.Duration

	// Parser is the form of packets. Clients must use the same one.
	Parser packet.Parser

	// Limits bound the packets of clients.
	Limits packet.Limits

	// MaxNamespaces bounds the namespaces that one connection joins or asks for at a time. Zero means 100.
	MaxNamespaces int

	// EventQueue bounds what waits for the handlers of each socket. When it is full, its connection is not read.
	EventQueue EventLimits

	// InlineHandlers runs handlers and middlewares on the goroutine that reads the connection. It is the fastest way,
	// but handlers must not block: while one does, nothing is read from that client, acknowledgements and the answers
	// to heartbeats included.
	InlineHandlers bool

	// Recovery keeps what a client misses while it has no connection for a short time. Nil means that it does not.
	Recovery *RecoveryOptions

	// Adapter makes the adapter of each namespace, for a cluster of servers. It must not wait for the network: the server
	// stands still meanwhile. What needs the network, and may fail, is therefore opened before the server is made, and its
	// adapters share it. An adapter that cannot be made is nil: New then fails, and a namespace that is made later is on its
	// own, which OnError is told with an error that matches [sioclient.ErrNotSupported]. Without the function this server is
	// alone.
	Adapter func(*AdapterHost) Adapter

	// CleanUpEmptyChildren removes a dynamic namespace when its last socket is gone. Who was in it starts anew: what is
	// kept for Recovery goes with the namespace.
	CleanUpEmptyChildren bool

	// MaxChildren bounds the dynamic namespaces that clients can call into being. Zero means 10,000.
	MaxChildren int

	// OnNamespace is told of every namespace but "/" as soon as it exists. Clients are let in once it has returned, so
	// that they find what it sets up.
	OnNamespace func(*Namespace)

	// OnError gets what goes wrong where no socket is concerned, such as a packet that cannot be decoded before the
	// client has joined a namespace, and the errors of sockets that have no OnError listener. Nil discards; the Logger
	// gets them anyway.
	OnError func(error)

	// ClientFiles holds the scripts of the official client, socket.io.min.js for instance, to be served below the path.
	// Nil means that none are.
	ClientFiles fs.FS

	// ClientVersion is the version of the scripts, for caches.
	ClientVersion string

	// Logger gets connections and namespaces at debug level and errors at warning level. Nil discards.
	Logger *slog.Logger
}

// EventLimits bound the events of one client that wait for its handlers. An event that finds none before it is taken
// whatever its size.
type EventLimits struct {
	Messages int // how many may wait; zero means 1024
	Bytes    int // how many bytes they may have together; zero means 4 MiB
}

// RecoveryOptions are the settings of connection state recovery. The zero value is good for use.
//
// What is kept is kept in memory, and by this server only, unless the adapter does otherwise.
type RecoveryOptions struct {
	// MaxDisconnection is for how long a client can come back. Zero means 2 min.
	MaxDisconnection time.Duration

	// RunMiddlewares lets the middlewares of the namespace see clients that come back too, before they are recovered.
	RunMiddlewares bool

	// RequireOffset refuses to recover a client that has received no event yet, as the original does.
	RequireOffset bool

	// MaxPackets and MaxBytes bound the packets that are kept, of all namespaces together; the oldest make way. What a
	// packet takes besides its own bytes counts too, about 500 bytes. A client for which something is no longer there
	// starts anew. An event that is larger than MaxBytes is not sent: emitting it is a *[sioclient.BufferFullError].
	// Zero means 100,000 packets and 64 MiB.
	MaxPackets int
	MaxBytes   int

	// MaxSessions bounds the clients that are waited for, in all namespaces together; the oldest make way. What is kept
	// of each are its ids and rooms, and its data, whose size only the program knows. Zero means 100,000.
	MaxSessions int
}

// withDefaults returns a copy of the options, nil for none, with everything filled in.
func (o *Options) withDefaults() (*Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	const op = "sioserver.New"
	for field, n := range map[string]int64{
		"ConnectTimeout": int64(c.ConnectTimeout), "MaxNamespaces": int64(c.MaxNamespaces), "MaxChildren": int64(c.MaxChildren),
		"EventQueue": int64(min(c.EventQueue.Messages, c.EventQueue.Bytes)),
	} {
		if n < 0 {
			return nil, sioerr.Invalid(op, field, "negative")
		}
	}
	if c.Engine.OnSession != nil {
		return nil, sioerr.Invalid(op, "Engine.OnSession", "belongs to the server")
	}
	if c.Engine.InitialPacket.Len() != 0 || c.Engine.InitialPacket.IsBinary() {
		return nil, sioerr.Invalid(op, "Engine.InitialPacket", "belongs to the server")
	}
	if c.Parser != packet.Default && c.Parser != packet.Msgpack {
		return nil, sioerr.Invalid(op, "Parser", "not one of packet.Default and packet.Msgpack")
	}
	if c.Engine.Path == "" {
		c.Engine.Path = "/socket.io/"
	}
	setDefault(&c.Engine.Queue.Messages, 16<<10)
	setDefault(&c.Engine.Queue.Bytes, 4<<20)
	setDefault(&c.ConnectTimeout, 45*time.Second)
	setDefault(&c.MaxNamespaces, 100)
	setDefault(&c.MaxChildren, 10_000)
	setDefault(&c.EventQueue.Messages, 1024)
	setDefault(&c.EventQueue.Bytes, 4<<20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Engine.Logger == nil {
		c.Engine.Logger = c.Logger
	}
	if c.Recovery == nil {
		return &c, nil
	}
	r, err := c.Recovery.withDefaults(op)
	c.Recovery = r
	return &c, err
}

func (o *RecoveryOptions) withDefaults(op string) (*RecoveryOptions, error) {
	r := *o
	if r.MaxDisconnection < 0 || r.MaxPackets < 0 || r.MaxBytes < 0 || r.MaxSessions < 0 {
		return nil, sioerr.Invalid(op, "Recovery", "negative")
	}
	setDefault(&r.MaxDisconnection, 2*time.Minute)
	setDefault(&r.MaxPackets, 100_000)
	setDefault(&r.MaxBytes, 64<<20)
	setDefault(&r.MaxSessions, 100_000)
	return &r, nil
}

func setDefault[T time.Duration | int](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
