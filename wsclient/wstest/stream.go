package wstest

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxStream is how many bytes a direction of a connection holds before writes block.
const maxStream = 64 << 10

// stream is one direction of a connection in memory.
type stream struct {
	mu       sync.Mutex // guards what follows
	moved    sync.Cond  // whenever something changes
	buf      []byte
	ended    bool  // whether no more bytes will come
	readErr  error // for all reads from now on
	writeErr error // for all writes from now on

	readBy, writeBy deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// errEnd is an error that is not to be wrapped.
type errEnd struct{ error }

func (e errEnd) Unwrap() error { return e.error }

func newStream() *stream {
	s := &stream{}
	s.moved.L = &s.mu
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readErr != nil:
			return 0, s.readErr
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0 || len(p) == 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.moved.Broadcast()
			return n, nil
		case s.ended:
			return 0, errEnd{io.EOF}
		}
		s.moved.Wait()
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.writeErr != nil:
			return n, s.writeErr
		case s.ended:
			return n, syscall.EPIPE
		case s.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		}
		chunk := p[n:min(len(p), n+maxStream-len(s.buf))]
		s.buf = append(s.buf, chunk...)
		n += len(chunk)
		s.moved.Broadcast()
		if n == len(p) {
			return n, nil
		}
		s.moved.Wait()
	}
}

// closeWrite lets the reader find the end after what is still there.
func (s *stream) closeWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.moved.Broadcast()
}

// forbid makes writes fail.
func (s *stream) forbid(writeErr error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = writeErr
	s.moved.Broadcast()
}

// close makes reads and writes fail and reports whether something was left unread. What was there is lost.
func (s *stream) close(readErr, writeErr error) (unread bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unread = len(s.buf) > 0
	s.buf, s.readErr, s.writeErr = nil, readErr, writeErr
	s.moved.Broadcast()
	return unread
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.moved.Broadcast()
		})
	}
	s.moved.Broadcast()
}
