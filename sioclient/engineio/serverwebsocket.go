package engineio

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// keptBuffer is the size up to which the buffer of a reader is kept between messages.
const keptBuffer = 4 << 10

// accept takes over the connection of an upgrade request. With late, the answer goes out with the first packet. After an
// error the request has been answered.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, late bool) (*wsconn.Conn, error) {
	return wsconn.Accept(w, r, &wsconn.AcceptOptions{
		Options: wsconn.Options{
			ReadLimit: s.opts.MaxPayload,
			// The heartbeat decides when a slow peer is a dead one.
			WriteTimeout:         s.opts.PingInterval + s.opts.PingTimeout,
			Compression:          s.opts.Compression,
			CompressionThreshold: s.opts.CompressionThreshold,
			SkipUTF8:             true, // checked once per message here, not once per recipient
			Logger:               s.opts.Logger,
		},
		AllowAnyOrigin: true, // the origin was checked before
		LateAnswer:     late,
	})
}

// read is the goroutine of a WebSocket session. It ends when the connection does, and the session with it.
func (s *Session) read(conn *wsconn.Conn) {
	defer func() { _ = conn.Close(codeNormal, "") }() // waits until nothing is left of it
	defer s.finish()
	var buf []byte
	for {
		typ, msg, err := conn.Read(buf)
		if err != nil {
			s.end(readFailed(err))
			return
		}
		if typ == wsconn.Binary {
			// It belongs to the handler from now on. A small one in a large buffer would waste that.
			if len(msg) < cap(msg)/2 {
				msg, buf = append([]byte(nil), msg...), msg
			} else {
				buf = nil
			}
		} else if buf = msg; !utf8.Valid(msg) {
			s.end(sioerr.ParseError, sioerr.Packet("engine.read", "text is not UTF-8", nil))
			continue
		}
		if s.state.Load() == stateClosed {
			continue
		}
		p, err := s.framing.read(typ, msg)
		if err != nil {
			s.end(sioerr.ParseError, err)
			continue
		}
		s.receive(p)
		if cap(buf) > keptBuffer {
			buf = nil
		}
	}
}

// write sends what waits until nothing does. It runs while writing is set, in one goroutine at a time.
func (s *Session) write() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.state.Load() != stateClosed {
		if s.queue.empty() {
			s.writing = false
			if s.state.Load() == stateClosing {
				s.stop(sioerr.ForcedClose, nil)
			}
			return
		}
		batch, conn := s.queue.take(-1), s.conn
		s.mu.Unlock()
		err := s.framing.write(conn, batch)
		s.mu.Lock()
		s.queue.done(batch)
		if err != nil {
			s.stop(readFailed(err))
		}
	}
}

// handshakeFailed is the refusal of an upgrade request that was no proper one, or whose connection could not be taken
// over.
func handshakeFailed(err error) *refusal {
	f := refuse(sioerr.CodeBadRequest, contextTransportHandshakeFail)
	f.err = err
	if refused, ok := errors.AsType[*wsconn.HandshakeError](err); ok {
		f.status, f.message = refused.StatusCode, http.StatusText(refused.StatusCode)
	}
	return f
}

// openWebSocket begins a session that is a WebSocket from the first packet on.
func (s *Server) openWebSocket(session *Session, conn *wsconn.Conn) {
	session.conn = conn
	session.writing = true // nothing is sent before the owner knows the session
	s.prepare(session)
	func() {
		defer s.work.Go(func() { session.read(conn) }) // the HTTP server survives a panic of the owner's; so does the session
		s.begun(session)
	}()
	session.write()
}
