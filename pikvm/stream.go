package pikvm

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// maxRefusal bounds what is read of the body of a refusal to a stream, in bytes.
const maxRefusal = 64 << 10

// keepAliveSize is the size from which the connection of an upload may serve other requests too, in bytes. A device that
// refuses early leaves the rest of the body unread, and would take it for the next request: what is larger than all
// buffers on the way is not sent to its end then, and package net/http closes the connection.
const keepAliveSize = 32 << 20

// stream is a success whose body is read as it comes, whatever its size.
type stream struct {
	*answer // without a body
	op      *operation
	call    *call
	watch   *watch
	body    io.ReadCloser
	size    int64 // of the body; negative if the device did not tell
}

// pace bounds a stream in time. Zero means no limit.
type pace struct {
	head  time.Duration // until the head of the answer; a deadline of the caller's context replaces it
	stall time.Duration // in which nothing comes
}

// open performs the call and returns its answer with the body still to be read.
func (c *Client) open(ctx context.Context, k *call, p pace) (*stream, error) {
	o, err := c.beginLimited(ctx, k.op, 0)
	if err != nil {
		return nil, err
	}
	if _, ok := ctx.Deadline(); ok {
		p.head = 0
	}
	w := o.watch(p.head)
	s, err := o.open(k, w)
	if err != nil {
		w.stop()
		o.end()
		return nil, err
	}
	w.allow(p.stall)
	return s, nil
}

func (o *operation) open(k *call, w *watch) (*stream, error) {
	g, err := o.grant()
	if err != nil {
		return nil, err
	}
	s, err := o.send(k, g, w, nil)
	if err != nil {
		return nil, err
	}
	fresh, ok, err := o.renew(g, s.status)
	if ok {
		_ = s.body.Close() // a refusal of no further interest
		s, err = o.send(k, fresh, w, nil)
	}
	if err != nil {
		return nil, err
	}
	if err := s.refusal(); err != nil {
		return nil, err
	}
	return s, nil
}

// send sends the request once, with the body that upload has, and returns the answer, whatever it says.
func (o *operation) send(k *call, g grant, w *watch, upload *source) (*stream, error) {
	c := o.client
	g.more = k.hidden
	var reached atomic.Bool
	r, err := http.NewRequestWithContext(o.traced(&reached), k.method, c.url(c.base.Scheme, k.path, k.query), nil)
	if err != nil {
		return nil, o.failure(err, false, g.secrets()...)
	}
	if g.header != nil {
		r.Header = g.header.Clone()
	}
	r.Header.Set("User-Agent", c.opts.UserAgent)
	r.Header.Set("Accept-Encoding", "identity") // the bytes as they are, with their number
	if upload != nil {
		r.Header.Set("Content-Type", "application/octet-stream")
		r.Body, r.ContentLength = upload, upload.size
		r.Close = upload.size < keepAliveSize
	}
	response, err := c.http.Do(r)
	if err != nil {
		if !reached.Load() {
			c.trans.http.CloseIdleConnections() // see exchange
		}
		return nil, o.failure(err, reached.Load(), g.secrets()...)
	}
	return &stream{
		answer: &answer{status: response.StatusCode, header: response.Header, grant: g},
		op:     o, call: k, watch: w, body: response.Body, size: response.ContentLength,
	}, nil
}

// refusal returns the error that the status means, and closes the stream then. It is nil for a success.
func (s *stream) refusal() error {
	if s.status >= http.StatusOK && s.status < http.StatusMultipleChoices {
		return nil
	}
	s.answer.body, _ = io.ReadAll(io.LimitReader(s.body, maxRefusal)) // the status tells what there is to tell
	_ = s.body.Close()
	return s.op.client.refusal(s.call, s.answer)
}

// Read reads the body. Its errors are typed, but for io.EOF.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.watch.moved()
	}
	if err != nil && err != io.EOF { //nolint:errorlint // what readers return
		err = s.op.brokenBody(s.call, s.answer, err)
	}
	return n, err
}

// Close ends the stream; what is left of it is not read.
func (s *stream) Close() error {
	_ = s.body.Close() // there is nothing to learn from it
	s.watch.stop()
	s.op.end()
	return nil
}

// all reads the rest of a small body.
func (s *stream) all() error {
	a := s.answer
	limit := s.op.client.opts.MaxBody
	body, err := io.ReadAll(io.LimitReader(s, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = s.op.client.tooLarge(s.call, a)
	}
	a.body = body
	return err
}
