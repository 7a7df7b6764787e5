package pikvmtest

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// maxRecorded bounds the request and power logs; the oldest entries go first.
const maxRecorded = 4096

// Request is one HTTP request that the server got, as it came. Header and Body are not redacted: they hold the
// passwords and tokens of whoever sent them.
type Request struct {
	Time   time.Time
	Remote string // address of the client
	Method string
	Path   string // as sent, escaped, without the query
	Query  url.Values
	Header http.Header
	Body   []byte // up to 4 KiB; nil where the device streams it
	Status int    // of the answer; 0 while there is none, and when the connection broke instead
}

// recorder keeps the last requests.
type recorder struct {
	mu       sync.Mutex
	requests []*Request
}

func (rec *recorder) begin(r *http.Request) *Request {
	req := &Request{
		Time:   time.Now(),
		Remote: r.RemoteAddr,
		Method: r.Method,
		Path:   r.URL.EscapedPath(),
		Query:  r.URL.Query(),
		Header: r.Header.Clone(),
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.requests) == maxRecorded {
		rec.requests = slices.Delete(rec.requests, 0, maxRecorded/4)
	}
	rec.requests = append(rec.requests, req)
	return req
}

func (rec *recorder) body(req *Request, body []byte) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	req.Body = body
}

func (rec *recorder) status(req *Request, status int) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	req.Status = status
}

func (rec *recorder) snapshot() []Request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	out := make([]Request, len(rec.requests))
	for i, req := range rec.requests {
		out[i] = *req
	}
	return out
}

func (rec *recorder) reset() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.requests = nil
}

// Requests returns the requests since the start or the last [Server.ClearRequests], oldest first, refused and spoiled
// ones included; the last 4096 are kept at most. A request is listed before its answer leaves, with its status.
func (s *Server) Requests() []Request { return s.record.snapshot() }

// ClearRequests empties the list that [Server.Requests] returns.
func (s *Server) ClearRequests() { s.record.reset() }

// recordingWriter notes the status of an answer before it leaves.
type recordingWriter struct {
	http.ResponseWriter
	note  func(status int)
	wrote bool
}

func (w *recordingWriter) WriteHeader(status int) {
	if !w.wrote && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.wrote = true
		w.note(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recordingWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController and the WebSocket handshake reach the connection.
func (w *recordingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
