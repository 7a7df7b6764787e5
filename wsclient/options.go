//go:build !js

package wsclient

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Options are the settings of a [Manager]. The zero value is good for use; see the fields for what it means.
type Options struct {
	// Dial says how a connection is made.
	Dial DialOptions

	// Conn are the settings of each connection: limits of size and time, compression, the check of text. Its
	// PingTimeout is that of Heartbeat, and its Logger the one below.
	Conn wsconn.Options

	// Endpoints are further addresses of the same peer.
	Endpoints EndpointOptions

	// Reconnect says when and how often to try again.
	Reconnect ReconnectOptions

	// Receive says what becomes of messages that arrive.
	Receive ReceiveOptions

	// Send says how messages go out: at once, or through a queue that outlives connections.
	Send SendOptions

	// Heartbeat says how a dead connection is noticed.
	Heartbeat HeartbeatOptions

	// Control lets the program decide when to be connected.
	Control ControlOptions

	// Subscribe holds the first subscriptions and says how they are written.
	Subscribe SubscribeOptions

	// Hooks are told what happens.
	Hooks Hooks

	// Metrics gets the numbers as they arise. Nil discards. Stats has the same without it.
	Metrics Metrics

	// Logger gets connections at info, attempts that failed at warn, and giving up at error level. Neither addresses
	// with their secrets nor messages are ever in it. Nil discards.
	Logger *slog.Logger
}

// DialOptions say how a connection is made. The functions among them get the context of the attempt, which ends with
// HandshakeTimeout and when the manager is closed.
type DialOptions struct {
	// Header is sent with the upgrade request: credentials, cookies, Origin.
	Header http.Header

	// HeaderFunc, if set, supplies further headers before every attempt, such as a fresh token. They replace those of
	// Header with the same name. An error fails the attempt; one that wraps [ErrGiveUp] is the end of all attempts.
	HeaderFunc func(ctx context.Context, a Attempt) (http.Header, error)

	// URLFunc, if set, supplies the address before every attempt, instead of a.Endpoint. Errors are those of
	// HeaderFunc.
	URLFunc func(ctx context.Context, a Attempt) (string, error)

	// DialFunc, if set, makes the connection, instead of [wsconn.Dial] with the other fields: for a handshake that takes
	// more than headers, such as a request before it, or whose failures are errors of the program's own. Of the other
	// fields HandshakeTimeout alone applies, and none of Options.Conn does: the program gives its own to wsconn.Dial.
	// Errors are those of HeaderFunc, so they say nothing of refused credentials, and errors.As finds them in that of
	// the manager.
	DialFunc func(ctx context.Context, a Attempt) (*wsconn.Conn, error)

	// AuthRefresh, if set, is called when the peer does not accept the credentials: status 401, 407 or 403, or a close
	// code that says so. After it there is one attempt at once; if the peer refuses again, be it after it has accepted a
	// connection that was not up for Backoff.StableAfter, that is the end. An error counts as a failed attempt; one that
	// wraps [ErrGiveUp] is the end.
	AuthRefresh func(ctx context.Context, a Attempt) error

	// Host replaces the host of the address in the Host header.
	Host string

	// Subprotocols are offered in this order.
	Subprotocols []string

	// TLSConfig is used for wss. Nil means the system's authorities. Its GetClientCertificate is asked in every attempt,
	// so certificates may change.
	TLSConfig *tls.Config

	// DialContext makes the network connection, to the peer or to a proxy. Nil means a net.Dialer with KeepAlive and
	// UserTimeout; names are looked up in every attempt.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// KeepAlive are the probes of TCP. The zero value has the defaults of package net.
	KeepAlive net.KeepAliveConfig

	// UserTimeout is how long data may stay without acknowledgement of the peer's host before the system ends the
	// connection (TCP_USER_TIMEOUT, Linux only). Zero leaves it to the system.
	UserTimeout time.Duration

	// Proxy returns the proxy for a request, nil for none. Nil means [http.ProxyFromEnvironment].
	Proxy func(*http.Request) (*url.URL, error)

	// Jar supplies cookies to the upgrade request and takes those of the answer. Nil means none.
	Jar http.CookieJar

	// HandshakeTimeout bounds an attempt: the functions above, name resolution, TLS, proxy, upgrade, redirects,
	// Hooks.OnHandshake and the subscriptions. Zero means 30 s, negative means no limit.
	HandshakeTimeout time.Duration

	// MaxRedirects is how many redirects are followed. Zero means 10, the most; negative means none.
	MaxRedirects int

	// CrossHostRedirects follows redirects to other hosts, too. Headers travel along: do it only if they hold no
	// secrets, or if all hosts may know them.
	CrossHostRedirects bool
}

// HeartbeatOptions say how a dead connection is noticed.
type HeartbeatOptions struct {
	// PingInterval is the time between pings. Zero means 20 s. Negative means no pings, but for those by which a queue
	// with acknowledgements finds the message at which the peer closes; they need not be answered.
	PingInterval time.Duration

	// PingTimeout is how long nothing at all may arrive after a ping before the connection counts as dead. Any byte is
	// a sign of life. While a consumer that does not keep up blocks the reader, it is suspended, and it begins anew when
	// this process itself did not run for a while. What waits in the system to be sent is ahead of the ping: on a slow
	// uplink the limit must leave time for that. Zero means 10 s.
	PingTimeout time.Duration

	// IdleTimeout ends a connection on which no message arrived for this long, whatever the pings say. Zero means
	// never.
	IdleTimeout time.Duration

	// AppPing, if set, makes the message that is sent instead of a ping, for servers that do not answer those.
	AppPing func() (MessageType, []byte)

	// IsAppPong recognises the answer to AppPing, which is then not delivered. Nil takes any byte for an answer. It is
	// called for every message, on the goroutine that reads, and must not keep the data.
	IsAppPong func(Message) bool
}

// ControlOptions let the program decide when to be connected.
type ControlOptions struct {
	// ShouldDisconnect, if set, is asked every DisconnectCheckInterval while there is a connection; true ends it.
	ShouldDisconnect        func() bool
	DisconnectCheckInterval time.Duration // zero means 10 s

	// ShouldReconnect, if set, is asked every ReconnectCheckInterval after a connection was ended by this side, or lost
	// with reconnecting switched off: now connects at once, a positive delay after that time, neither asks again.
	ShouldReconnect        func() (now bool, in time.Duration)
	ReconnectCheckInterval time.Duration // zero means 5 s

	// MaxConnectionAge is how old a connection may get, for peers that end them after a fixed time. It is renewed
	// DisconnectMargin before that, and up to as much again earlier, at random. Zero means no limit.
	MaxConnectionAge time.Duration

	// DisconnectMargin must be less than MaxConnectionAge. Zero means 5 min, or a tenth of MaxConnectionAge if that is
	// less.
	DisconnectMargin time.Duration

	// Seamless renews a connection that has reached its age without a gap: the new one is made and subscribed first. The
	// old one is closed when the peer has answered a ping on both, first the new and then the old one, which shows that it
	// has read the subscriptions and that nothing it wrote before is still under way; or after PingTimeout. In between,
	// messages may arrive on both: see [ReceiveOptions].Dedup.
	Seamless bool

	// DrainOnCancel is how long the end of the context of Run or Start waits for the queue to be sent. Zero closes at
	// once.
	DrainOnCancel time.Duration
}

// withDefaults checks the options and fills in what is zero.
func (o Options) withDefaults() (Options, error) {
	orDefault(&o.Dial.HandshakeTimeout, 30*time.Second)
	if o.Dial.MaxRedirects == 0 {
		o.Dial.MaxRedirects = 10
	}
	o.Dial.MaxRedirects = max(o.Dial.MaxRedirects, 0)
	if o.Dial.DialContext == nil {
		o.Dial.DialContext = netDial(&o.Dial)
	}
	orDefault(&o.Heartbeat.PingInterval, 20*time.Second)
	orDefault(&o.Heartbeat.PingTimeout, 10*time.Second)
	orDefault(&o.Control.DisconnectCheckInterval, 10*time.Second)
	orDefault(&o.Control.ReconnectCheckInterval, 5*time.Second)
	orDefault(&o.Control.DisconnectMargin, min(5*time.Minute, o.Control.MaxConnectionAge/10))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NopMetrics{}
	}
	var err error
	if o.Receive, err = o.Receive.withDefaults(); err != nil {
		return o, err
	}
	if o.Send, err = o.Send.withDefaults(); err != nil {
		return o, err
	}
	if o.Subscribe, err = o.Subscribe.withDefaults(); err != nil {
		return o, err
	}
	o.Conn.PingTimeout = o.Heartbeat.PingTimeout
	orDefault(&o.Conn.CloseTimeout, time.Second)
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"Dial.UserTimeout", o.Dial.UserTimeout},
		{"Heartbeat.PingTimeout", o.Heartbeat.PingTimeout},
		{"Heartbeat.IdleTimeout", o.Heartbeat.IdleTimeout},
		{"Control.DisconnectCheckInterval", o.Control.DisconnectCheckInterval},
		{"Control.ReconnectCheckInterval", o.Control.ReconnectCheckInterval},
		{"Control.MaxConnectionAge", o.Control.MaxConnectionAge},
		{"Control.DisconnectMargin", o.Control.DisconnectMargin},
		{"Control.DrainOnCancel", o.Control.DrainOnCancel},
	} {
		if d.value < 0 {
			return o, configError(d.field, "negative")
		}
	}
	if age := o.Control.MaxConnectionAge; age > 0 && o.Control.DisconnectMargin >= age {
		return o, configError("Control.DisconnectMargin", "not less than MaxConnectionAge")
	}
	return o, nil
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

func configError(field, problem string) error { return wserr.Config(opNew, field, problem) }
