package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// keepAliveSize is the length from which the connection of an upload may serve other requests too, in bytes. A hub that
// refuses early leaves the rest of the body unread, and would take it for the next request: what is larger than all
// buffers on the way is not sent to its end then, and package net/http closes the connection.
const keepAliveSize = 32 << 20

// download performs a call whose answer is raw bytes, and writes them to w as they come.
func (c *Client) download(ctx context.Context, k *call, w io.Writer, limit int64) (int64, error) {
	o, err := c.begin(ctx, k)
	if err != nil {
		return 0, err
	}
	defer o.end()
	began := time.Now()
	a, body, err := o.open(nil)
	if err != nil {
		c.trace(ctx, k, nil, began, err)
		return 0, err
	}
	defer func() { _ = body.Close() }() // after the end of the body there is nothing to learn from it
	version, err := o.receive(a, body, w, limit)
	c.trace(ctx, k, a, began, err)
	return version, err
}

// receive writes the body of a success to w.
func (o *operation) receive(a *answer, body io.Reader, w io.Writer, limit int64) (int64, error) {
	c, k := o.client, o.call
	if !a.success() {
		_ = o.readBody(a, body) // never fails for a refusal
		return 0, c.refusal(k, a)
	}
	version, err := baobVersion(a.header)
	if err != nil {
		return 0, c.badAnswer(k, a, err)
	}
	if to, ok := w.(VersionWriter); ok {
		if err := to.WriteVersion(version); err != nil {
			return 0, storeError(k.op, err)
		}
	}
	out := &sink{to: w, left: limit, moved: o.moved}
	_, err = io.Copy(out, body)
	switch {
	case err == nil:
		return version, nil
	case errors.Is(out.failed, errkit.TooLarge):
		return 0, c.badAnswer(k, a, fmt.Errorf("over %d bytes: %w", limit, out.failed))
	case out.failed != nil:
		return 0, storeError(k.op, out.failed)
	case o.ctx.Err() == nil && errkit.Classify(err) == 0: // malformed chunks, not the network
		return 0, c.badAnswer(k, a, err)
	}
	return 0, o.failure(err)
}

// sink writes to a writer, which may be given so many bytes.
type sink struct {
	to     io.Writer
	left   int64
	moved  func() // called after each write
	failed error  // of the writer, or TooLarge
}

// Write writes p.
func (s *sink) Write(p []byte) (int, error) {
	if int64(len(p)) > s.left {
		s.failed = errkit.TooLarge
		return 0, s.failed
	}
	n, err := s.to.Write(p)
	s.left -= int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.failed = err
	s.moved()
	return n, err
}

// uploadForm performs a call with a form as its body.
func (c *Client) uploadForm(ctx context.Context, k *call, f *form) error {
	o, err := c.begin(ctx, k)
	if err != nil {
		return err
	}
	defer o.end()
	began := time.Now()
	a, err := o.transmit(f)
	if err == nil {
		err = c.refusal(k, a)
	}
	if err == nil && isPage(a.header) {
		err = c.badAnswer(k, a, errPage)
	}
	c.trace(ctx, k, a, began, err)
	return err
}

// transmit sends the form and reads the answer.
func (o *operation) transmit(f *form) (*answer, error) {
	f.moved = o.moved
	a, body, err := o.open(f)
	broken := f.end() // the answer may come before the form has been read
	if err != nil {
		if broken != nil && o.ctx.Err() == nil { // else it may have failed because of that
			return nil, storeError(o.call.op, broken)
		}
		return nil, err
	}
	defer func() { _ = body.Close() }() // after the end of the body there is nothing to learn from it
	return a, o.readBody(a, body)
}

// open sends the request once, with the form if there is one, and returns the answer with its body still to be read.
func (o *operation) open(f *form) (*answer, io.ReadCloser, error) {
	c := o.client
	r, err := http.NewRequestWithContext(o.ctx, o.call.method, c.url(o.call), nil)
	if err != nil {
		return nil, nil, o.failure(err)
	}
	c.sign(r.Header)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Accept-Encoding", "identity") // the bytes as they are
	if f != nil {
		r.Header.Set("Content-Type", f.contentType)
		r.Body, r.ContentLength = f, f.length
		r.Close = f.length < keepAliveSize
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, nil, o.failure(err)
	}
	return &answer{status: response.StatusCode, header: response.Header}, response.Body, nil
}

// storeError returns the error of content that could not be read or stored. An error of this module stays what it is.
func storeError(op string, cause error) error {
	if errors.Is(cause, smokerr.Err) {
		return cause
	}
	return smokerr.Store(op, "baobs", cause)
}
