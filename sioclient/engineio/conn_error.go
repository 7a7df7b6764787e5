package engineio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

var (
	errNoHeartbeat    = errors.New("no heartbeat in time")
	errClosedByServer = errors.New("closed by the server")
	errNoOpenPacket   = errors.New("the first packet is not an open packet")
	errSpeaksV3       = errors.New("the server speaks Engine.IO 3")
	errNoProbeAnswer  = errors.New("the probe was not answered")

	errAboveMaxPayload = errors.New("message above the server's limit")
)

// closeTooBig is the WebSocket close code for a message above the limit (RFC 6455, section 7.4.1).
const closeTooBig = 1009

// engineError makes the error of a transport from its cause, in whose text the session id is hidden.
func (t *target) engineError(class *errkit.Class, op, transport, sid string, cause error) *sioerr.EngineError {
	cause = errkit.CleanCause(cause)
	return &sioerr.EngineError{
		Info: errkit.Info{
			Class: class, Op: op, Target: t.shown, Kind: errkit.TransportKind(cause), Err: redact.Error(cause, sid),
		},
		Transport: transport, Code: sioerr.CodeNone,
	}
}

// refused makes the error of an answer with another status than the one hoped for.
func (t *target) refused(op, transport, sid string, status int, body []byte) *sioerr.EngineError {
	e := &sioerr.EngineError{
		Info:      errkit.Info{Class: sioerr.ErrEngine, Op: op, Target: t.shown, Kind: errkit.HTTPKind(status)},
		Transport: transport, Status: status,
	}
	e.Code, e.Message = parseRefusal(body, sid)
	switch {
	case status == http.StatusRequestEntityTooLarge:
		e.Class = sioerr.ErrTooLarge
	case e.Code == sioerr.CodeUnsupportedVersion:
		e.Class = sioerr.ErrEngineVersion
	case e.Code == sioerr.CodeUnknownSession && sid != "": // the server was started anew, or is another one
		e.Err = &sioerr.SessionError{Info: errkit.Info{Class: sioerr.ErrSession, Op: op, Kind: errkit.NotFound}, SID: sid}
	}
	return e
}

// parseRefusal reads the body of a refusal: an object with code and message, as the reference sends it, a JSON string,
// as python-engineio does, or plain text. Some servers repeat the session id in it, which must not get about.
func parseRefusal(body []byte, sid string) (code int, message string) {
	var object struct {
		Code    *int            `json:"code"`
		Message json.RawMessage `json:"message"`
	}
	code = sioerr.CodeNone
	text := body
	if json.Unmarshal(body, &object) == nil {
		text = object.Message
		if object.Code != nil {
			code = *object.Code
		}
	}
	var s string
	if json.Unmarshal(text, &s) == nil {
		text = []byte(s)
	}
	return code, redact.Excerpt(bytes.TrimSpace(text), sid)
}

// webSocketError makes the error of a WebSocket connection that was not opened or has ended.
func (t *target) webSocketError(op, sid string, cause error) *sioerr.EngineError {
	if h, ok := errors.AsType[*wsconn.HandshakeError](cause); ok {
		e := t.refused(op, WebSocket, sid, h.StatusCode, h.Body)
		e.RetryAfter = h.RetryAfter
		return e
	}
	class := sioerr.ErrEngine
	closed, ok := errors.AsType[*wsconn.ClosedError](cause)
	if ok && closed.Code == closeTooBig || errors.Is(cause, wsconn.ErrMessageTooBig) {
		class = sioerr.ErrTooLarge
	}
	return t.engineError(class, op, WebSocket, sid, cause)
}

// webSocketReason says why a WebSocket connection ended: closed by the peer, with a close frame or without, or broken.
func webSocketReason(err error) Reason {
	closed, ok := errors.AsType[*wsconn.ClosedError](err)
	if ok && (closed.Code != 1006 || errors.Is(err, io.EOF)) {
		return sioerr.TransportClose
	}
	return sioerr.TransportError
}

// contextError returns the error of an operation that a context ended.
func (t *target) contextError(ctx context.Context, op, transport string) *sioerr.EngineError {
	e := t.engineError(sioerr.ErrEngine, op, transport, "", errkit.FromContext(ctx))
	e.Kind |= errkit.Connection
	return e
}
