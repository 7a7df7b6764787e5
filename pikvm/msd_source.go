package pikvm

import (
	"errors"
	"hash"
	"io"
)

// Why a source is not what it was said to be.
var (
	errShortSource = errors.New("the source ended before its size")
	errLongSource  = errors.New("the source goes on after its size")
	errEnded       = errors.New("the upload has ended")
)

// source is the body of an upload: exactly as many bytes as were announced. It holds the last ones back until it knows
// that nothing follows, so that a device never gets a whole image from a source that is none.
type source struct {
	size     int64
	progress func(done, size int64) // may be nil
	hash     hash.Hash              // of what was read; may be nil
	watch    *watch

	// turn is the lock of what follows, held while from is read: nobody reads it after end. It is a channel, since a read
	// takes as long as it likes, and waiting for a mutex stops the clock of a synctest bubble.
	turn  chan struct{}
	from  io.Reader
	sent  int64
	err   error // of the source, its length included
	ended bool
}

func newSource(from io.Reader, size int64) *source {
	return &source{from: from, size: size, turn: make(chan struct{}, 1)}
}

// Read is called by the HTTP client.
func (s *source) Read(p []byte) (int, error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	left := s.size - s.sent
	switch {
	case s.ended:
		return 0, errEnded
	case s.err != nil:
		return 0, s.err
	case left == 0:
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := s.from.Read(p)
	switch {
	case err == io.EOF && int64(n) < left: //nolint:errorlint // what readers return
		s.err = errShortSource
	case err != nil && err != io.EOF: //nolint:errorlint // what readers return
		s.err = err
	case err == nil && int64(n) == left:
		s.err = checkEnd(s.from)
	}
	if s.err != nil {
		return 0, s.err
	}
	s.sent += int64(n)
	if s.hash != nil {
		_, _ = s.hash.Write(p[:n]) // never fails
	}
	if n > 0 {
		s.watch.moved()
		if s.progress != nil {
			s.progress(s.sent, s.size)
		}
	}
	return n, nil
}

// checkEnd makes sure that nothing follows.
func checkEnd(r io.Reader) error {
	switch _, err := io.ReadFull(r, make([]byte, 1)); {
	case err == nil:
		return errLongSource
	case err == io.EOF: //nolint:errorlint // what readers return
		return nil
	default:
		return err
	}
}

// Close is called by the HTTP client, which may do so while Read is under way: end is what counts.
func (s *source) Close() error { return nil }

// end makes sure that nobody reads the source any more, and returns what was wrong with it.
func (s *source) end() (sent int64, err error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.ended = true
	return s.sent, s.err
}
