package sioserver

import (
	"context"
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// recover gives the client the socket back that it had before its connection broke, if it asks for that and the socket
// is still waited for.
func (s *Socket) recover(ctx context.Context) bool {
	if s.n.session == nil || s.conn.session.Protocol() == 3 {
		return false
	}
	var claim struct {
		PrivateID any `json:"pid"`
		Offset    any `json:"offset"`
	}
	if json.Unmarshal(s.auth, &claim) != nil {
		return false // not reached: the decoder takes objects only
	}
	pid, _ := claim.PrivateID.(string)
	offset, said := claim.Offset.(string)
	if pid == "" || offset == "" && (said || s.n.server.opts.Recovery.RequireOffset) {
		return false
	}
	s.n.supersede(pid)
	var lost *Session
	restored := s.n.session.Restore(ctx, pid, offset, func(session *Session, missed []*Packet) bool {
		if !s.n.server.fits(missed) {
			return false
		}
		s.restore(session)
		if !s.admit(missed) {
			lost = session
		}
		return true
	})
	if lost != nil { // this connection broke too; it may come back once more
		s.n.session.Persist(lost)
	}
	return restored
}

// supersede ends the socket of a client that has come back over a new connection before the server noticed that the old
// one was dead. Only that client knows the private id.
func (n *Namespace) supersede(pid string) {
	old := n.withPrivateID(pid)
	if old == nil {
		return
	}
	old.detach(sioerr.TransportClose, nil)
	old.conn.session.CloseWith(sioerr.TransportClose, nil)
}

// restore makes the socket the one that the session is of.
func (s *Socket) restore(session *Session) {
	s.mu.Lock()
	s.id, s.pid = session.ID, session.PrivateID
	s.data, s.start, s.last = session.Data, session.Start, session.Last
	s.recovered = true
	s.mu.Unlock()
	s.Join(session.Rooms...)
}

// fits reports whether missed packets can be queued for a client at once.
func (s *Server) fits(missed []*Packet) bool {
	messages, bytes := 0, 0
	for _, p := range missed {
		enc, _ := p.encoded() // it was encoded before
		messages += 1 + len(enc.Binary)
		bytes += enc.Size()
	}
	limits := s.opts.Engine.Queue
	return messages <= limits.Messages/2 && bytes <= limits.Bytes/2
}

// persist keeps what the client needs to come back, unless it was sent away or went by itself.
func (s *Socket) persist(reason sioerr.Reason) {
	if s.pid == "" {
		return
	}
	switch reason {
	case sioerr.TransportError, sioerr.TransportClose, sioerr.ForcedClose, sioerr.PingTimeout,
		sioerr.ServerShuttingDown, sioerr.ForcedServerClose:
	default:
		return
	}
	s.mu.Lock()
	session := &Session{
		ID: s.id, PrivateID: s.pid, Rooms: s.roomNames(), Data: s.data, Start: s.start,
		Last: s.last, Missed: s.lost, End: s.end,
	}
	s.mu.Unlock()
	s.n.session.Persist(session)
}
