package pikvmtest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a PiKVM that is not there. [New] makes one, [Server.Start] makes it listen.
// All methods are safe for concurrent use.
type Server struct {
	opts      Options
	err       error // from New, for Start
	version   version
	hub       *hub
	sched     *scheduler
	auth      *auth
	info      *info
	atx       *atx
	msd       *msd
	gpio      *gpio
	hid       *hid
	streamer  *streamer
	media     *media
	kvmSwitch *kvmSwitch
	journal   *journal
	parts     []subsystem
	router    *router
	inbox     inbox
	faults    faults
	record    recorder

	stalled atomic.Bool // see StallPings

	ctx    context.Context // ends with Close; lets go of what waits
	cancel context.CancelFunc
	wg     sync.WaitGroup // serving, connections, handlers

	downMu    sync.Mutex
	down      bool
	downUntil time.Time

	once sync.Once // Close

	mu       sync.Mutex
	started  bool
	closed   bool
	servers  []*http.Server
	url      string
	plainURL string
	leaf     *x509.Certificate
	conns    map[net.Conn]http.ConnState
}

var (
	errServerClosed  = errors.New("pikvmtest: the server is closed")
	errServerStarted = errors.New("pikvmtest: the server was started before")
)

// New prepares a server. Bad options are reported by [Server.Start].
func New(opts *Options) *Server {
	s := &Server{conns: make(map[net.Conn]http.ConnState)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var secret []byte
	if s.opts, s.err = opts.withDefaults(); s.err == nil {
		s.version, s.err = parseVersion(s.opts.Version)
	}
	if s.err == nil && s.opts.TOTPSecret != "" {
		secret, s.err = parseTOTPSecret(s.opts.TOTPSecret)
	}
	s.hub = newHub(s.version)
	s.sched = newScheduler()
	s.auth = &auth{
		disabled:  s.opts.AuthDisabled,
		users:     s.opts.Users,
		secret:    secret,
		redirects: s.opts.LoginRedirects,
		version:   s.version,
		skew:      s.opts.ClockSkew,
		sessions: sessions{
			limit:  s.opts.SessionLimit,
			extend: s.opts.SocketsExtendSessions && s.version.atLeast(4, 113),
			tokens: make(map[string]*session),
		},
	}
	s.info = newInfo(s.version, !s.opts.AuthDisabled, s.sched, s.hub)
	s.atx = newATX(&s.opts, s.version, s.sched, s.hub)
	s.msd, s.gpio, s.hid, s.kvmSwitch = newMSD(s), newGPIO(s), newHID(s), newSwitch(s)
	s.streamer, s.media = newStreamer(s), newMedia(s)
	s.journal = newJournal(s)
	s.parts = s.newSubsystems()
	s.router = &router{auth: s.auth, routes: make(map[string]map[string]*route)}
	s.inbox = inbox{make(map[string]func(*socket, inbound)), make(map[byte]func(*socket, inbound))}
	s.auth.routes(s.router)
	s.socketRoutes(s.router)
	s.hid.socketRoutes(&s.inbox)
	for _, part := range s.parts {
		part.routes(s.router)
	}
	return s
}

// Start listens and serves until Close. It fails for bad options, when it cannot listen, and the second time.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.closed:
		return errServerClosed
	case s.started:
		return errServerStarted
	}
	ln, err := listenOn(s.opts.Listener)
	if err != nil {
		return err
	}
	var config *tls.Config
	scheme := "http"
	if s.opts.TLS {
		if config, err = s.tlsConfig(); err != nil {
			_ = ln.Close() // the certificate is what went wrong
			return err
		}
		scheme = "https"
	}
	if s.opts.PlainRedirect {
		plain, err := listenOn(s.opts.PlainListener)
		if err != nil {
			_ = ln.Close() // the other port is what went wrong
			return err
		}
		s.plainURL = "http://" + plain.Addr().String()
		s.serve(plain, nil, s.redirectPlain)
	}
	s.started = true
	s.url = scheme + "://" + ln.Addr().String()
	s.sched.start()
	s.serve(ln, config, s.handle)
	return nil
}

func listenOn(ln net.Listener) (net.Listener, error) {
	if ln != nil {
		return ln, nil
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("pikvmtest: %w", err)
	}
	return ln, nil
}

// tlsConfig is called with mu held.
func (s *Server) tlsConfig() (*tls.Config, error) {
	config := s.opts.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if len(config.Certificates) == 0 && config.GetCertificate == nil {
		cert, err := selfSigned()
		if err != nil {
			return nil, fmt.Errorf("pikvmtest: certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	if len(config.Certificates) > 0 {
		leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
		if err != nil {
			return nil, fmt.Errorf("pikvmtest: certificate: %w", err)
		}
		s.leaf = leaf
	}
	return config, nil
}

// serve is called with mu held.
func (s *Server) serve(ln net.Listener, config *tls.Config, handle http.HandlerFunc) {
	srv := &http.Server{
		Handler:           handle,
		TLSConfig:         config,
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       75 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug),
		ConnContext:       withConn,
		ConnState:         s.connState,
	}
	s.servers = append(s.servers, srv)
	s.wg.Go(func() {
		if config != nil {
			_ = srv.ServeTLS(listener{ln}, "", "") // always ends with http.ErrServerClosed or the listener
			return
		}
		_ = srv.Serve(listener{ln})
	})
}

// connState counts connections, so that Close can wait for their goroutines, and knows which are at work.
func (s *Server) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.wg.Add(1) // serving goes on while this runs, so Wait cannot have returned
	case http.StateHijacked, http.StateClosed:
		if _, ok := s.conns[c]; ok {
			delete(s.conns, c)
			s.wg.Done()
		}
		return
	}
	s.conns[c] = state
}

type requestKey struct{}

// handle is every request to the device.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.wg.Done()
	req := s.record.begin(r)
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, req))
	w = &recordingWriter{ResponseWriter: w, note: func(status int) { s.record.status(req, status) }}
	if f := s.faults.take(r); f != nil {
		s.spoil(f, w, r, s.front)
		return
	}
	s.front(w, r)
}

func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// Close stops listening, cuts all connections, and returns when nothing of the server runs any more. It is safe to call
// it again, and before Start.
func (s *Server) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		servers := s.servers
		s.mu.Unlock()
		s.cancel()
		for _, srv := range servers {
			_ = srv.Close() // errors of connections that end anyway
		}
		s.wg.Wait()
		s.sched.stop()
		s.msd.close()
	})
	return nil
}

// URL is the base URL of the device: scheme, host and port, no path. Empty before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// PlainURL is the base URL of the port that redirects to HTTPS ([Options.PlainRedirect]); empty without it.
func (s *Server) PlainURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plainURL
}

// Certificate is the certificate of the device. Nil without TLS and before Start.
func (s *Server) Certificate() *x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaf
}

// Fingerprint is the SHA-256 of the certificate of the device, for clients that pin it. Zero without TLS and before Start.
func (s *Server) Fingerprint() [sha256.Size]byte {
	cert := s.Certificate()
	if cert == nil {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(cert.Raw)
}

// sleep waits for d, the end of ctx, or Close.
func (s *Server) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}
