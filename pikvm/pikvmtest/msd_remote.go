package pikvmtest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var urlPattern = regexp.MustCompile(`\A(https?)://[\[\w]+\S*\z`)

// writeRemote fetches an image from a server.
func (m *msd) writeRemote(c *call) error {
	text, err := c.arg("url").text("HTTPS|HTTP URL", 4096)
	if err != nil {
		return err
	}
	address, err := url.Parse(text)
	if err != nil || !urlPattern.MatchString(text) {
		return invalid("The argument %s is not a valid HTTPS|HTTP URL", pyRepr(text))
	}
	insecure, err := c.arg("insecure").or("0").bool()
	if err != nil {
		return err
	}
	timeout, err := c.arg("timeout").or("10").float("float", 0.1)
	if err != nil {
		return err
	}
	keep, err := m.keepIncomplete(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(m.server.ctx, cancel)()
	from, err := m.connect(ctx, address, insecure, time.Duration(timeout*float64(time.Second)))
	if err != nil {
		return err
	}
	defer from.body.Close() //nolint:errcheck // it was only read
	name := strings.TrimSpace(c.arg("image").or("").value)
	if name == "" {
		name = from.name
	}
	if name, err = validImageName(c.arg("prefix").or("").value + "/" + name); err != nil {
		return err
	}
	if from.size < 0 {
		return &apiError{http.StatusBadRequest, "ClientError", "No Content-Length found"}
	}
	t, i, err := m.create(name, from.size)
	if err != nil {
		return err
	}
	if !m.fetch(ctx, c, from, t, i, keep) {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// fetch stores what the server sends, and tells of it line by line: at the begin, after the first piece, then about
// every two seconds, and at the end. A failure, for which it returns false, is a line too, after which the body breaks off.
func (m *msd) fetch(ctx context.Context, c *call, from *origin, t *transfer, i *image, keep bool) bool {
	lines := ndjson{w: c.w}
	lines.begin()
	lines.write(true, t.written())
	var last int64
	var err error
	piece := make([]byte, msdChunk)
	for t.done < t.size && err == nil {
		var n int
		n, err = from.body.Read(piece[:min(int64(len(piece)), t.size-t.done)])
		if n == 0 {
			continue
		}
		m.store(t, i, piece[:n])
		if now := time.Now().Unix(); last+1 < now {
			lines.write(true, t.written())
			last = now
		}
	}
	m.finish(t, i, keep)
	if ctx.Err() != nil {
		return false // the client is gone
	}
	lines.write(true, t.written())
	if t.done < t.size {
		lines.write(false, map[string]string{
			"error": "ClientPayloadError", "error_msg": "Response payload is not completed",
		})
	}
	return t.done == t.size
}

// ndjson writes envelopes as lines.
type ndjson struct{ w http.ResponseWriter }

func (n ndjson) begin() {
	n.w.Header().Set("Content-Type", "application/x-ndjson")
	n.w.WriteHeader(http.StatusOK)
}

func (n ndjson) write(ok bool, result any) {
	line, err := pyJSON(envelope{ok, result}, false)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(n.w, string(line)+"\r\n") // a client that left is seen by the server, not here
	_ = http.NewResponseController(n.w).Flush()
}
