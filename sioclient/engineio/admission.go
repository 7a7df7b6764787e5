package engineio

import (
	"net/http"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// reserve makes room for a session with this id, or says why there is none.
func (s *Server) reserve(id, address string) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, taken := s.sessions[id]
	switch {
	case s.ending:
		return closedRefusal()
	case taken:
		return refuse(sioerr.CodeBadRequest, contextIDGenerationFail)
	case s.opts.MaxSessions > 0 && s.admitted >= s.opts.MaxSessions:
		return tooMany(http.StatusServiceUnavailable)
	case s.addresses != nil && s.addresses[address] >= s.opts.MaxSessionsPerAddress:
		return tooMany(http.StatusTooManyRequests)
	}
	s.sessions[id] = nil
	s.admitted++
	if s.addresses != nil {
		s.addresses[address]++
	}
	return nil
}

func tooMany(status int) *refusal {
	f := refuse(sioerr.CodeForbidden, contextTooManySessions)
	f.status, f.message = status, "Too many sessions"
	return f
}

func closedRefusal() *refusal {
	f := refuse(sioerr.CodeForbidden, contextServerClosed)
	f.status, f.message = http.StatusServiceUnavailable, "Server is closing"
	return f
}

// register makes a session known under its reserved id. It reports whether the server has begun to close meanwhile.
func (s *Server) register(session *Session) (ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[session.id] = session
	return s.ending
}

// lookup returns a session by its id, nil if there is none.
func (s *Server) lookup(id string) *Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sessions[id]
}

// forget makes the id of a session unknown, or gives up one that was reserved.
func (s *Server) forget(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session.id)
}

// leave gives back the room of a session, once nothing of it is left.
func (s *Server) leave(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted--
	if s.addresses != nil {
		if s.addresses[address]--; s.addresses[address] == 0 {
			delete(s.addresses, address)
		}
	}
	s.signalEmpty()
}

// signalEmpty tells Shutdown that there are no sessions and will be none. It runs with mu held.
func (s *Server) signalEmpty() {
	if !s.ending || s.admitted > 0 {
		return
	}
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}
