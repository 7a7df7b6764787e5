package api

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// Limits of the connections that a client keeps.
const (
	maxIdleConns    = 4
	idleConnTimeout = 30 * time.Second // well below the patience of web servers: few requests meet a closing connection
	maxHeaderBytes  = 64 << 10
)

// Client speaks with one hub as one device. All methods may be called from several goroutines; they share one pool of
// connections. The errors of calls are *[smokerr.ResponseError], *[smokerr.InvalidArgumentError] for what cannot be sent,
// one with the kind Canceled after the caller ended its context, and one of class ErrClosed.
type Client struct {
	cfg       Config
	base      *url.URL
	target    string // base for errors and logs
	id        identity
	http      *http.Client
	rest      *resty.Client
	transport *http.Transport

	life context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // calls; grown under mu while the client is not closed
}

// New returns a client. It checks everything and does no I/O: what is wrong is an *[smokerr.InvalidArgumentError].
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	config, err := tlsConfig(base, &cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, base: base, target: redact.URL(base)}
	if cfg.Auth == AuthHeader {
		c.id = newIdentity(cfg.Credentials.Certificate())
	}
	c.cfg.Logger = cfg.Logger.With(slog.String("module", "smok"), slog.String("target", c.target))
	c.life, c.stop = context.WithCancel(context.Background())
	c.transport = &http.Transport{
		Proxy:                  cfg.Proxy,
		DialContext:            c.dial,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		// HTTP/1.1 alone: one connection lost to a bad link costs one request.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	var way http.RoundTripper = c.transport
	if cfg.WrapTransport != nil {
		way = cfg.WrapTransport(way)
	}
	c.http = &http.Client{Transport: way, CheckRedirect: c.checkRedirect}
	// No retries, no log of its own: what resty has to say is in its errors too.
	c.rest = resty.NewWithClient(c.http).SetLogger(silence{}).SetDisableWarn(true)
	return c, nil
}

// silence is the logger of resty.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}

// dial opens a connection. Package net/http goes on dialling for a request that has left; see operation.failure.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
	defer cancel()
	conn, err := c.cfg.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return newPatientConn(conn), nil
}

// Close interrupts the calls that are under way, waits for them and closes the connections. It may be called from any
// goroutine and more than once.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
	c.transport.CloseIdleConnections()
}

// enter counts a call that Close waits for; it must call c.running.Done at its end. It is false after Close.
func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.running.Add(1)
	return true
}
