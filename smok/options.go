package smok

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// AuthMode says how requests prove which device they are of.
type AuthMode = api.AuthMode

const (
	// AuthDefault is what the hub of the certificate's environment expects: AuthMTLS in production, AuthHeader
	// otherwise.
	AuthDefault = api.AuthDefault
	// AuthMTLS presents the device's certificate in the TLS handshake.
	AuthMTLS = api.AuthMTLS
	// AuthHeader sends the device's certificate in the header X-SSL-Client-Certificate, as a proxy would that has done
	// the handshake. Whoever reads one request can pose as the device.
	AuthHeader = api.AuthHeader
)

// Options are the settings of a [Device]. The zero value is ready to use; the device copies it.
type Options struct {
	// BaseURL is where the hub is, such as "https://api.smok.co". Empty means the hub of the certificate's environment.
	BaseURL string

	// Auth is how requests prove which device they are of.
	Auth AuthMode

	// RootCAs verifies the hub's certificate. Nil means the system's roots. At most one of RootCAs, PinnedSHA256 and
	// InsecureSkipTLSVerify may be set, and none with an http URL.
	RootCAs *x509.CertPool

	// PinnedSHA256 is the SHA-256 of the hub's own certificate (DER) in hexadecimal; colons and case do not matter. A
	// certificate that matches is accepted whatever its issuer, name and dates.
	PinnedSHA256 string

	// InsecureSkipTLSVerify accepts every hub.
	InsecureSkipTLSVerify bool

	// TLSConfig is what connections are made from, for settings that have no field here. The fields above take
	// precedence where they are set, and the device's certificate always. Nil means TLS 1.2 or later.
	TLSConfig *tls.Config

	// DialContext opens connections. Nil means a [net.Dialer].
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy returns the proxy of a request. Nil means none; [http.ProxyFromEnvironment] is a choice.
	Proxy func(*http.Request) (*url.URL, error)

	// Timeout limits a request, and in the transfer of a BAOB the time in which nothing moves. Zero means 40s, negative
	// means no limit.
	Timeout time.Duration

	// ConnectTimeout limits the dial, and the TLS handshake after it. Zero means 10s.
	ConnectTimeout time.Duration

	// UserAgent is the header of that name. Empty means "smok-go".
	UserAgent string

	// Store is what the device keeps its data in; the device closes it. Nil means one in memory, which a restart
	// empties: on a gateway, open one with package diskstore.
	Store *store.Store

	// Disable switches areas off.
	Disable Areas

	// Offline begins without the network: see [Device.SetOffline].
	Offline bool

	// Intervals says how often the device does what it does on its own.
	Intervals Intervals

	// Pathpoints are the settings of all pathpoints.
	Pathpoints PathpointSettings

	// Provider makes pathpoints that the hub or the program asks for and that were not registered. It is called for a
	// name once at a time; with an error that matches [ErrNotFound] there is no such pathpoint, and orders for it are
	// skipped. Nil options of a pathpoint, and a nil Provider, mean a pathpoint that only [Pathpoint.Set] gives values to.
	// It must not wait for long, nor ask the device for a pathpoint of the same name; it may register it.
	Provider func(name string, level StorageLevel) (*PathpointOptions, error)

	// NGTT makes the device get its orders over the order link, at once, instead of asking the hub now and then. Its
	// Handler and Journal are the device's own; RootCAs, DialContext, Time and Logger are by default those of the device.
	// Nil means to ask over HTTP.
	NGTT *ngtt.Options

	// Orders are the settings of what the hub orders.
	Orders OrderSettings

	// Macros are the settings of macros.
	Macros MacroSettings

	// Sysctl does what the program makes of sysctl orders. Nil means that all but those about BAOBs are skipped.
	Sysctl SysctlHandler

	// Executor carries out sections in place of the device's own executor. Nil means that one.
	Executor SectionExecutor

	// Queue is how many sections of orders can wait. Zero means 1024.
	Queue int

	// Concurrency is how many orders run at once. Zero means 16. Some of that is kept free for each more urgent sort:
	// orders of the hub, of the program, macros, archiving.
	Concurrency int

	// KeepEvents is how long events are kept after they have ended and reached the hub. Zero means 30 days.
	KeepEvents time.Duration

	// OmitProvisionalUUID leaves smok_provisional_uuid out of the metadata of events. It is what a hub can tell an event by
	// that comes again, after an answer was lost, from a new one.
	OmitProvisionalUUID bool

	// PredicateTimeout is how long a function of a [Statistic] may take. Zero means 30s.
	PredicateTimeout time.Duration

	// CacheMetadata is how long a value of the [Metadata] counts as known, without the hub being asked. Zero means 60s,
	// negative means not at all.
	CacheMetadata time.Duration

	// PlusForSpace writes a space in the key of metadata as "+" in URLs, as the original client does. By default it is
	// "%20".
	PlusForSpace bool

	// MaxBAOB is how large a BAOB of the hub may be, in bytes. Zero means 64 MiB. The store has a limit of its own.
	MaxBAOB int64

	// AlignArchives lets archiving read at the multiples of the intervals, by the wall clock. By default each pathpoint
	// has its own phase, which spreads the load.
	AlignArchives bool

	// Time is the wall clock. It is called under a lock, so it must not call the device, nor block. Nil means [time.Now].
	Time func() time.Time

	// ClockFloor is the earliest time that the wall clock can rightly show: before it, the clock counts as not set. Zero
	// means the date of this release; in a testing/synctest bubble, where it is the year 2000, set it to an earlier date.
	ClockFloor time.Time

	// OnClockStep is told when the wall clock was set by more than 2s, or became one that can be right. It must not block.
	// Nil means that only the log has it.
	OnClockStep func(ClockStep)

	// OnLink is told when the hub can be reached and when it cannot. It may be called from several goroutines and must not
	// block. Nil means that nobody wants to know.
	OnLink func(up bool)

	// OnError is told what went wrong in the background without ending anything: the area, and a typed error. It may be
	// called from several goroutines and must not block. Nil means that only the log has it.
	OnError func(area string, err error)

	// Logger gets what the device does; at level warning what OnError gets. Nil discards.
	Logger *slog.Logger

	rand func() float64 // numbers in [0,1), for jitter; nil means rand.Float64
}

// releaseDate is the earliest time that a clock can show while this code runs.
var releaseDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// fill puts the defaults in place of zeros.
func (o *Options) fill() {
	o.Intervals.fill()
	if o.Time == nil {
		o.Time = time.Now
	}
	if o.ClockFloor.IsZero() {
		o.ClockFloor = releaseDate
	}
	o.KeepEvents = cmp.Or(o.KeepEvents, 30*24*time.Hour)
	o.PredicateTimeout = cmp.Or(o.PredicateTimeout, 30*time.Second)
	o.CacheMetadata = cmp.Or(o.CacheMetadata, time.Minute)
	o.Macros.MaxLateness = cmp.Or(o.Macros.MaxLateness, time.Hour)
	o.MaxBAOB = cmp.Or(o.MaxBAOB, store.DefaultMaxBlob)
}

// check reports what is wrong with the options that nothing else checks.
func (o *Options) check() error {
	if o.Queue < 0 {
		return smokerr.InvalidArgument("new", "Queue", "is negative", nil)
	}
	if o.Concurrency < 0 {
		return smokerr.InvalidArgument("new", "Concurrency", "is negative", nil)
	}
	switch {
	case o.KeepEvents < 0:
		return smokerr.InvalidArgument("new", "KeepEvents", "is negative", nil)
	case o.PredicateTimeout < 0:
		return smokerr.InvalidArgument("new", "PredicateTimeout", "is negative", nil)
	case o.MaxBAOB < 0:
		return smokerr.InvalidArgument("new", "MaxBAOB", "is negative", nil)
	}
	if o.NGTT != nil && (o.NGTT.Handler != nil || o.NGTT.Journal != nil) {
		return smokerr.InvalidArgument("new", "NGTT", "has a handler or a journal", nil)
	}
	if o.Macros.MaxLateness < 0 {
		return smokerr.InvalidArgument("new", "Macros.MaxLateness", "is negative", nil)
	}
	if err := o.Intervals.check(); err != nil {
		return err
	}
	return o.Pathpoints.check()
}

// Areas names the areas of a device, to switch them off. A method of an area that is off returns [ErrUnavailable].
type Areas struct {
	Pathpoints, Archives, Orders, Macros, Predicates, Events, Sensors, SensorWrites, Metadata, BAOBs, Logs bool
}
