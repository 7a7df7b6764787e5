package ngtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/link"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Options configures a [Client]. The zero value fits a public hub with a certificate of a well-known authority, but
// SMOK's own hubs need [Options.RootCAs]. The client copies it.
type Options struct {
	// Handler executes orders. Nil means that no orders are wanted: the hub is not asked for any.
	//
	// It is called for one order after the other, in the order in which they came, not always by the same goroutine.
	// While it runs the connection stays alive, and further orders wait in a queue. It says that an order is done with [Order.Ack],
	// and that it is refused with [Order.Nack]; it may return before that and leave both to another goroutine. An
	// order that gets neither counts as being executed for as long as the client lives: the hub keeps it, and its
	// repetitions wait for its answer. The context ends with the client. A panic is recovered and reported, and the
	// order refused.
	Handler func(ctx context.Context, order *Order)

	// Addr is the hub, as host:port or as host alone. Empty means the hub of the certificate's environment, at
	// port 2405.
	Addr string

	// ServerName is the name that the hub's certificate must bear. Empty means the host of Addr.
	ServerName string

	// RootCAs verifies the hub's certificate. Nil means the roots of the system, and is refused without Addr: SMOK's
	// hubs have certificates of private authorities. At most one of RootCAs, PinnedSHA256 and
	// InsecureSkipTLSVerify may be set.
	RootCAs *x509.CertPool

	// PinnedSHA256 is the SHA-256 of the hub's own certificate (DER) in hexadecimal; colons and case do not matter.
	// A certificate that matches is accepted whatever its issuer, name and dates.
	PinnedSHA256 string

	// InsecureSkipTLSVerify accepts every hub: anybody on the way can give orders.
	InsecureSkipTLSVerify bool

	// TLSConfig is what the connection is made from, for settings that have no field here. The fields above take
	// precedence where they are set, and the device's certificate always. Nil means TLS 1.2 or later.
	TLSConfig *tls.Config

	// Time is the clock by which certificates are judged. Nil means [time.Now]. A device without a battery for its clock
	// boots in 1970 and finds every certificate not valid yet: it can return a better guess, such as the time of
	// its last shutdown.
	Time func() time.Time

	// DialContext opens the connections to the hub. Nil means a [net.Dialer].
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// ConnectTimeout limits dial and handshake together. Zero means 10s.
	ConnectTimeout time.Duration

	// PingInterval is how long the client writes nothing before it sends a ping. Zero means 30s; it must be below
	// 60s, after which the hub may drop a silent device.
	PingInterval time.Duration

	// PongTimeout is how long nothing may arrive while a ping is unanswered. A pong waits behind whatever the hub
	// sent before it, so every byte counts as a sign of life. Zero means 30s.
	PongTimeout time.Duration

	// ReadIdleTimeout is how long nothing may arrive at all. Zero means 120s.
	ReadIdleTimeout time.Duration

	// WriteTimeout is how long the network may take for 64 KiB. Zero means 30s.
	WriteTimeout time.Duration

	// Backoff says how long to wait before connecting again. Of its fields, a zero Cap means 30s here and a zero
	// StableAfter 30s; an order ends an outage at once. A hub that refuses the device's certificate is asked
	// again after Cap only.
	Backoff retry.Backoff

	// MaxBody bounds the body of a frame in either direction, in bytes. Zero means 16 MiB; the protocol knows no more
	// than 4 GiB. A longer one from the hub ends the connection.
	MaxBody int64

	// QueueOrders and QueueBytes bound the orders that wait for the handler. When either is reached, the client
	// stops reading until there is room. Zero means 64 orders and 16 MiB. One order of any length always fits.
	QueueOrders int
	QueueBytes  int64

	// Journal remembers executed orders until the hub is known to have read that they were. Nil means one in
	// memory, which outlives connections but not the process.
	Journal Journal

	// RedeliveryWindow is how long after a reconnection the hub may take to deliver an unconfirmed order again; an
	// equal order that comes later is a new one. Zero means 1min.
	RedeliveryWindow time.Duration

	// DropOnPoison ends the connection when an order cannot be decoded, as the original client does. The hub then
	// delivers the same order again, for ever. By default the order is refused and the connection stays.
	DropOnPoison bool

	// Strict ends the connection when the hub sends a frame of an unknown type or one that only devices send. By
	// default it is skipped.
	Strict bool

	// OnStateChange is told of connections and their ends. It is called by the goroutine of [Client.Run], must not
	// block, and must not call Close or Shutdown.
	OnStateChange func(Status)

	// OnUnknownFrame gets the frames that are skipped. It is called by the goroutine that reads and must not block.
	// The body is valid during the call only.
	OnUnknownFrame func(wire.Frame)

	// OnError is told what went wrong without ending anything: an order that could not be decoded
	// ([InvalidFrameError]), a panic of the handler ([ErrPanic]), trouble with the journal ([ErrJournal]). It may be
	// called by several goroutines at a time and must not block.
	OnError func(error)

	// Logger gets connections and their ends, never payloads. Nil discards.
	Logger *slog.Logger
}

// maxPingInterval is when the hub may drop a device that writes nothing.
const maxPingInterval = 60 * time.Second

// withDefaults returns a checked copy of o with its zero values replaced; o may be nil.
func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	for _, limit := range []struct {
		field string
		value *time.Duration
		zero  time.Duration
	}{
		{"ConnectTimeout", &opts.ConnectTimeout, 10 * time.Second},
		{"PingInterval", &opts.PingInterval, 30 * time.Second},
		{"PongTimeout", &opts.PongTimeout, 30 * time.Second},
		{"ReadIdleTimeout", &opts.ReadIdleTimeout, 120 * time.Second},
		{"WriteTimeout", &opts.WriteTimeout, 30 * time.Second},
		{"RedeliveryWindow", &opts.RedeliveryWindow, time.Minute},
		{"Backoff.Cap", &opts.Backoff.Cap, 30 * time.Second},
		{"Backoff.StableAfter", &opts.Backoff.StableAfter, 30 * time.Second},
	} {
		if *limit.value == 0 {
			*limit.value = limit.zero
		}
		if *limit.value < 0 {
			return opts, ngtterr.Configuration("New", limit.field, "negative")
		}
	}
	if opts.PingInterval >= maxPingInterval {
		return opts, ngtterr.Configuration("New", "PingInterval", "not below 60s")
	}
	for _, limit := range []struct {
		field string
		value *int64
		zero  int64
	}{
		{"MaxBody", &opts.MaxBody, 16 << 20},
		{"QueueBytes", &opts.QueueBytes, 16 << 20},
	} {
		if *limit.value == 0 {
			*limit.value = limit.zero
		}
		if *limit.value < 0 {
			return opts, ngtterr.Configuration("New", limit.field, "negative")
		}
	}
	if opts.QueueOrders == 0 {
		opts.QueueOrders = 64
	}
	if opts.QueueOrders < 0 {
		return opts, ngtterr.Configuration("New", "QueueOrders", "negative")
	}
	opts.MaxBody = min(opts.MaxBody, math.MaxUint32)
	if opts.Time == nil && opts.TLSConfig != nil {
		opts.Time = opts.TLSConfig.Time
	}
	if opts.Time == nil {
		opts.Time = time.Now
	}
	if opts.DialContext == nil {
		opts.DialContext = new(net.Dialer).DialContext
	}
	if opts.Journal == nil {
		opts.Journal = NewMemoryJournal()
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return opts, nil
}

// link returns the limits of one connection.
func (o *Options) link(target string) link.Options {
	return link.Options{
		Target: target, PingInterval: o.PingInterval, PongTimeout: o.PongTimeout, ReadIdleTimeout: o.ReadIdleTimeout,
		WriteTimeout: o.WriteTimeout, MaxBody: o.MaxBody,
	}
}
