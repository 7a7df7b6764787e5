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
	"time"
)

// writeBody writes a whole answer and waits until the client has taken it, as long as a heartbeat may take.
func (s *Server) writeBody(q *request, status int, body []byte) error {
	rc := http.NewResponseController(q.ResponseWriter)
	// Servers without deadlines, as in tests without a network, need none.
	_ = rc.SetWriteDeadline(time.Now().Add(s.opts.PingInterval + s.opts.PingTimeout))
	q.ResponseWriter.Header().Set("Content-Length", strconv.Itoa(len(body)))
	q.WriteHeader(status)
	if _, err := q.ResponseWriter.Write(body); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_ = rc.SetWriteDeadline(time.Time{})
	return nil
}

// protectXSS tells old browsers of Microsoft, which would look for scripts in the answer, not to.
func protectXSS(q *request) {
	if ua := q.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		q.ResponseWriter.Header().Set("X-XSS-Protection", "0")
	}
}

// compress compresses the body of an answer if it is long enough and the client takes that.
func (s *Server) compress(q *request, body []byte) []byte {
	if s.opts.DisableHTTPCompression || len(body) < s.opts.CompressionThreshold {
		return body
	}
	var b bytes.Buffer
	var z io.WriteCloser
	encoding := acceptedEncoding(q.Request.Header.Values("Accept-Encoding"))
	switch encoding {
	case "gzip":
		z = gzip.NewWriter(&b)
	case "deflate":
		z = zlib.NewWriter(&b) // the name stands for the format of zlib (RFC 9110, section 8.4.1.2)
	default:
		return body
	}
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
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
		if (name == "gzip" || name == "deflate") && !refusedEncoding(params) {
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
