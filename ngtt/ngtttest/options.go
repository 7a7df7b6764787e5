package ngtttest

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Options configures a [Hub]. The zero value is ready to use.
type Options struct {
	// Listener is where devices connect; the hub closes it. Nil means a port of 127.0.0.1.
	Listener net.Listener

	// Hosts are the names and addresses in the hub's certificate, the first of which is [Hub.ServerName]. Nil
	// means "localhost", "127.0.0.1" and "::1".
	Hosts []string

	// Prefetch is how many orders may be on their way to a device without an answer. Zero means 10,
	// and the most is 32768.
	Prefetch int

	// RequeueRejected puts refused orders back to the end of the queue. By default they are dropped.
	RequeueRejected bool

	// RedeliverAfter is how long an order may be without an answer before it goes out again on the same connection,
	// under the same transaction id. Zero means never.
	RedeliverAfter time.Duration

	// IdleTimeout is how long a device may send nothing before the hub drops it. Zero means 60s, negative never.
	IdleTimeout time.Duration

	// MaxBody bounds the frames of devices, in bytes. Zero means 1 MiB.
	MaxBody int64

	// DataStreamReply answers DATA_STREAM. Zero means wire.TypeDataStreamConfirm; wire.TypeDataStreamReject
	// declines, and any other type gives no answer.
	DataStreamReply wire.Type

	// BAOBReply is the body that answers SYNC_BAOB_REQUEST. Nil means two empty lists, "download" and "upload".
	BAOBReply []byte

	// MaxTLSVersion is the highest TLS version. Zero means TLS 1.3.
	MaxTLSVersion uint16

	// OnConfirm is called for each order that a device confirms, before that counts, from the goroutine of the
	// connection. It must not call the hub.
	OnConfirm func(device string, order uint64)

	// OnChange is called after each change of what the hub's methods return. It must neither block nor call the hub.
	OnChange func()
}

// maxPrefetch leaves room in the transaction ids of one connection.
const maxPrefetch = 1 << 15

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if len(opts.Hosts) == 0 {
		opts.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	if opts.Prefetch <= 0 {
		opts.Prefetch = 10
	}
	opts.Prefetch = min(opts.Prefetch, maxPrefetch)
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = 60 * time.Second
	}
	if opts.MaxBody == 0 {
		opts.MaxBody = 1 << 20
	}
	if opts.DataStreamReply == 0 {
		opts.DataStreamReply = wire.TypeDataStreamConfirm
	}
	if opts.BAOBReply == nil {
		opts.BAOBReply = []byte("\x52\x08download\x40\x06upload\x40") // MiniJSON {"download":[],"upload":[]}
	}
	if opts.MaxTLSVersion == 0 {
		opts.MaxTLSVersion = tls.VersionTLS13
	}
	return opts
}
