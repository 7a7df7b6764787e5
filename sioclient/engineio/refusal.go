package engineio

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Contexts of refusals. The names are those of the original where it has one.
const (
	contextUnknownTransport       = "UNKNOWN_TRANSPORT"
	contextUnknownSession         = "UNKNOWN_SID"
	contextBadMethod              = "BAD_HANDSHAKE_METHOD"
	contextInvalidOrigin          = "INVALID_ORIGIN"
	contextForbiddenOrigin        = "FORBIDDEN_ORIGIN"
	contextTransportMismatch      = "TRANSPORT_MISMATCH"
	contextProtocolMismatch       = "PROTOCOL_MISMATCH"
	contextTransportHandshakeFail = "TRANSPORT_HANDSHAKE_ERROR"
	contextIDGenerationFail       = "ID_GENERATION_ERROR"
	contextMiddlewareFail         = "MIDDLEWARE_FAILURE"
	contextRequestForbidden       = "FORBIDDEN"
	contextUnsupportedProtocol    = "UNSUPPORTED_PROTOCOL_VERSION"
	contextUnsupportedJSONP       = "UNSUPPORTED_JSONP"
	contextTooManySessions        = "TOO_MANY_SESSIONS"
	contextServerClosed           = "SERVER_CLOSED"
	contextInvalidBody            = "INVALID_BODY"
)

// RefusedRequest describes a request that was refused.
type RefusedRequest struct {
	Request *http.Request
	Status  int    // of the answer
	Code    int    // number of the protocol, 0 to 5
	Message string // text for the client
	Context string // the reason in a word, such as UNKNOWN_SID
	Err     error  // what a hook of the options returned; nil if none was asked
}

// refusal is why a request is not served.
type refusal struct {
	status  int
	code    int
	message string
	context string
	err     error
	bare    bool // an answer without a body, of which nobody is told: the handler of the session is
}

// messages are the texts of the protocol by code.
var messages = [...]string{
	sioerr.CodeUnknownTransport:   "Transport unknown",
	sioerr.CodeUnknownSession:     "Session ID unknown",
	sioerr.CodeBadMethod:          "Bad handshake method",
	sioerr.CodeBadRequest:         "Bad request",
	sioerr.CodeForbidden:          "Forbidden",
	sioerr.CodeUnsupportedVersion: "Unsupported protocol version",
}

// refuse makes a refusal with status and text of its code.
func refuse(code int, context string) *refusal {
	status := http.StatusBadRequest
	if code == sioerr.CodeForbidden {
		status = http.StatusForbidden
	}
	return &refusal{status: status, code: code, message: messages[code], context: context}
}

// refuse answers a request that is not served, and tells the owner.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	if f.bare {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(f.status)
		return
	}
	writeError(w, f.status, f.code, f.message)
	s.refused(r, f)
}

// refused tells the owner of a request that was refused.
func (s *Server) refused(r *http.Request, f *refusal) {
	s.stats.refused.Add(1)
	s.opts.Logger.Debug("request refused", "module", "sioclient", "target", r.RemoteAddr,
		"status", f.status, "code", f.code, "reason", f.context)
	if s.opts.OnConnectionError != nil {
		s.opts.OnConnectionError(&RefusedRequest{
			Request: r, Status: f.status, Code: f.code, Message: f.message, Context: f.context, Err: f.err,
		})
	}
}

// writeError writes the JSON that clients of the protocol understand.
func writeError(w http.ResponseWriter, status, code int, message string) {
	body, _ := json.Marshal(struct { // a number and a string are always encoded
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, message})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone does not want it
}
