package engineio

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/token"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// ServeHTTP serves the requests of the protocol below [ServerOptions.Path], and answers 404 elsewhere.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path := r.URL.Path; !strings.HasPrefix(path, s.opts.Path) && path != strings.TrimSuffix(s.opts.Path, "/") {
		http.NotFound(w, r)
		return
	}
	if !s.begin() {
		s.refuse(w, r, closedRefusal())
		return
	}
	defer s.work.Done()
	if s.opts.CORS.setHeaders(w, r) {
		return
	}
	for _, m := range s.opts.Middleware {
		if err := m(w, r); err != nil {
			f := refuse(sioerr.CodeBadRequest, contextMiddlewareFail)
			f.err = err
			s.refuse(w, r, f)
			return
		}
	}
	q := request{ResponseWriter: w, Request: r, query: r.URL.Query(), upgrade: isUpgrade(r)}
	if f := s.serve(&q); f != nil {
		s.refuse(w, r, f)
	}
}

// request is one request with what the protocol wants to know of it.
type request struct {
	http.ResponseWriter
	*http.Request
	query   url.Values
	upgrade bool // whether it asks for a WebSocket
}

// isUpgrade reports whether a request asks for a WebSocket (RFC 6455, section 4.2.1).
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header.Values("Connection"), "upgrade") && hasToken(r.Header.Values("Upgrade"), "websocket")
}

func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// serve verifies a request in the order of the original, and serves it.
func (s *Server) serve(q *request) *refusal {
	transport := q.query.Get("transport")
	switch {
	case !slices.Contains(s.opts.Transports, transport):
		return refuse(sioerr.CodeUnknownTransport, contextUnknownTransport)
	case !validOrigin(q.Request):
		return refuse(sioerr.CodeBadRequest, contextInvalidOrigin)
	case q.query.Has("j"):
		f := refuse(sioerr.CodeBadRequest, contextUnsupportedJSONP)
		f.message = "JSONP is not supported"
		return f
	case q.query.Has("sid"):
		return s.serveSession(q, transport)
	}
	return s.serveHandshake(q, transport)
}

// serveSession serves a request that belongs to a session.
func (s *Server) serveSession(q *request, transport string) *refusal {
	session := s.lookup(q.query.Get("sid"))
	if session == nil {
		return refuse(sioerr.CodeUnknownSession, contextUnknownSession)
	}
	if eio := q.query.Get("EIO"); q.query.Has("EIO") && eio != session.eio() {
		return refuse(sioerr.CodeBadRequest, contextProtocolMismatch)
	}
	switch {
	case q.upgrade && transport == WebSocket:
		if !s.opts.checkOrigin(q.Request) {
			return refuse(sioerr.CodeForbidden, contextForbiddenOrigin)
		}
		return session.serveUpgrade(q)
	case transport != Polling || q.upgrade:
		return refuse(sioerr.CodeBadRequest, contextTransportMismatch)
	case q.Method == http.MethodGet:
		return session.serveGet(q)
	case q.Method == http.MethodPost:
		return session.servePost(q)
	}
	return refuse(sioerr.CodeBadRequest, contextBadMethod)
}

// eio returns the EIO parameter of the session's requests.
func (s *Session) eio() string {
	if s.framing.revision == wire.V3 {
		return "3"
	}
	return "4"
}

// serveHandshake begins a session. Everything is verified before an upgrade request is accepted.
func (s *Server) serveHandshake(q *request, transport string) *refusal {
	switch {
	case q.Method != http.MethodGet:
		return refuse(sioerr.CodeBadMethod, contextBadMethod)
	case q.upgrade != (transport == WebSocket):
		return refuse(sioerr.CodeBadRequest, contextTransportHandshakeFail)
	case transport == WebSocket && !s.opts.checkOrigin(q.Request):
		return refuse(sioerr.CodeForbidden, contextForbiddenOrigin)
	}
	if s.opts.AllowRequest != nil {
		if err := s.opts.AllowRequest(q.Request); err != nil {
			return forbidden(err)
		}
	}
	session := &Session{
		server: s, address: s.address(q.Request), handshake: newHandshake(q.Request), handler: discard{},
		framing: framing{revision: wire.V4, base64: q.query.Get("b64") != ""},
	}
	session.queue.limits = &s.opts.Queue
	switch eio := q.query.Get("EIO"); {
	case eio == "4":
	case eio == "3" && s.opts.AllowEIO3:
		session.framing.revision = wire.V3
	default:
		return refuse(sioerr.CodeUnsupportedVersion, contextUnsupportedProtocol)
	}
	var err error
	if session.id, err = s.newID(q.Request); err != nil {
		f := refuse(sioerr.CodeBadRequest, contextIDGenerationFail)
		f.err = err
		return f
	}
	if f := s.reserve(session.id, session.address); f != nil {
		return f
	}
	conn, ok := s.connect(q, session, transport)
	switch {
	case !ok:
	case conn != nil:
		s.openWebSocket(session, conn)
	default:
		s.openPolling(q, session)
	}
	return nil
}

// connect makes the connection of a session whose id is reserved: for polling none, the request is enough. If that
// fails, the request has been answered.
func (s *Server) connect(q *request, session *Session, transport string) (conn *wsconn.Conn, ok bool) {
	defer func() {
		if !ok {
			s.forget(session)
			s.leave(session.address)
		}
	}()
	s.setHeaders(q, true)
	if transport == Polling {
		return nil, true
	}
	conn, err := s.accept(q.ResponseWriter, q.Request, true)
	if err != nil {
		s.refused(q.Request, handshakeFailed(err))
		return nil, false
	}
	return conn, true
}

// address returns where a request comes from, if that matters.
func (s *Server) address(r *http.Request) string {
	if s.addresses == nil {
		return ""
	}
	return s.opts.Address(r)
}

func (s *Server) newID(r *http.Request) (string, error) {
	if s.opts.GenerateID == nil {
		return token.New(15), nil
	}
	id, err := s.opts.GenerateID(r)
	if err == nil && id == "" {
		err = sioerr.Invalid("engine.GenerateID", "id", "empty")
	}
	return id, err
}

// forbidden refuses a session in the words of the program, if it chose some for the client.
func forbidden(err error) *refusal {
	f := refuse(sioerr.CodeForbidden, contextRequestForbidden)
	f.err = err
	if refused, ok := errors.AsType[*sioerr.ConnectionRefusedError](err); ok && refused.Message != "" {
		f.message = refused.Message
	}
	return f
}

// setHeaders lets the owner add headers to an answer.
func (s *Server) setHeaders(q *request, initial bool) {
	if initial && s.opts.InitialHeaders != nil {
		s.opts.InitialHeaders(q.ResponseWriter.Header(), q.Request)
	}
	if s.opts.Headers != nil {
		s.opts.Headers(q.ResponseWriter.Header(), q.Request)
	}
}

// prepare queues the first packets of a session and lets its time run. Nobody else knows it yet.
func (s *Server) prepare(session *Session) {
	session.queue.force(session.openPacket())
	if !s.opts.InitialPacket.isZero() {
		session.queue.force(s.opts.InitialPacket)
	}
	session.startHeartbeat()
}

// begun makes a session known by its id, and to its owner.
func (s *Server) begun(session *Session) {
	s.stats.sessions.Add(1)
	s.opts.Logger.Debug("session began", "module", "sioclient", "target", session.handshake.RemoteAddr,
		"transport", session.Transport(), "protocol", session.Protocol())
	ending := s.register(session)
	if session.state.Load() == stateClosed {
		s.forget(session) // its time was over before it was known
	}
	if s.opts.OnSession != nil {
		if h := s.opts.OnSession(session); h != nil {
			session.handler = h
		}
	}
	if ending {
		session.Close(true)
	}
}
