package engineio

import (
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Packets of a change of the transport.
const (
	probePing = "2probe"
	probePong = "3probe"
	upgraded  = "5"
)

// serveUpgrade serves the WebSocket to which a polling session shall go over.
func (s *Session) serveUpgrade(q *request) *refusal {
	if s.server.opts.DisableUpgrade {
		return refuse(sioerr.CodeBadRequest, contextTransportMismatch)
	}
	s.server.setHeaders(q, false)
	first := s.beginUpgrade()
	conn, err := s.server.accept(q.ResponseWriter, q.Request, false)
	if err != nil {
		s.server.refused(q.Request, handshakeFailed(err))
		if first {
			s.abandon()
		}
		return nil
	}
	if !first || !s.adopt(conn) {
		// The session has its WebSocket, or is about to: this one cannot take its place.
		_ = conn.Close(codeNormal, "") // an end without an answer is an end as well
		return nil
	}
	s.server.work.Go(func() {
		if s.probe(conn) {
			s.read(conn)
			return
		}
		s.abandon()
		_ = conn.Close(codeNormal, "")
	})
	return nil
}

// beginUpgrade reports whether the session may begin to go over to another transport.
func (s *Session) beginUpgrade() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == stateClosed || s.requests == nil || s.requests.upgrading {
		return false
	}
	s.requests.upgrading = true
	return true
}

// adopt makes conn what is closed together with the session.
func (s *Session) adopt(conn *wsconn.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == stateClosed {
		return false
	}
	s.requests.candidate = conn
	return true
}

// abandon leaves the session with polling.
func (s *Session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	r.upgrading, r.probed, r.candidate = false, false, nil
	if s.state.Load() == stateClosing {
		s.closePolling()
	}
}

// probe goes over to conn, as far as the client plays by the rules: it sends a probe, fetches what polling still has, and
// says so.
func (s *Session) probe(conn *wsconn.Conn) bool {
	// On a connection that has ended, the reads below say so.
	_ = conn.SetReadDeadline(time.Now().Add(s.server.opts.UpgradeTimeout))
	if !expect(conn, probePing) {
		return false
	}
	s.mu.Lock()
	if s.state.Load() != stateClosed {
		s.requests.probed = true
		if p := s.requests.get; p != nil && p.late {
			s.hold(p)
		} else {
			s.answer(p, answer{last: noopPacket})
		}
	}
	s.mu.Unlock()
	if conn.Write(wsconn.Text, []byte(probePong)) != nil || !expect(conn, upgraded) {
		return false
	}
	_ = conn.SetReadDeadline(time.Time{})
	return s.goOver(conn)
}

// expect reads one packet and reports whether it is the right one.
func expect(conn *wsconn.Conn, want string) bool {
	typ, got, err := conn.Read(make([]byte, 0, len(probePing)))
	return err == nil && typ == wsconn.Text && string(got) == want
}

// goOver makes conn the transport of the session.
func (s *Session) goOver(conn *wsconn.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.requests.busy {
		// An honest client has waited for the end of its request.
		if s.requests.idle == nil {
			s.requests.idle = make(chan struct{})
		}
		idle := s.requests.idle
		s.mu.Unlock()
		<-idle
		s.mu.Lock()
	}
	r := s.requests
	if s.state.Load() == stateClosed {
		return false
	}
	s.answer(r.get, answer{}) // it is a late one: those that came before the probe have ended
	if r.fetch != nil {
		r.fetch.Stop()
	}
	s.conn, s.requests, s.upgraded = conn, nil, true
	s.server.stats.upgrades.Add(1)
	if h, ok := s.handler.(UpgradeHandler); ok {
		s.mu.Unlock()
		h.HandleUpgrade()
		s.mu.Lock()
	}
	if s.state.Load() == stateClosing && s.queue.empty() && !s.writing {
		s.stop(sioerr.ForcedClose, nil) // else the writer does
	}
	s.flush()
	return true
}
