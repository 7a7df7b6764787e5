package engineio

import (
	"errors"
	"io"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// Codes of RFC 6455, section 7.4.1.
const (
	codeNormal      = 1000
	codeAbnormal    = 1006
	codeInvalidData = 1007
)

// Close ends the session with the reason sioclient.ForcedClose. Unless discard is set, what waits is sent before; a
// polling client has 30 s to fetch it. Close does not wait for any of that. Calling it again may hurry up the end.
func (s *Session) Close(discard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == stateClosed {
		return
	}
	s.state.CompareAndSwap(stateOpen, stateClosing)
	switch {
	case discard:
		s.stop(sioerr.ForcedClose, nil)
	case s.requests != nil:
		s.closePolling()
	case !s.writing && s.queue.empty():
		s.stop(sioerr.ForcedClose, nil)
	}
	// Otherwise the writer ends the session once nothing is left to write.
}

// CloseWith ends the session at once with a reason and a cause of the caller's, which its handler gets. What waits is not
// sent.
func (s *Session) CloseWith(reason Reason, err error) { s.end(reason, err) }

// end stops the session.
func (s *Session) end(reason Reason, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(reason, err)
}

// stop ends the session unless it has ended: nothing is sent or delivered any more, its id is not known any more, and
// HandleClose follows. It runs with mu held.
func (s *Session) stop(reason Reason, err error) {
	if s.state.Swap(stateClosed) == stateClosed {
		return
	}
	s.reason, s.err = reason, err
	s.beat.stop()
	s.queue.discard()
	if s.done != nil {
		close(s.done)
	}
	s.server.forget(s)
	if s.requests != nil {
		s.stopRequests(reason)
		return
	}
	s.shut(s.conn, reason)
}

// shut closes a WebSocket connection. Its reader notices, and brings the session to its end.
func (s *Session) shut(conn *wsconn.Conn, reason Reason) {
	s.server.work.Go(func() {
		switch reason {
		case sioerr.PingTimeout:
			_ = conn.CloseNow() // a peer that is silent would not answer a close frame
		case sioerr.ParseError:
			_ = conn.Close(codeInvalidData, "")
		default:
			_ = conn.Close(codeNormal, "") // that the peer did not answer is no news
		}
	})
}

// finish tells the handler and gives back what the server counts. It runs once, when nothing is delivered any more.
func (s *Session) finish() {
	defer s.server.leave(s.address)
	s.mu.Lock()
	reason, err := s.reason, s.err
	s.mu.Unlock()
	s.server.opts.Logger.Debug("session ended", "module", "sioclient", "target", s.handshake.RemoteAddr,
		"reason", reason, errkit.Attr(err))
	s.handler.HandleClose(reason, err)
}

// transportError returns the error for trouble of a transport.
func transportError(transport, message string, cause error) error {
	return &sioerr.EngineError{
		Info:      errkit.Info{Class: sioerr.ErrEngine, Op: "engine.session", Kind: errkit.Disconnected, Err: errkit.CleanCause(cause)},
		Transport: transport, Code: sioerr.CodeNone, Message: message,
	}
}

// tooLarge returns the error for a body or a message above the limit.
func tooLarge(transport string, cause error) error {
	return &sioerr.EngineError{
		Info:      errkit.Info{Class: sioerr.ErrTooLarge, Op: "engine.session", Err: cause},
		Transport: transport, Code: sioerr.CodeNone,
	}
}

// readFailed tells why a WebSocket session ended, by the error of its connection.
func readFailed(err error) (Reason, error) {
	if errors.Is(err, wsconn.ErrMessageTooBig) {
		return sioerr.TransportError, tooLarge(WebSocket, err)
	}
	reason := sioerr.TransportError
	closed, ok := errors.AsType[*wsconn.ClosedError](err)
	if ok && (closed.Code != codeAbnormal || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		reason = sioerr.TransportClose
	}
	return reason, transportError(WebSocket, "", err)
}
