package wstest

import (
	"net"
	"os"
	"sync"
	"time"
)

// maxStream is how many bytes a direction of a connection holds before writes block.
const maxStream = 64 << 10

// stream is one direction of a connection in memory.
type stream struct {
	mu       sync.Mutex // guards what follows
	moved    sync.Cond  // whenever something changes
	buf      []byte
	end      error // what reads find after the bytes; nil while more may come
	readErr  error // what reads find at once
	writeErr error // what writes find

	readBy, writeBy deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

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
		case s.end != nil:
			return 0, s.end
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

// closeWrite ends the writing: the reader finds end after what is still there, and the writer writeErr.
func (s *stream) closeWrite(end, writeErr error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = end
	}
	s.writeErr = writeErr
	s.moved.Broadcast()
}

// closeRead ends the reading: the writer finds writeErr. It reports whether something was left unread.
func (s *stream) closeRead(writeErr error) (unread bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unread = len(s.buf) > 0
	s.buf, s.readErr = nil, net.ErrClosed
	if s.writeErr == nil {
		s.writeErr = writeErr
	}
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
