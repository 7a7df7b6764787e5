package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// answers are those being written, so that the end of the server does not wait for clients that do not take them.
type answers struct {
	mu      sync.Mutex // held while a deadline is set, which must not happen once the handler has returned
	open    map[*http.ResponseController]struct{}
	hurried bool
}

// hurriedLimit is how long a client may take for an answer once the server closes; a WebSocket client has as much time to
// answer the close frame.
const hurriedLimit = time.Second

// begin bounds the writing of an answer. Servers without deadlines, as in tests without a network, need none.
func (a *answers) begin(rc *http.ResponseController, limit time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hurried {
		limit = min(limit, hurriedLimit)
	}
	a.open[rc] = struct{}{}
	_ = rc.SetWriteDeadline(time.Now().Add(limit))
}

func (a *answers) end(rc *http.ResponseController) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, rc)
	_ = rc.SetWriteDeadline(time.Time{})
}

// hurry leaves the answers under way, and those to come, little time.
func (a *answers) hurry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hurried = true
	for rc := range a.open {
		_ = rc.SetWriteDeadline(time.Now().Add(hurriedLimit))
	}
}

// writeBody writes a whole answer and waits until the client has taken it, as long as a heartbeat may take.
func (s *Server) writeBody(q *request, status int, body []byte) error {
	rc := http.NewResponseController(q.ResponseWriter)
	s.answers.begin(rc, s.opts.PingInterval+s.opts.PingTimeout)
	defer s.answers.end(rc)
	q.ResponseWriter.Header().Set("Content-Length", strconv.Itoa(len(body)))
	q.WriteHeader(status)
	if _, err := q.ResponseWriter.Write(body); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// protectXSS tells old browsers of Microsoft, which would look for scripts in the answer, not to.
func protectXSS(q *request) {
	if ua := q.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		q.ResponseWriter.Header().Set("X-XSS-Protection", "0")
	}
}

// compressor is a writer of gzip or of zlib. One has about a megabyte of tables, so they are used again.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// compressors are those that nobody uses, by encoding.
var compressors = map[string]*sync.Pool{
	"gzip":    {New: func() any { return gzip.NewWriter(nil) }},
	"deflate": {New: func() any { return zlib.NewWriter(nil) }}, // the name stands for zlib (RFC 9110, section 8.4.1.2)
}

// compress compresses the body of an answer if it is long enough and the client takes that.
func (s *Server) compress(q *request, body []byte) []byte {
	if s.opts.DisableHTTPCompression || len(body) < s.opts.CompressionThreshold {
		return body
	}
	encoding := acceptedEncoding(q.Request.Header.Values("Accept-Encoding"))
	pool := compressors[encoding]
	if pool == nil {
		return body
	}
	var b bytes.Buffer
	z := pool.Get().(compressor)
	z.Reset(&b)
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	z.Reset(nil) // it keeps no answer
	pool.Put(z)
	h := q.ResponseWriter.Header()
	h.Set("Content-Encoding", encoding)
	h.Add("Vary", "Accept-Encoding")
	return b.Bytes()
}

// acceptedEncoding returns the first encoding in the client's order that this server has, "" if there is none.
func acceptedEncoding(values []string) string {
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if compressors[name] != nil && !refusedEncoding(params) {
			return name
		}
	}
	return ""
}

// refusedEncoding reports whether the parameters say q=0.
func refusedEncoding(params string) bool {
	_, weight, ok := strings.Cut(strings.ReplaceAll(params, " ", ""), "q=")
	if !ok {
		return false
	}
	f, err := strconv.ParseFloat(weight, 64)
	return err == nil && f == 0
}
