package smoktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// call is one request of a known device to an endpoint. Endpoints run with the hub's mutex held and, when they return
// an error, have changed nothing.
type call struct {
	hub    *Hub
	device *device
	req    *Request
	r      *http.Request
	args   []string // of the path, unescaped
	doc    any      // the MiniJSON document
}

// ServeHTTP serves the REST side, for tests without a network. Without TLS a device shows its certificate in the header. The hub
// must have been started.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		panic(http.ErrAbortHandler)
	}
	defer h.work.Done()
	req := &Request{Time: time.Now(), Method: r.Method, Path: r.URL.EscapedPath(), Header: r.Header.Clone()}
	id, byHeader, identityErr := h.identify(r)
	req.Device, req.ByHeader = id, byHeader
	body, tooLarge, err := h.read(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the device has left in the middle
	}
	req.Body = body
	h.journal.add(req)
	defer func() {
		if h.opts.OnRequest != nil {
			h.opts.OnRequest(h.journal.change(req, func(*Request) {}))
		}
	}()
	x := &exchange{hub: h, w: w, r: r}
	x.note = func(status int) { h.journal.change(req, func(req *Request) { req.Status = status }) }
	x.effect = func() answer {
		switch {
		case identityErr != nil:
			return h.refused(identityErr)
		case tooLarge:
			return h.failed(&refusal{http.StatusRequestEntityTooLarge, "body too large"})
		}
		return h.serveCall(r, req)
	}
	f, before := h.faults.take(id, r)
	h.watch.notify() // of one more hit
	x.run(f, before)
}

func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.work.Add(1)
	return true
}

// read reads the body of a request, up to its limit.
func (h *Hub) read(r *http.Request) (body []byte, tooLarge bool, err error) {
	limit := h.opts.MaxBody
	if strings.HasPrefix(r.URL.Path, "/v1/device/baobs/") {
		limit = h.opts.MaxBAOB + 64<<10 // the form around it
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
	if int64(len(body)) > limit {
		return nil, true, nil
	}
	return body, false, err
}

// serveCall does what was asked.
func (h *Hub) serveCall(r *http.Request, req *Request) answer {
	route, args, err := h.find(r)
	if err != nil {
		return h.refused(err)
	}
	c := &call{hub: h, req: req, r: r, args: args}
	if c.doc, err = route.carries.decode(req); err != nil {
		return h.refused(err)
	}
	result, err := c.run(route)
	if err != nil {
		return h.refused(err)
	}
	h.journal.change(req, func(req *Request) { req.Effect = true }) // tells those who wait, too
	switch v := result.(type) {
	case answer:
		return v
	case nil:
		return h.encoded(http.StatusOK, map[string]any{})
	}
	return h.encoded(http.StatusOK, result)
}

func (c *call) run(r *route) (any, error) {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.device = c.hub.device(c.req.Device)
	return r.serve(c)
}

func (h *Hub) refused(err error) answer {
	if r, ok := errors.AsType[*refusal](err); ok {
		return h.failed(r)
	}
	return h.failed(&refusal{http.StatusInternalServerError, err.Error()})
}

// strict refuses what a correct encoder does not write, and what no device needs.
var strict = minijson.DecodeOptions{MaxDepth: 64, MaxCount: 1 << 20, DisallowDuplicateKeys: true}

// decode checks that a request carries what its endpoint takes, and decodes documents.
func (p payload) decode(req *Request) (any, error) {
	contentType, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	want := map[payload]string{document: typeMiniJSON, form: "multipart/form-data"}[p]
	switch {
	case p == nothing && len(req.Body) > 0:
		return nil, bad("the endpoint takes no body")
	case p != nothing && contentType != want:
		return nil, refuse(http.StatusUnsupportedMediaType, "the endpoint takes %s", want)
	case p != document:
		return nil, nil
	}
	v, n, err := strict.Parse(req.Body)
	if err != nil {
		return nil, bad("body: %v", err)
	}
	if n < len(req.Body) {
		return nil, bad("body: %d bytes after the document", len(req.Body)-n)
	}
	return v, nil
}

// list is the document, which must be a list.
func (c *call) list() ([]any, error) {
	list, ok := c.doc.([]any)
	if !ok {
		return nil, bad("body is not a list")
	}
	return list, nil
}

// decodeList reads a document that is a list of objects, all of them or none.
func decodeList[T any](c *call, decode func(*fields) T) ([]T, error) {
	list, err := c.list()
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(list))
	floats := 0
	for i, v := range list {
		f := newFields(fmt.Sprintf("entry %d", i), v)
		out = append(out, decode(f))
		if err := f.end(); err != nil {
			return nil, err
		}
		floats += f.floats
	}
	c.device.counts.FloatTimes += floats
	return out, nil
}

// bytesAnswer answers with bytes.
func bytesAnswer(header http.Header, b []byte) answer {
	header.Set("Content-Type", typeBytes)
	return answer{http.StatusOK, header, bytes.Clone(b)}
}
