package smoktest

import (
	"log/slog"
	"net"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// Options configures a [Hub]. The zero value is ready to use.
type Options struct {
	// Listen opens the listeners of both sides, again after each outage. Nil means TCP. The Listen method of a network
	// in memory fits.
	Listen func(addr string) (net.Listener, error)

	// Addr and NGTTAddr are where the REST and the NGTT side listen, as host:port. Empty means a free port of 127.0.0.1.
	// An outage keeps the port.
	Addr, NGTTAddr string

	// Hosts are the names and addresses in the hub's certificate, the first of which is [Hub.ServerName]. Nil means
	// "localhost", "127.0.0.1" and "::1".
	Hosts []string

	// PlainHTTP serves the REST side without TLS: devices can show their certificate in the header only.
	PlainHTTP bool

	// NGTT configures the NGTT side. Its Listener, Hosts and OnChange are the hub's own.
	NGTT ngtttest.Options

	// DenyClientCreate lets the hub tell devices to delete BAOBs that it does not know, and refuse their upload. By
	// default it asks for them.
	DenyClientCreate bool

	// KeepDuplicateAlarms makes an alarm of every new event. By default an event with the smok_provisional_uuid of an
	// earlier one, in its metadata, updates the alarm of that.
	KeepDuplicateAlarms bool

	// PlusIsSpace reads a plus sign in the key of metadata as a space, as form encoding does.
	PlusIsSpace bool

	// MiniJSONAnswers answers with MiniJSON instead of JSON.
	MiniJSONAnswers bool

	// MaxBody and MaxBAOB bound the bodies of requests and BAOBs, in bytes; more is answered with 413. Zero means
	// 16 MiB and 64 MiB. All BAOBs of a device together have at most 16 times MaxBAOB.
	MaxBody, MaxBAOB int64

	// MaxKept is how many samples, alarms, log records and so on are kept of a device, of each kind. The oldest go
	// first; [Counts] still has them. Of what has a key, such as metadata, more is refused with 507. Zero means
	// 1,048,576.
	MaxKept int

	// OnRequest is called for each request once its answer is written, from the goroutine of its connection. Several
	// calls may run at once. Close waits for them.
	OnRequest func(Request)

	// Logger gets what goes wrong with connections, at level Debug. Nil discards.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Listen == nil {
		opts.Listen = func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }
	}
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.NGTTAddr == "" {
		opts.NGTTAddr = "127.0.0.1:0"
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = 16 << 20
	}
	if opts.MaxBAOB <= 0 {
		opts.MaxBAOB = 64 << 20
	}
	if opts.MaxKept <= 0 {
		opts.MaxKept = 1 << 20
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return opts
}
