package siotest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/token"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Server is a real server on a network in memory, for tests of programs that are its clients. It can be used in a bubble
// of testing/synctest, in which it must be made.
//
//	srv, err := siotest.NewServer(nil)
//	srv.OnConnect(func(s *sioserver.Socket) { … })
//	var opts sioclient.Options
//	opts.Engine.DialContext = srv.DialContext
//	socket, err := sioclient.Dial(ctx, srv.URL(), &opts)
//	srv.CutAll() // the client has to connect again
type Server struct {
	*sioserver.Server

	listener net.Listener
	memory   *wstest.Memory // nil if it listens elsewhere
	http     *http.Server
	serving  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	refuse   bool
	conns    map[net.Conn]struct{}
	arrived  int
	sessions map[string]bool // by id; true once they were cut
}

// NewServer starts a server on a network in memory. Nil options mean the defaults.
func NewServer(opts *sioserver.Options) (*Server, error) {
	memory := wstest.NewMemory()
	s, err := ServeOn(memory, opts)
	if err != nil {
		return nil, err
	}
	s.memory = memory
	return s, nil
}

// ServeOn starts a server on a listener, which Close closes.
func ServeOn(listener net.Listener, opts *sioserver.Options) (*Server, error) {
	s := &Server{conns: make(map[net.Conn]struct{}), sessions: make(map[string]bool)}
	var o sioserver.Options
	if opts != nil {
		o = *opts
	}
	o.Engine.GenerateID = s.watchIDs(o.Engine.GenerateID)
	var err error
	if s.Server, err = sioserver.New(&o); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.listener = &watchedListener{Listener: listener, server: s}
	s.http = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	// It ends when the server is closed.
	s.serving.Go(func() { _ = s.http.Serve(s.listener) })
	return s, nil
}

// URL returns the URL of the server, without the path of Socket.IO.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// DialContext connects to the server, whatever the address.
func (s *Server) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: s.listener.Addr(), Err: syscall.ECONNREFUSED}
	}
	if s.memory != nil {
		return s.memory.DialContext(ctx, network, addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.listener.Addr().String())
}

// Refuse says whether DialContext fails, as if nobody listened.
func (s *Server) Refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = on
}

// ServeHTTP answers the requests of clients.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	cut := s.sessions[r.URL.Query().Get("sid")]
	s.mu.Unlock()
	if cut {
		panic(http.ErrAbortHandler) // ends the connection
	}
	s.Server.ServeHTTP(w, r)
}

// watchIDs returns a function that makes session ids, with another one or by itself, and remembers them.
func (s *Server) watchIDs(generate func(*http.Request) (string, error)) func(*http.Request) (string, error) {
	if generate == nil {
		generate = func(*http.Request) (string, error) { return token.New(15), nil }
	}
	return func(r *http.Request) (string, error) {
		id, err := generate(r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions[id] = false
		return id, err
	}
}

// CutAll resets the network connections of all clients, and all those by which one that polls would go on with its
// session: it may have none at the moment.
func (s *Server) CutAll() {
	s.mu.Lock()
	for id := range s.sessions {
		s.sessions[id] = true
	}
	conns := make([]net.Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
			_ = l.SetLinger(0) // without it, it is a close
		}
		_ = c.Close()
	}
}

// Accepted returns how many network connections were accepted so far.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived
}

// Close ends the server with all of its connections. It returns when nothing of it runs any more.
func (s *Server) Close() error {
	err := errors.Join(s.Server.Close(), s.http.Close())
	s.serving.Wait()
	return err
}

// watchedListener tells the server of the connections.
type watchedListener struct {
	net.Listener
	server *Server
}

func (l *watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := &watchedConn{Conn: c, server: l.server}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.server.arrived++
	l.server.conns[w] = struct{}{}
	return w, nil
}

type watchedConn struct {
	net.Conn
	server *Server
}

// SetLinger is that of the connection, if it has one.
func (c *watchedConn) SetLinger(sec int) error {
	if l, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

func (c *watchedConn) Close() error {
	c.server.mu.Lock()
	delete(c.server.conns, c)
	c.server.mu.Unlock()
	return c.Conn.Close()
}
