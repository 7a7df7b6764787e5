package pikvm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// MJPEGOptions are the optional settings of [Streamer.Frames]. The zero value is ready to use.
type MJPEGOptions struct {
	// Key is a name for this viewer, which the device shows in its list of viewers. Letters, digits, - and _.
	Key string

	// HeadersOnly asks for frames without their pictures.
	HeadersOnly bool

	// MaxFrame bounds one picture, in bytes. Zero means 16 MiB.
	MaxFrame int64

	// StallTimeout ends a stream in which nothing comes any more. Zero means 1min, negative means never.
	StallTimeout time.Duration
}

// Limits of a part of the stream.
const (
	defaultMaxFrame = 16 << 20
	maxPartLine     = 4 << 10 // bytes of a line of its header
	maxPartLines    = 64
)

// maxStreamKey is how long the name of a viewer may be, in characters.
const maxStreamKey = 36

// Frames iterates over the pictures of the screen as they come, from the MJPEG stream of a running streamer. It does not
// end by itself: when something goes wrong, or ctx ends, the last pair has the error. A stopped streamer is HTTP 502, an
// [APIError] of kind Unavailable; one that stops meanwhile, and what is no such stream, a [ResponseError]. Leaving the loop
// ends the transfer. The client's Timeout limits only the wait for the begin. Each picture is the caller's to keep. Nil
// options are the defaults.
func (s *Streamer) Frames(ctx context.Context, opts *MJPEGOptions) iter.Seq2[*Snapshot, error] {
	var o MJPEGOptions
	if opts != nil {
		o = *opts
	}
	return func(yield func(*Snapshot, error) bool) {
		stream, parts, err := s.frames(ctx, &o)
		if err != nil {
			yield(nil, err)
			return
		}
		defer stream.Close() //nolint:errcheck // always nil
		for {
			frame, err := parts.next()
			if err != nil {
				if _, typed := errors.AsType[errkit.Error](err); !typed {
					err = s.c.responseError(stream.call, stream.answer, err)
				}
				yield(nil, err)
				return
			}
			if !yield(frame, nil) {
				return
			}
		}
	}
}

func (s *Streamer) frames(ctx context.Context, o *MJPEGOptions) (*stream, *partReader, error) {
	const op = "streamer.Frames"
	query := url.Values{"extra_headers": {"1"}}
	switch {
	case len(o.Key) > maxStreamKey || strings.ContainsFunc(o.Key, notKeyRune):
		return nil, nil, configurationError(op, "Key", "not letters, digits, - and _, or over 36 of them")
	case o.MaxFrame < 0:
		return nil, nil, configurationError(op, "MaxFrame", "negative")
	}
	if o.Key != "" {
		query.Set("key", o.Key)
	}
	if o.HeadersOnly {
		query.Set("zero_data", "1")
	}
	k := &call{op: op, method: http.MethodGet, path: "/streamer/stream", query: query}
	stream, err := s.c.open(ctx, k, pace{head: max(s.c.opts.Timeout, 0), stall: stallLimit(o.StallTimeout)})
	if err != nil {
		return nil, nil, err
	}
	parts, err := newPartReader(stream, stream.header.Get("Content-Type"), o.MaxFrame)
	if err != nil {
		_ = stream.Close() // always nil
		return nil, nil, s.c.responseError(k, stream.answer, err)
	}
	return stream, parts, nil
}

func notKeyRune(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// partReader takes an endless multipart body apart. Parts are as long as their Content-Length says, since a picture may
// hold the boundary (RFC 2046, section 5.1.1, forbids it, and streamers do not look).
type partReader struct {
	r        *bufio.Reader
	boundary string
	limit    int64
}

func newPartReader(r io.Reader, contentType string, limit int64) (*partReader, error) {
	kind, rest, _ := strings.Cut(contentType, ";")
	_, boundary, ok := strings.Cut(rest, "boundary=")
	boundary = strings.Trim(strings.TrimSpace(boundary), `"`)
	if strings.TrimSpace(kind) != "multipart/x-mixed-replace" || !ok || boundary == "" {
		return nil, errors.New("no multipart stream")
	}
	if limit == 0 {
		limit = defaultMaxFrame
	}
	return &partReader{bufio.NewReaderSize(r, maxPartLine), "--" + strings.TrimPrefix(boundary, "--"), limit}, nil
}

// next returns the next picture.
func (p *partReader) next() (*Snapshot, error) {
	for { // blank lines end the part before
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		if line == p.boundary {
			break
		}
		if line != "" {
			return nil, errors.New("something else in place of a boundary")
		}
	}
	header := make(http.Header)
	for range maxPartLines {
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		if line == "" {
			return p.part(header)
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errors.New("no header of a part")
		}
		header.Add(textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value))
	}
	return nil, fmt.Errorf("header of over %d lines: %w", maxPartLines, errkit.TooLarge)
}

func (p *partReader) part(header http.Header) (*Snapshot, error) {
	size, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	switch {
	case err != nil || size < 0:
		return nil, errors.New("a part without its length")
	case size > p.limit:
		return nil, fmt.Errorf("picture over %d bytes: %w", p.limit, errkit.TooLarge)
	}
	var picture bytes.Buffer // grows with what comes, whatever was promised
	if _, err := io.CopyN(&picture, p.r, size); err != nil {
		return nil, unexpectedEnd(err)
	}
	data := picture.Bytes()
	if size > 0 && !isJPEG(data) {
		return nil, errNoJPEG
	}
	info, ok := parseSnapshotInfo(header)
	if !ok {
		return nil, missing("X-UStreamer-Online")
	}
	return &Snapshot{*info, data}, nil
}

// line reads a line without its end.
func (p *partReader) line() (string, error) {
	line, err := p.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("line over %d bytes: %w", maxPartLine, errkit.TooLarge)
	case err != nil:
		return "", unexpectedEnd(err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// unexpectedEnd: a stream does not end.
func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
