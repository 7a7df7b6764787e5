package pikvmtest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
)

var urlPattern = regexp.MustCompile(`\A(https?)://[\[\w]+\S*\z`)

// writeRemote fetches an image from a server.
func (m *msd) writeRemote(c *call) error {
	address, err := c.arg("url").text("HTTPS|HTTP URL", 4096)
	if err != nil {
		return err
	}
	if !urlPattern.MatchString(address) {
		return invalid("The argument %s is not a valid HTTPS|HTTP URL", pyRepr(address))
	}
	if _, err := c.arg("insecure").or("0").bool(); err != nil {
		return err
	}
	if _, err := c.arg("timeout").or("10").float("float", 0.1); err != nil {
		return err
	}
	keep, err := m.keepIncomplete(c)
	if err != nil {
		return err
	}
	remote, err := m.connect(address)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(c.arg("image").or("").value)
	if name == "" {
		name = remote.filename(address)
	}
	if name, err = validImageName(c.arg("prefix").or("").value + "/" + name); err != nil {
		return err
	}
	if remote.NoLength {
		return &apiError{http.StatusBadRequest, "ClientError", "No Content-Length found"}
	}
	t, i, err := m.create(name, remote.Size)
	if err != nil {
		return err
	}
	m.fetch(c, &remote, t, i, keep)
	return nil
}

// connect finds the server.
func (m *msd) connect(address string) (RemoteImage, error) {
	remote, ok := m.opts.Remotes[address]
	if !ok {
		u, err := url.Parse(address)
		if err != nil {
			u = &url.URL{Host: "?"}
		}
		return remote, &apiError{
			http.StatusBadRequest, "ClientConnectorError",
			fmt.Sprintf("Cannot connect to host %s ssl:default [Connect call failed]", u.Host),
		}
	}
	if remote.Status != 0 && remote.Status != http.StatusOK {
		return remote, &apiError{
			http.StatusBadRequest, "ClientResponseError",
			fmt.Sprintf("%d, message='%s', url=URL('%s')", remote.Status, http.StatusText(remote.Status), address),
		}
	}
	return remote, nil
}

// filename is the name that the server gives, or the end of the URL.
func (r *RemoteImage) filename(address string) string {
	if r.Name != "" {
		return r.Name
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}

// fetch stores what the server sends, and tells of it line by line: at the begin, after the first piece, then about
// every two seconds, and at the end. A failure is a line too, after which the body breaks off.
func (m *msd) fetch(c *call, remote *RemoteImage, t *transfer, i *image, keep bool) {
	lines := ndjson{w: c.w}
	finished := false
	defer func() {
		if !finished { // the client is gone
			m.finish(t, i, keep)
		}
	}()
	lines.begin()
	lines.write(true, t.written())
	var last int64
	piece := make([]byte, msdChunk)
	for t.done < t.size {
		if m.server.sleep(c.r.Context(), remote.ChunkTime) != nil {
			panic(http.ErrAbortHandler)
		}
		n := min(int64(len(piece)), t.size-t.done)
		if remote.BreakAt > 0 {
			n = min(n, remote.BreakAt-t.done)
		}
		m.store(t, i, piece[:n])
		if now := time.Now().Unix(); last+1 < now {
			lines.write(true, t.written())
			last = now
		}
		if remote.BreakAt > 0 && t.done >= remote.BreakAt {
			finished = true
			m.finish(t, i, keep)
			lines.write(true, t.written())
			lines.write(false, map[string]string{
				"error": "ClientPayloadError", "error_msg": "Response payload is not completed",
			})
			panic(http.ErrAbortHandler)
		}
	}
	finished = true
	m.finish(t, i, keep)
	lines.write(true, t.written())
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
