package pikvmtest

import (
	"net/http"
	"time"
)

// Restart is a restart of the daemon: sessions are forgotten, event sockets are closed with code 1001, requests under
// way are cut off, the ATX lines are released, and for the time of down the web server answers 502. The host keeps
// running. It returns when the sockets are closed.
func (s *Server) Restart(down time.Duration) {
	s.SetDown(down)
	s.EndSessions()
	s.atx.restart()
	s.cutRequests()
	s.DropSockets(1001)
}

// cutRequests resets the connections that have a request under way.
func (s *Server) cutRequests() {
	s.mu.Lock()
	var busy []*conn
	for c, state := range s.conns {
		if state == http.StateActive {
			busy = append(busy, bareConn(c))
		}
	}
	s.mu.Unlock()
	for _, c := range busy {
		c.reset()
	}
}

// SetDown takes the daemon away for d from now: the web server answers 502 with an HTML page for all that the daemon
// should answer. Event sockets that are open stay open. Zero brings it back at once, negative means until further notice.
func (s *Server) SetDown(d time.Duration) {
	s.downMu.Lock()
	defer s.downMu.Unlock()
	s.down = d < 0
	s.downUntil = time.Now().Add(max(d, 0))
}

func (s *Server) isDown() bool {
	s.downMu.Lock()
	defer s.downMu.Unlock()
	return s.down || time.Now().Before(s.downUntil)
}
