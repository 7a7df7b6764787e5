package engineio

import (
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

const (
	// fetchTimeout is how long a client may take to fetch the rest of a session that is being closed.
	fetchTimeout = 30 * time.Second

	// latePollTime is how long a poll is held that arrives while a change of the transport is under way: an honest client
	// waits for its end before it goes over, and of another one the last packet on the new transport may be on its way.
	latePollTime = 100 * time.Millisecond
)

// requests is what a session has as long as its transport is polling. The session's mu guards it.
type requests struct {
	get       *poll // the one that waits
	post      *post // the one whose body is being read
	busy      bool  // whether a goroutine calls the handler; the session does not finish before that is over
	idle      chan struct{}
	upgrading bool
	probed    bool                  // whether the client was told that the new transport works
	candidate *wsconn.Conn          // the new transport
	fetch     *alarm.Alarm[Session] // bounds the closing
}

// poll is a GET request that waits for packets.
type poll struct {
	answer chan answer // gets one
	late   bool        // whether it arrived when a change of the transport was under way
	hold   *time.Timer // ends it then
}

// answer is what a poll is answered with. The zero answer is a refusal: the transport is not polling any more.
type answer struct {
	batch []Message // belongs to the queue of the session
	last  Message   // a control packet behind the batch, if any
}

// openPolling begins a session and answers its first request with the open packet.
func (s *Server) openPolling(q *request, session *Session) {
	session.requests = &requests{busy: true}
	if s.opts.Cookie != nil {
		http.SetCookie(q.ResponseWriter, s.opts.Cookie.cookie(session.id))
	}
	s.prepare(session)
	// What the owner sends at once comes with the first poll: clients take the first answer for the open packet alone.
	session.mu.Lock() // the heartbeat runs already
	batch := session.queue.take(-1)
	session.mu.Unlock()
	func() {
		defer session.endDelivery() // the HTTP server survives a panic of the owner's; so does the session
		s.begun(session)
	}()
	session.respond(q, answer{batch: batch})
}

// serveGet serves a poll: at once if something waits, else as soon as something does.
func (s *Session) serveGet(q *request) *refusal {
	p := &poll{answer: make(chan answer, 1)}
	if f := s.beginGet(q, p); f != nil {
		return f
	}
	a, ok := s.await(q, p)
	switch {
	case !ok:
		return nil
	case a.batch == nil && a.last.isZero():
		return refuse(sioerr.CodeBadRequest, contextTransportMismatch)
	}
	s.server.setHeaders(q, false)
	s.respond(q, a)
	return nil
}

// beginGet makes p the poll that waits.
func (s *Session) beginGet(q *request, p *poll) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state.Load() == stateClosed:
		return refuse(sioerr.CodeUnknownSession, contextUnknownSession)
	case s.requests == nil:
		return refuse(sioerr.CodeBadRequest, contextTransportMismatch)
	case s.requests.get != nil:
		s.stop(sioerr.TransportError, transportError(Polling, "overlap from client", nil))
		return &refusal{status: http.StatusBadRequest, bare: true}
	}
	// A limit of the HTTP server for whole requests would take the waiting client for a slow one.
	_ = http.NewResponseController(q.ResponseWriter).SetReadDeadline(time.Time{}) // servers that have none need none
	s.requests.get = p
	p.late = s.requests.upgrading
	if s.requests.probed {
		s.hold(p)
	}
	if s.state.Load() == stateClosing {
		s.closePolling()
	} else {
		s.flush()
	}
	return nil
}

// await returns what the poll is to be answered with. It reports false if the client went away before there was
// anything.
func (s *Session) await(q *request, p *poll) (answer, bool) {
	select {
	case a := <-p.answer:
		return a, true
	case <-q.Context().Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests != nil && s.requests.get == p {
		s.stop(sioerr.TransportError, transportError(Polling, "poll connection closed prematurely", nil))
		return answer{}, false
	}
	return <-p.answer, true // what was taken out of the queue must not get lost without a word
}

// hold ends a late poll soon, if nothing else does. It runs with mu held.
func (s *Session) hold(p *poll) {
	p.hold = time.AfterFunc(latePollTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answer(p, answer{last: noopPacket})
	})
}

// answer ends a poll, unless it has ended. It runs with mu held.
func (s *Session) answer(p *poll, a answer) {
	if p == nil || s.requests == nil || s.requests.get != p {
		return
	}
	s.requests.get = nil
	if p.hold != nil {
		p.hold.Stop()
	}
	p.answer <- a
}

// answerWaiting gives all that waits to the poll, if there is one. It runs with mu held.
func (r *requests) answerWaiting(s *Session) {
	if r.get != nil {
		s.answer(r.get, answer{batch: s.queue.take(-1)})
	}
}

// closePolling ends a session that is closing, by the answer to its next poll. It runs with mu held.
func (s *Session) closePolling() {
	r := s.requests
	if r.get == nil {
		if r.fetch == nil {
			r.fetch = alarm.After(fetchTimeout, s, (*Session).fetchExpired)
		}
		return
	}
	if !r.upgrading {
		s.answer(r.get, answer{batch: s.queue.take(-1), last: closePacket})
		s.stop(sioerr.ForcedClose, nil)
		return
	}
	s.flush() // the rest goes over the new transport
}

func (s *Session) fetchExpired() { s.end(sioerr.ForcedClose, nil) }

// stopRequests ends all that a polling session has under way. It runs with mu held.
func (s *Session) stopRequests(reason Reason) {
	r := s.requests
	last := closePacket
	if reason == sioerr.TransportClose {
		last = noopPacket // the client closed it and needs not be told
	}
	s.answer(r.get, answer{last: last})
	if r.post != nil {
		r.post.interrupt()
	}
	if r.candidate != nil {
		s.shut(r.candidate, reason)
	}
	if r.fetch != nil {
		r.fetch.Stop()
	}
	if !r.busy {
		s.server.work.Go(s.finish)
	}
}

// beginDelivery makes the caller the one who calls the handler. It runs with mu held.
func (s *Session) beginDelivery() { s.requests.busy = true }

// endDelivery gives that up, and finishes the session if it was closed meanwhile.
func (s *Session) endDelivery() {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	r.busy = false
	if r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
	if s.state.Load() == stateClosed {
		s.server.work.Go(s.finish)
	}
}

// respond writes the answer to a poll. A client that does not take it in time loses the session, as the heartbeat would
// decide.
func (s *Session) respond(q *request, a answer) {
	if q.Context().Err() != nil {
		s.end(sioerr.TransportError, transportError(Polling, "poll connection closed prematurely", nil))
		return
	}
	body, binary := s.payload(a)
	h := q.ResponseWriter.Header()
	h.Set("Cache-Control", "no-store")
	if binary {
		h.Set("Content-Type", "application/octet-stream")
	} else {
		h.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	protectXSS(q)
	compress := false
	for i := range a.batch {
		compress = compress || !a.batch[i].plain
	}
	if compress {
		body = s.server.compress(q, body)
	}
	err := s.server.writeBody(q, http.StatusOK, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.done(a.batch)
	if err != nil {
		s.stop(sioerr.TransportError, transportError(Polling, "", err))
	}
}

// payload makes the body of an answer, and reports whether it is one of the binary payloads of revision 3: those serve
// clients that did not ask for base64.
func (s *Session) payload(a answer) (body []byte, binary bool) {
	size := 0
	for i := range a.batch {
		m := &a.batch[i]
		size += len(m.data)*4/3 + 8
		binary = binary || m.binary && s.framing.revision == wire.V3 && !s.framing.base64
	}
	add := s.framing.revision.AppendPayload
	if binary {
		add = wire.AppendBinaryPayload
	}
	body = make([]byte, 0, size+8)
	for i := range a.batch {
		body = add(body, a.batch[i].packet())
	}
	if !a.last.isZero() {
		body = add(body, a.last.packet())
	}
	return body, binary
}
