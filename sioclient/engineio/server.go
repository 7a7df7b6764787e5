package engineio

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Server is the server end of Engine.IO: an [http.Handler] that turns requests into sessions. Its methods may be called
// from any goroutine.
//
// A WebSocket session has one goroutine, which reads; a polling session has none but those of its requests. The HTTP
// server's own limits for whole requests (http.Server.ReadTimeout and WriteTimeout) do not disturb long polls.
type Server struct {
	opts     *ServerOptions
	upgrades bool // whether sessions are told that they can go over to WebSocket
	stats    counters
	answers  answers

	mu        sync.RWMutex
	sessions  map[string]*Session
	addresses map[string]int // sessions by address; nil without a bound
	admitted  int            // sessions, with those that are just being made
	ending    bool           // whether new sessions are refused
	closed    bool           // whether every request is
	empty     chan struct{}  // closed when the last session has ended and no new one can begin
	work      sync.WaitGroup // requests, readers and writers, and what ends a session
}

type counters struct {
	sessions, upgrades, refused atomic.Int64
}

// ServerStats are the counters of a server.
type ServerStats struct {
	Sessions int   // those there are
	Begun    int64 // sessions ever
	Upgraded int64 // sessions that went over from polling to WebSocket
	Refused  int64 // requests refused
}

// NewServer makes a server. Nil options mean defaults. The error is a *sioclient.InvalidError.
func NewServer(opts *ServerOptions) (*Server, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, sessions: map[string]*Session{}, empty: make(chan struct{}),
		upgrades: !o.DisableUpgrade && slices.Contains(o.Transports, WebSocket),
		answers:  answers{open: map[*http.ResponseController]struct{}{}},
	}
	if o.MaxSessionsPerAddress > 0 {
		s.addresses = map[string]int{}
	}
	return s, nil
}

// Sessions returns how many sessions there are.
func (s *Server) Sessions() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sessions)
}

// Stats returns the counters as they are now.
func (s *Server) Stats() ServerStats {
	return ServerStats{
		Sessions: s.Sessions(), Begun: s.stats.sessions.Load(),
		Upgraded: s.stats.upgrades.Load(), Refused: s.stats.refused.Load(),
	}
}

// Shutdown refuses new sessions and closes those there are, after what waits for them was sent. It returns nil when all
// have ended; when ctx is done first, it closes them at once, as [Server.Close] does, and returns the error of ctx. Clients
// that are still taking their last answer then are cut off.
//
// Neither may be called by a handler: they wait for it to return.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, session := range s.end() {
		session.Close(false)
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
		return errors.Join(sioerr.Bare(sioerr.Err, "engine.Shutdown", errkit.FromContext(ctx)), s.Close())
	}
	stop := context.AfterFunc(ctx, s.answers.hurry)
	defer stop()
	s.refuseAll()
	s.work.Wait()
	return nil
}

// Close ends all sessions at once, without what waits for them, and returns when nothing of the server runs any more.
// Requests are refused from then on. It returns nil, also when called again.
func (s *Server) Close() error {
	list := s.end()
	s.refuseAll()
	for _, session := range list {
		session.Close(true)
	}
	s.answers.hurry()
	<-s.empty
	s.work.Wait()
	return nil
}

// refuseAll refuses all requests from now on.
func (s *Server) refuseAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// end lets no new sessions in and returns those there are.
func (s *Server) end() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	list := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		if session != nil { // nil for one that is just being made
			list = append(list, session)
		}
	}
	s.signalEmpty()
	return list
}

// begin takes a request in, unless the server is closed.
func (s *Server) begin() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}
