package smok

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
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

	// OnError is told what went wrong in the background without ending anything: the area, and a typed error. It may be
	// called from several goroutines and must not block. Nil means that only the log has it.
	OnError func(area string, err error)

	// Logger gets what the device does; at level warning what OnError gets. Nil discards.
	Logger *slog.Logger
}

// Areas names the areas of a device, to switch them off. A method of an area that is off returns [ErrUnavailable].
type Areas struct {
	Pathpoints, Archives, Orders, Macros, Predicates, Events, Sensors, SensorWrites, Metadata, BAOBs, Logs bool
}
