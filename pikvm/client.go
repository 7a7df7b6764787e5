package pikvm

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-resty/resty/v2"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Client talks to one PiKVM. Its resources are the fields; all their methods may be called from several
// goroutines at once. Make one with [New] and end it with [Client.Close].
type Client struct {
	ATX      *ATX      // power of the host
	Auth     *Auth     // sessions on the device
	Export   *Export   // metrics
	GPIO     *GPIO     // relays, buttons and lamps
	HID      *HID      // keyboard and mouse
	Info     *Info     // what the device is and how it does
	Log      *Log      // journal of the device
	Media    *Media    // H.264 video of the screen
	MSD      *MSD      // images and the drive that shows one to the host
	Redfish  *Redfish  // the standard interface for servers
	Streamer *Streamer // picture of the screen
	Switch   *Switch   // the PiKVM Switch

	base    *url.URL
	target  string // base for errors and logs
	creds   *credentials
	session *cookieSession // nil unless AuthCookie
	trans   *transport
	http    *http.Client
	rest    *resty.Client
	opts    *Options
	retry   *retry.Policy // of GET requests; nil means none
	budget  *retry.Budget // pays for all repetitions
	logger  *slog.Logger

	life context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // operations and goroutines of the client; grown under mu while it is not closed
}

// New returns a client for the device at baseURL, such as "https://pikvm.local". It checks everything and does
// no I/O: what is wrong is reported as a [ConfigurationError]. Nil options mean the defaults.
//
// HTTPS may be switched off on a device; then baseURL begins with http, and everybody on the way can read the
// credentials. Redirects are never followed.
func New(baseURL string, opts *Options) (*Client, error) {
	base, err := parseBaseURL(baseURL)
	if err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	creds, err := newCredentials(&o)
	if err != nil {
		return nil, err
	}
	trans, err := newTransport(base, &o)
	if err != nil {
		return nil, err
	}
	target := redact.URL(base)
	c := &Client{
		base:   base,
		target: target,
		creds:  creds,
		trans:  trans,
		opts:   &o,
		budget: retry.NewBudget(nil),
		logger: o.Logger.With("module", "pikvm", "target", target),
	}
	if o.Retry != nil {
		policy := *o.Retry
		if policy.Budget == nil {
			policy.Budget = c.budget
		}
		c.retry, c.budget = &policy, policy.Budget
	}
	c.life, c.stop = context.WithCancel(context.Background())
	c.http = &http.Client{Transport: stayPut{trans.http}}
	c.rest = newRest(c.http)
	c.ATX, c.Auth, c.Info = &ATX{c}, &Auth{c}, &Info{c}
	c.Export, c.GPIO, c.HID, c.Log = &Export{c}, &GPIO{c}, &HID{c}, &Log{c}
	c.Media = &Media{c}
	c.MSD, c.Redfish, c.Streamer, c.Switch = &MSD{c}, &Redfish{c}, &Streamer{c}, &Switch{c}
	if o.Auth == AuthCookie {
		c.session = &cookieSession{login: c.Auth.open, life: c.life, running: &c.running}
	}
	return c, nil
}

// Close ends the client: it interrupts what is under way, waits for it and closes the connections. Sessions of
// events end too. A session on the device stays; [Auth.Logout] ends that. Close may be called from any
// goroutine and more than once; it always returns nil. It must not be called from a function in the [Options] or from
// [EventOptions].OnRetry.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
	c.trans.http.CloseIdleConnections()
	return nil
}

// enter counts something that Close waits for; it must call c.running.Done at its end. It is false after Close.
func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.running.Add(1)
	return true
}
