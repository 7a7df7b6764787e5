package netem

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// socket is a real TCP connection whose Read tells a reset from the end of the stream.
//
// Linux reports a reset once, to the reader or to the writer, whoever comes first, and the end of the stream to every
// reader afterwards. A relay reads and writes at the same time and has to pass on what really happened.
type socket struct {
	*net.TCPConn
	writing sync.Mutex // held during Write
	reset   bool       // Write was told of a reset; writing guards it
}

func (s *socket) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	n, err := s.TCPConn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) {
		s.reset = true
	}
	return n, err
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.TCPConn.Read(p)
	if err == io.EOF && s.wasReset() {
		err = os.NewSyscallError("read", syscall.ECONNRESET)
	}
	return n, err
}

// wasReset tells, at the end of the stream, whether a Write has taken the news of a reset.
func (s *socket) wasReset() bool {
	// Only a dead socket cannot be shut down, and on a dead one no Write blocks: it is safe to wait for it.
	if !errors.Is(s.CloseRead(), syscall.ENOTCONN) {
		return false
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.reset
}
