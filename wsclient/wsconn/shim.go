//go:build !js

package wsconn

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/gate"
)

// libraryBlock is the size of the library's own reads and writes.
const libraryBlock = 4 << 10

// shim lies between the WebSocket library and the connection. It reads in blocks, gathers the frames of a batch,
// follows what passes in both directions, and keeps the errors of the connection apart from those that the library
// makes of them. Its writing half is in batch.go.
type shim struct {
	wire   *wire
	conn   net.Conn      // wire, or TLS on top of it
	body   io.ReadWriter // conn, after the bytes that came with the handshake
	client bool
	limit  time.Duration // for what is written once a close frame is on its way

	// The library lets one goroutine read at a time.
	scan  scanner
	block []byte // bytes read and not yet handed on
	room  *[]byte
	size  int   // of a block
	eager bool  // whether the last read found as much as it could take
	late  error // what ended the reading, once all bytes were handed on

	expected struct {
		sync.Mutex // a Close may read beside the reader
		lengths    []int64
		next       int
	}

	readErr atomic.Pointer[failure] // late, once the library knows
	stopped atomic.Bool             // whether reading must end, or not begin, without the connection having failed

	// The library writes one frame at a time.
	left int64 // bytes of the frame under way that are still to come

	mu      gate.Gate // guards what follows, and the order of the bytes on the connection
	answer  []byte    // to the upgrade request, which goes in front of what is written first; nil once it is written
	batch   *[]byte   // bytes gathered; nil unless a batch is open
	keys    *keys     // of a client
	queued  int64     // bytes accepted, since the handshake
	flushed int64     // bytes handed to the connection
	closing bool      // whether the last frame, a close frame, was accepted
	err     error     // what ended the writing
}

// failure is an error behind one pointer, for atomic access.
type failure struct{ err error }

// newShim makes a shim that cannot be read yet: the library would look for the body of an answer there that it does not
// like.
func newShim(w *wire, conn net.Conn, body io.ReadWriter, client bool, o *Options) *shim {
	s := &shim{
		wire: w, conn: conn, body: body, client: client, mu: gate.New(),
		limit: o.CloseTimeout, size: o.ReadBuffer,
		scan: scanner{masked: !client, limit: o.ReadLimit},
	}
	if client {
		s.keys = new(keys)
	}
	s.stopped.Store(true)
	return s
}

// start lets reading begin.
func (s *shim) start() { s.stopped.Store(false) }

var blocks = sync.Pool{New: func() any { return new([]byte) }}

// Read reads what is there. An idle connection holds no block: the first read after a pause goes straight into
// the library's own small buffer, and only when that was filled up the next one takes a whole block.
//
// A read out of a block ends where the payload of a long frame begins. The library has an empty buffer then and reads
// the payload past it, which saves a copy.
func (s *shim) Read(p []byte) (int, error) {
	if s.stopped.Load() {
		return 0, net.ErrClosed
	}
	var n int
	ok := true
	if len(s.block) == 0 && s.late == nil {
		if n, s.late = s.fill(p); n > 0 {
			n, ok = s.scan.scan(p[:n], false)
		}
	}
	if len(s.block) > 0 {
		n, ok = s.scan.scan(s.block[:min(len(s.block), len(p))], true)
		copy(p, s.block[:n])
		s.block = s.block[n:]
	}
	s.expect()
	if !ok {
		s.block, s.late = nil, errMask
	}
	if n == 0 && s.late != nil {
		if s.late == io.EOF && !s.scan.between() {
			s.late = io.ErrUnexpectedEOF
		}
		s.readErr.Store(&failure{s.late})
		return 0, s.late
	}
	return n, nil
}

// expect makes known which messages begin in the bytes that are handed on. The library has used up those before.
func (s *shim) expect() {
	s.expected.Lock()
	defer s.expected.Unlock()
	s.expected.lengths, s.scan.begun = s.scan.begun, s.expected.lengths[:0]
	s.expected.next = 0
}

// nextLength returns the length of the message that the library has just begun to read, or -1 if it must be read to its end
// to know that.
func (s *shim) nextLength() int64 {
	e := &s.expected
	e.Lock()
	defer e.Unlock()
	if e.next == len(e.lengths) {
		return -1
	}
	e.next++
	return e.lengths[e.next-1]
}

// fill reads from the connection, into a block or, returning how much, into p.
func (s *shim) fill(p []byte) (int, error) {
	if !s.eager || len(p) >= s.size {
		s.release()
		n, err := s.body.Read(p)
		s.eager = n == len(p)
		return n, err
	}
	if s.room == nil {
		s.room = blocks.Get().(*[]byte)
		if cap(*s.room) < s.size {
			*s.room = make([]byte, s.size)
		}
	}
	b := (*s.room)[:s.size]
	n, err := s.body.Read(b)
	s.block = b[:n]
	s.eager = n > libraryBlock
	return 0, err
}

func (s *shim) release() {
	if s.room != nil {
		blocks.Put(s.room)
		s.room = nil
	}
}

// stop ends the reading: the library finds the connection at its end. What waits in a read is not woken.
func (s *shim) stop() { s.stopped.Store(true) }

// Close is called by the library when it is done with the connection. A close frame may still be in an open batch.
func (s *shim) Close() error {
	kill := time.AfterFunc(s.limit, func() { _ = s.wire.Close() })
	defer kill.Stop()
	s.mu.Lock()
	s.endBatch()
	failed := s.err != nil
	s.mu.Unlock()
	if c, ok := s.conn.(*tls.Conn); ok && !failed {
		// The peer's TLS is told that this end is meant.
		_ = c.CloseWrite()
	}
	return s.wire.Close()
}
