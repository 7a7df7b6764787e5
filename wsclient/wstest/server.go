package wstest

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Options are the settings of [Start]. The zero value is good for use.
type Options struct {
	// Listener is where to serve; Close closes it. Nil means a free port of 127.0.0.1.
	Listener net.Listener
	// TLS makes it a wss server.
	TLS *tls.Config
	// Accept are the settings of the accepted connections.
	Accept *wsconn.AcceptOptions
	// Request sees every request before the upgrade. If it returns false, it has answered the request itself. It runs
	// on the goroutine of the request. Nil lets all pass.
	Request func(http.ResponseWriter, *http.Request) bool
	// Handler serves a connection, which is closed when it returns. It runs on a goroutine of its own per
	// connection. Nil means [Echo].
	Handler func(*wsconn.Conn)
}

// Server is a well-behaved WebSocket server.
type Server struct {
	opts    Options
	http    *http.Server
	addr    net.Addr
	serving sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	accepted int
	open     map[*wsconn.Conn]struct{}
}

// Start starts a server.
func Start(opts *Options) (*Server, error) {
	s := &Server{open: make(map[*wsconn.Conn]struct{})}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Handler == nil {
		s.opts.Handler = Echo
	}
	l, err := listen(s.opts.Listener)
	if err != nil {
		return nil, err
	}
	s.addr = l.Addr()
	if s.opts.TLS != nil {
		config := s.opts.TLS.Clone()
		config.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, config)
	}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: log.New(io.Discard, "", 0)}
	// It ends when the server is closed.
	s.serving.Go(func() { _ = s.http.Serve(l) })
	return s, nil
}

// Echo sends every message back until the connection ends.
func Echo(c *wsconn.Conn) {
	var buf []byte
	for {
		typ, msg, err := c.Read(buf)
		if err != nil || c.Write(typ, msg) != nil {
			return
		}
		buf = msg
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.begin() {
		return
	}
	defer s.serving.Done()
	if s.opts.Request != nil && !s.opts.Request(w, r) {
		return
	}
	c, err := wsconn.Accept(w, r, s.opts.Accept)
	if err != nil {
		return // answered
	}
	defer hangUp(c)
	if !s.admit(c) {
		return
	}
	defer s.leave(c)
	s.opts.Handler(c)
}

// hangUp closes a connection that its handler has left. A Close under way is let finish, since it may be what the
// handler left for.
func hangUp(c *wsconn.Conn) {
	if c.Err() != nil {
		_ = c.Close(1000, "") // waits for a Close under way, and does nothing else
		return
	}
	_ = c.CloseNow() // returns nil
}

// begin counts a request, so that Close waits for it.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.serving.Add(1)
	return true
}

func (s *Server) admit(c *wsconn.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.accepted++
	s.open[c] = struct{}{}
	return true
}

func (s *Server) leave(c *wsconn.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// URL returns the ws or wss URL of the server.
func (s *Server) URL() string { return wsURL(s.addr, s.opts.TLS != nil) }

// Addr returns the network address of the server.
func (s *Server) Addr() net.Addr { return s.addr }

// Accepted returns how many connections were accepted so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Conns returns the connections that are open.
func (s *Server) Conns() []*wsconn.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*wsconn.Conn, 0, len(s.open))
	for c := range s.open {
		conns = append(conns, c)
	}
	return conns
}

// CloseConns closes all open connections with a close frame. A client that does not answer is an error, and does not
// keep the others from being closed.
func (s *Server) CloseConns(code int, reason string) error {
	var errs []error
	for _, c := range s.Conns() {
		errs = append(errs, c.Close(code, reason))
	}
	return errors.Join(errs...)
}

// DropConns closes all open connections without a close frame.
func (s *Server) DropConns() {
	for _, c := range s.Conns() {
		_ = c.CloseNow() // returns nil
	}
}

// Close closes the listener and all connections and waits for the handlers. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.http.Close()
	s.DropConns()
	s.serving.Wait()
	return err
}

// wsURL returns the URL of a server at addr.
func wsURL(addr net.Addr, secure bool) string {
	if secure {
		return "wss://" + addr.String()
	}
	return "ws://" + addr.String()
}
