package ngtttest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Hub is the other end of the order link. [New] makes one, [Hub.Start] makes it listen. All methods may be called from
// any goroutine.
type Hub struct {
	opts    Options
	err     error // from New, for Start
	known   *authority
	foreign *authority
	config  *tls.Config
	name    string
	work    sync.WaitGroup
	done    chan struct{} // closed by Close

	mu       sync.Mutex // guards what follows, the devices and their orders
	changed  sync.Cond
	listener net.Listener // set by Start
	closed   bool
	faults   Faults
	devices  map[string]*device
	conns    []*Conn // open ones, oldest first
	raw      map[net.Conn]struct{}
	lastID   uint64
}

var (
	errClosed  = errors.New("ngtttest: the hub is closed")
	errStarted = errors.New("ngtttest: the hub was started before")
	errRefused = errors.New("ngtttest: certificates are refused")
)

// New prepares a hub with an authority of its own. Nil options mean defaults.
func New(opts *Options) *Hub {
	h := &Hub{opts: opts.withDefaults(), devices: make(map[string]*device), raw: make(map[net.Conn]struct{}), done: make(chan struct{})}
	h.changed.L = &h.mu
	h.name = h.opts.Hosts[0]
	var certificate tls.Certificate
	if h.known, h.err = newAuthority("ngtttest"); h.err == nil {
		if h.foreign, h.err = newAuthority("ngtttest, foreign"); h.err == nil {
			certificate, h.err = h.known.server(h.opts.Hosts)
		}
	}
	if h.err == nil {
		h.config = &tls.Config{
			MinVersion: tls.VersionTLS12, MaxVersion: h.opts.MaxTLSVersion, Certificates: []tls.Certificate{certificate},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: h.known.pool(), VerifyConnection: h.verify,
		}
	}
	return h
}

// verify is the fault of refused certificates.
func (h *Hub) verify(tls.ConnectionState) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.faults.RefuseCertificates {
		return errRefused
	}
	return nil
}

// Start listens and serves until Close.
func (h *Hub) Start() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return h.err
	case h.closed:
		return errClosed
	case h.listener != nil:
		return errStarted
	}
	ln := h.opts.Listener
	if ln == nil {
		var err error
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("ngtttest: %w", err)
		}
	}
	h.listener = ln
	h.work.Go(func() { h.accept(ln) })
	return nil
}

// Close stops listening, cuts all connections, and returns when nothing of the hub runs any more. It may be called again.
func (h *Hub) Close() error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
	h.notify()
	for raw := range h.raw {
		_ = raw.Close() // its goroutine reports nothing either
	}
	listener := h.listener
	h.mu.Unlock()
	if listener != nil {
		_ = listener.Close() // the second time it is closed already
	}
	h.work.Wait()
	return nil
}

// Addr is the address that the hub listens on, as host:port. Empty before Start.
func (h *Hub) Addr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener == nil {
		return ""
	}
	return h.listener.Addr().String()
}

// ServerName is a name in the hub's certificate.
func (h *Hub) ServerName() string { return h.name }

// RootCAs returns a new pool that holds the hub's authority alone, nil if making it failed; Start says why.
func (h *Hub) RootCAs() *x509.CertPool {
	if h.err != nil {
		return nil
	}
	return h.known.pool()
}

// AuthorityPEM returns the certificate of the hub's authority in PEM form, nil if making it failed; Start says why.
func (h *Hub) AuthorityPEM() []byte {
	if h.err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.known.cert.Raw})
}

// TLSConfig returns a new configuration for another server of the same hub: with the hub's certificate, and asking for
// the certificate of a device, which may be missing. Nil if making the authority failed; Start says why.
func (h *Hub) TLSConfig() *tls.Config {
	if h.err != nil {
		return nil
	}
	config := h.config.Clone()
	config.ClientAuth, config.VerifyConnection = tls.VerifyClientCertIfGiven, nil
	return config
}

// Issue makes a certificate and a key for a device, in PEM form. The hub knows a device from the moment it is mentioned.
func (h *Hub) Issue(d Device) (certPEM, keyPEM []byte, err error) {
	if h.err != nil {
		return nil, nil, h.err
	}
	if d.Foreign {
		return h.foreign.device(d)
	}
	return h.known.device(d)
}

func (h *Hub) accept(ln net.Listener) {
	for {
		raw, err := ln.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		closed := h.closed
		if !closed {
			h.raw[raw] = struct{}{}
			h.work.Go(func() { h.serve(raw) })
		}
		h.mu.Unlock()
		if closed {
			_ = raw.Close() // nobody has seen it
		}
	}
}

// handshakeTimeout bounds the handshake of a device.
const handshakeTimeout = 10 * time.Second

// serve is the goroutine of one connection.
func (h *Hub) serve(raw net.Conn) {
	defer func() {
		_ = raw.Close() // it may be closed already
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.raw, raw)
	}()
	stream := tls.Server(raw, h.config)
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	err := stream.HandshakeContext(ctx)
	cancel()
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notify()
		return
	}
	c := &Conn{hub: h, raw: raw, stream: stream, unanswered: make(map[uint16]*order), pings: make(map[uint16]bool)}
	h.join(c, Identify(stream.ConnectionState().PeerCertificates[0]))
	var writer sync.WaitGroup
	writer.Go(c.write)
	if h.opts.RedeliverAfter > 0 {
		writer.Go(c.redeliver)
	}
	c.read()
	h.leave(c)
	writer.Wait()
}

// join takes note of a connection.
func (h *Hub) join(c *Conn, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.device = h.device(id)
	c.device.counts.Connections++
	h.conns = append(h.conns, c)
	h.notify()
}

// leave puts what was not answered back to the front of the queue, in the order in which it went out.
func (h *Hub) leave(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = c.raw.Close() // it may be closed already
	c.over = true
	h.conns = slices.DeleteFunc(h.conns, func(o *Conn) bool { return o == c })
	c.device.takeBack(c)
	h.pump(c.device)
	h.notify()
}

// device returns the state of a device. It runs with mu held.
func (h *Hub) device(id string) *device {
	d := h.devices[id]
	if d == nil {
		d = &device{id: id, received: make(map[wire.Type]int)}
		h.devices[id] = d
	}
	return d
}

// WaitConn returns the newest connection of a device as soon as there is one that is open, or the error of ctx.
func (h *Hub) WaitConn(ctx context.Context, device string) (*Conn, error) {
	var found *Conn
	err := h.wait(ctx, func() bool {
		for _, c := range h.conns {
			if c.device.id == device {
				found = c
			}
		}
		return found != nil
	})
	return found, err
}

// notify wakes all that waits for a change. It runs with mu held.
func (h *Hub) notify() {
	h.changed.Broadcast()
	if h.opts.OnChange != nil {
		h.opts.OnChange()
	}
}

// sleep waits for d, or until Close.
func (h *Hub) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.done:
	}
}

// wait waits until done, called with mu held, returns true, or for the error of ctx.
func (h *Hub) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.changed.Broadcast()
	})
	defer stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for !done() {
		switch {
		case h.closed:
			return errClosed
		case ctx.Err() != nil:
			return ctx.Err()
		}
		h.changed.Wait()
	}
	return nil
}
