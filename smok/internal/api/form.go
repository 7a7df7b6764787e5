package api

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/textproto"
	"strconv"
	"sync"
)

// form is the body of a BAOB's upload: the content and its version, each as a file of a multipart form (RFC 7578) without
// a type of its own. It is read once, by package net/http.
type form struct {
	contentType string
	length      int64

	mu     sync.Mutex
	parts  io.Reader
	source *exactly
	moved  func() // called after each read
	ended  bool
}

func newForm(version int64, content io.Reader, size int64) *form {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	// A buffer takes everything, so none of these fails.
	_, _ = w.CreatePart(partHeader("file"))
	head := bytes.Clone(frame.Bytes())
	frame.Reset()
	data, _ := w.CreatePart(partHeader("data"))
	_, _ = io.WriteString(data, `{"version":`+strconv.FormatInt(version, 10)+`}`)
	_ = w.Close()
	tail := frame.Bytes()
	source := &exactly{from: content, left: size}
	return &form{
		contentType: w.FormDataContentType(),
		length:      int64(len(head)) + size + int64(len(tail)),
		parts:       io.MultiReader(bytes.NewReader(head), source, bytes.NewReader(tail)),
		source:      source,
	}
}

func partHeader(name string) textproto.MIMEHeader {
	return textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="` + name + `"; filename="` + name + `"`},
	}
}

var errEnded = errors.New("the upload is over")

// Read reads the body.
func (f *form) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return 0, errEnded
	}
	n, err := f.parts.Read(p)
	if n > 0 {
		f.moved()
	}
	return n, err
}

// Close does nothing: package net/http calls it when it likes.
func (f *form) Close() error { return nil }

// end waits for a read that is under way, lets no further one reach the source, and returns how the source failed, if it
// did.
func (f *form) end() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	return f.source.failed
}

// exactly reads a source that must have a certain number of bytes.
type exactly struct {
	from   io.Reader
	left   int64
	failed error // why the source is not what it should be
}

var (
	errShortSource = errors.New("the content is shorter than its size")
	errLongSource  = errors.New("the content is longer than its size")
)

// Read reads the source, and looks for its end after the last byte.
func (x *exactly) Read(p []byte) (int, error) {
	if x.failed != nil {
		return 0, x.failed
	}
	if x.left == 0 {
		return 0, x.atEnd()
	}
	n, err := x.from.Read(p[:min(int64(len(p)), x.left)])
	x.left -= int64(n)
	switch {
	case err == io.EOF && x.left > 0: //nolint:errorlint // what readers return
		x.failed = errShortSource
	case err != nil && err != io.EOF: //nolint:errorlint // what readers return
		x.failed = err
	}
	return n, x.failed
}

// atEnd returns io.EOF if the source has ended.
func (x *exactly) atEnd() error {
	var one [1]byte
	for range 100 { // empty reads in a row
		n, err := x.from.Read(one[:])
		switch {
		case n > 0:
			x.failed = errLongSource
		case err == io.EOF: //nolint:errorlint // what readers return
			return io.EOF
		case err != nil:
			x.failed = err
		default:
			continue
		}
		return x.failed
	}
	x.failed = io.ErrNoProgress
	return x.failed
}
