package smoktest

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// The journal's bounds; the oldest requests go first.
const (
	maxRequests      = 8192
	maxRequestsBytes = 16 << 20
)

// Request is one HTTP request that the hub got, as it came. Header and Body are not redacted.
type Request struct {
	// Number counts the requests of the hub, from 1, in the order in which they were read to their end.
	Number uint64
	Time   time.Time
	// Device is who sent it, empty if the hub does not know. ByHeader tells that the certificate came in the header.
	Device   string
	ByHeader bool
	Method   string
	Path     string // as sent, escaped, without the query
	Header   http.Header
	Body     []byte // not to be changed; up to Options.MaxBody bytes
	Status   int    // of the answer; 0 while there is none, and when the connection broke instead
	// Effect tells that the hub has done what was asked, whatever it answered.
	Effect bool
}

// JSON returns the body as JSON text, for people and logs: null if there is none, and a string if it is neither JSON nor
// MiniJSON.
func (r Request) JSON() json.RawMessage {
	if len(r.Body) == 0 {
		return json.RawMessage("null")
	}
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if contentType == typeMiniJSON {
		if text, err := minijson.ToJSON(r.Body); err == nil {
			return text
		}
	}
	if json.Valid(r.Body) {
		return bytes.Clone(r.Body)
	}
	text, _ := json.Marshal(string(r.Body)) // strings always have a form
	return text
}

// journal keeps the last requests.
type journal struct {
	watch *watch

	mu       sync.Mutex
	last     uint64
	requests []*Request
	bytes    int
}

// add takes a request that was read, and gives it its number.
func (j *journal) add(req *Request) {
	defer j.watch.notify()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	req.Number = j.last
	j.requests = append(j.requests, req)
	j.bytes += len(req.Body)
	gone := 0
	for len(j.requests)-gone > maxRequests || j.bytes > maxRequestsBytes && len(j.requests)-gone > 1 {
		j.bytes -= len(j.requests[gone].Body)
		gone++
	}
	j.requests = slices.Delete(j.requests, 0, gone)
}

// change changes a request that is in the journal already.
func (j *journal) change(req *Request, f func(*Request)) Request {
	defer j.watch.notify()
	j.mu.Lock()
	defer j.mu.Unlock()
	f(req)
	return *req
}

// Requests returns the requests since the start or the last [Hub.ClearRequests], oldest first, refused and spoiled ones
// included; at most the last 8192, and not more than 16 MiB of bodies. A request is listed before its answer leaves,
// with its status.
func (h *Hub) Requests() []Request {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	out := make([]Request, len(h.journal.requests))
	for i, req := range h.journal.requests {
		out[i] = *req
	}
	return out
}

// ClearRequests empties the list that [Hub.Requests] returns. Numbers go on.
func (h *Hub) ClearRequests() {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	h.journal.requests, h.journal.bytes = nil, 0
}
