package smoktest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// Hub is a SMOK hub: the REST API and the order link of many devices, over one state. [New] makes one, [Hub.Start] makes
// it listen. All methods may be called from any goroutine.
type Hub struct {
	opts       Options
	ngtt       *ngtttest.Hub
	devices509 *x509.CertPool // who signs certificates of devices
	rest       *gate
	orders     *gate
	journal    journal
	faults     faults
	watch      watch
	routes     []route

	ctx    context.Context // ends with Close; lets go of what waits
	cancel context.CancelFunc
	work   sync.WaitGroup // serving, connections, handlers

	mu      sync.Mutex // guards what follows and all that is kept of devices
	closed  bool
	server  *http.Server // set by Start
	conns   map[net.Conn]struct{}
	devices map[string]*device
}

var (
	errClosed     = errors.New("smoktest: the hub is closed")
	errStarted    = errors.New("smoktest: the hub was started before")
	errNotStarted = errors.New("smoktest: the hub was not started")
)

// New prepares a hub with an authority of its own. Nil options mean defaults.
func New(opts *Options) *Hub {
	h := &Hub{opts: opts.withDefaults(), conns: make(map[net.Conn]struct{}), devices: make(map[string]*device)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.journal.watch = &h.watch
	h.rest = newGate(h.opts.Listen, h.opts.Addr)
	h.orders = newGate(h.opts.Listen, h.opts.NGTTAddr)
	link := h.opts.NGTT
	link.Listener, link.Hosts, link.OnChange = h.orders, h.opts.Hosts, h.watch.notify
	h.ngtt = ngtttest.New(&link)
	h.routes = newRoutes()
	return h
}

// Start listens on both sides and serves until Close.
func (h *Hub) Start() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed
	case h.server != nil:
		return errStarted
	}
	config := h.ngtt.TLSConfig()
	if config == nil {
		return h.ngtt.Start() // which says why
	}
	h.devices509 = config.ClientCAs
	if err := h.rest.open(); err != nil {
		return err
	}
	if err := h.orders.open(); err != nil {
		h.rest.shut()
		return err
	}
	if err := h.ngtt.Start(); err != nil {
		h.rest.shut()
		h.orders.shut()
		return err
	}
	h.serve(config)
	return nil
}

// serve is called with mu held.
func (h *Hub) serve(config *tls.Config) {
	server := &http.Server{
		Handler:           h,
		TLSConfig:         config,
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // a fault is of one exchange, so HTTP/1.1
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       75 * time.Second,
		ErrorLog:          slog.NewLogLogger(h.opts.Logger.Handler(), slog.LevelDebug),
		ConnContext:       withConn,
		ConnState:         h.connState,
	}
	h.server = server
	h.work.Go(func() {
		if h.opts.PlainHTTP {
			_ = server.Serve(h.rest) // ends with Close
			return
		}
		_ = server.ServeTLS(h.rest, "", "")
	})
}

// connState counts connections, so that Close can wait for their goroutines.
func (h *Hub) connState(c net.Conn, state http.ConnState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch state {
	case http.StateNew:
		h.work.Add(1) // serving goes on while this runs, so Wait cannot have returned
		h.conns[c] = struct{}{}
	case http.StateClosed:
		if _, ok := h.conns[c]; ok {
			delete(h.conns, c)
			h.work.Done()
		}
	}
}

// Close stops listening, cuts all connections, and returns when nothing of the hub runs any more. It may be called again,
// and before Start.
func (h *Hub) Close() error {
	h.mu.Lock()
	h.closed = true
	server := h.server
	h.mu.Unlock()
	h.cancel()
	if server != nil {
		_ = server.Close() // errors of connections that end anyway
	}
	_ = h.rest.Close()
	_ = h.ngtt.Close()
	h.work.Wait()
	return nil
}

// URL is the base URL of the REST side: scheme, host and port, no path. Empty before Start.
func (h *Hub) URL() string {
	addr := h.rest.Addr()
	if addr == nil {
		return ""
	}
	if h.opts.PlainHTTP {
		return "http://" + addr.String()
	}
	return "https://" + addr.String()
}

// NGTTAddr is the address of the NGTT side, as host:port. Empty before Start.
func (h *Hub) NGTTAddr() string {
	addr := h.orders.Addr()
	if addr == nil {
		return ""
	}
	return addr.String()
}

// NGTT is the NGTT side: its counts, connections and faults. It shares the orders with [Device.Enqueue].
func (h *Hub) NGTT() *ngtttest.Hub { return h.ngtt }

// ServerName is a name in the hub's certificate.
func (h *Hub) ServerName() string { return h.ngtt.ServerName() }

// RootCAs returns a new pool that holds the hub's authority alone, nil if making it failed; Start says why.
func (h *Hub) RootCAs() *x509.CertPool { return h.ngtt.RootCAs() }

// AuthorityPEM returns the certificate of the hub's authority in PEM form, nil if making it failed; Start says why.
func (h *Hub) AuthorityPEM() []byte { return h.ngtt.AuthorityPEM() }

// Issue makes a certificate and a key for a device, in PEM form, good for both sides.
func (h *Hub) Issue(d ngtttest.Device) (certPEM, keyPEM []byte, err error) { return h.ngtt.Issue(d) }
