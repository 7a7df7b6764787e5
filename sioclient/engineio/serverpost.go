package engineio

import (
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// post is a POST request whose body is being read.
type post struct{ rc *http.ResponseController }

// interrupt ends the reading. It runs with the session's mu held, so the request has not ended.
func (p *post) interrupt() {
	_ = p.rc.SetReadDeadline(time.Now()) // servers without deadlines end the reading by their own rules
}

// lingering is how long the rest of a refused body may take.
const lingering = time.Second

// errBodyTooLarge is the cause of an answer 413.
var errBodyTooLarge = errors.New("body above the limit")

// servePost serves packets of the client.
func (s *Session) servePost(q *request) *refusal {
	binary, f := s.beginPost(q)
	if f != nil {
		return f
	}
	err := s.takeBody(q, binary)
	switch {
	case errors.Is(err, errBodyTooLarge):
		q.ResponseWriter.Header().Set("Connection", "close") // the rest of the body stays unread
		// net/http reads on for a while, so that the client sees the answer. It would wait for one that sends no more.
		_ = http.NewResponseController(q.ResponseWriter).SetReadDeadline(time.Now().Add(lingering))
		return &refusal{status: http.StatusRequestEntityTooLarge, bare: true}
	case err != nil:
		return refuse(sioerr.CodeBadRequest, contextInvalidBody)
	}
	s.server.setHeaders(q, false)
	q.ResponseWriter.Header().Set("Content-Type", "text/html") // as the original does
	protectXSS(q)
	_ = s.server.writeBody(q, http.StatusOK, []byte("ok")) // the packets are delivered whether the client knows or not
	return nil
}

// beginPost makes the request the one that delivers packets, and tells whether its body is a binary payload.
func (s *Session) beginPost(q *request) (binary bool, f *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state.Load() == stateClosed:
		return false, refuse(sioerr.CodeUnknownSession, contextUnknownSession)
	case s.requests == nil:
		return false, refuse(sioerr.CodeBadRequest, contextTransportMismatch)
	case s.requests.busy:
		s.stop(sioerr.TransportError, transportError(Polling, "data request overlap from client", nil))
		return false, &refusal{status: http.StatusBadRequest, bare: true}
	}
	kind, _, _ := mime.ParseMediaType(q.Request.Header.Get("Content-Type")) // what cannot be read is text
	binary = kind == "application/octet-stream"
	if binary && s.framing.revision == wire.V4 {
		s.stop(sioerr.TransportError, transportError(Polling, "invalid content", nil))
		return false, refuse(sioerr.CodeBadRequest, contextInvalidBody)
	}
	s.beginDelivery()
	s.requests.post = &post{http.NewResponseController(q.ResponseWriter)}
	return binary, nil
}

// takeBody reads the body and delivers what is in it. Its errors have stopped the session.
func (s *Session) takeBody(q *request, binary bool) error {
	defer s.endDelivery()
	body, err := s.readBody(q)
	if err != nil {
		return err
	}
	return s.deliver(body, binary)
}

// readBody reads what the limit allows, whatever length was announced.
func (s *Session) readBody(q *request) ([]byte, error) {
	limit := s.server.opts.MaxPayload
	body, err := io.ReadAll(io.LimitReader(q.Body, limit+1))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.post = nil
	switch {
	case int64(len(body)) > limit:
		s.stop(sioerr.TransportError, tooLarge(Polling, errBodyTooLarge))
		return nil, errBodyTooLarge
	case err != nil:
		s.stop(sioerr.TransportError, transportError(Polling, "data request connection closed prematurely", err))
		return nil, err
	}
	return body, nil
}

// deliver does what the packets of a body say, those before a bad one too.
func (s *Session) deliver(body []byte, binary bool) error {
	packets := s.framing.revision.Payload(body)
	if binary {
		packets = wire.BinaryPayload(body)
	}
	for p, err := range limited(packets, s.server.opts.MaxPacketsPerPayload) {
		if s.state.Load() == stateClosed {
			return nil // whoever closed it had a reason; the request is a good one
		}
		if err != nil {
			s.end(sioerr.ParseError, err)
			return err
		}
		s.receive(p)
	}
	return nil
}

// limited yields at most limit packets, if that is not 0, and an error for a further one.
func limited(packets iter.Seq2[wire.Packet, error], limit int) iter.Seq2[wire.Packet, error] {
	if limit == 0 {
		return packets
	}
	return func(yield func(wire.Packet, error) bool) {
		n := 0
		for p, err := range packets {
			if n++; n > limit {
				p, err = wire.Packet{}, sioerr.Packet("engine.deliver", "too many packets in payload", nil)
			}
			if !yield(p, err) || n > limit {
				return
			}
		}
	}
}
