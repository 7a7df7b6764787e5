package wsconn

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBatch     = 64 << 10 // bytes that a batch gathers before some of it goes out
	libraryBlock = 4 << 10  // size of the reads and writes of the library
)

// shim lies between the WebSocket library and the connection. It gathers the writes of a batch, reads in blocks,
// follows the frames in both directions, and keeps the errors of the connection apart from those that the library
// makes of them.
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

	readErr atomic.Pointer[failure] // late, once the library knows
	stopped atomic.Bool             // whether reading must end without the connection having failed

	// The library writes one frame at a time.
	left int64 // bytes of the frame under way that are still to come

	mu      sync.Mutex // guards what follows, and the order of the bytes on the connection
	batch   *bufio.Writer
	queued  int64 // bytes accepted, since the handshake
	flushed int64 // bytes handed to the connection
	closing bool  // whether the last frame, a close frame, was accepted
	err     error // what ended the writing
}

// failure is an error behind one pointer, for atomic access.
type failure struct{ err error }

func newShim(w *wire, conn net.Conn, body io.ReadWriter, client bool, o *Options) *shim {
	return &shim{
		wire: w, conn: conn, body: body, client: client,
		limit: o.CloseTimeout, size: o.ReadBuffer,
		scan: scanner{masked: !client, limit: o.ReadLimit},
	}
}

var blocks = sync.Pool{New: func() any { return new([]byte) }}

// Read reads what is there. An idle connection holds no block: the first read after a pause goes straight into
// the library's own small buffer, and only when that was filled up the next one takes a whole block.
func (s *shim) Read(p []byte) (int, error) {
	if s.stopped.Load() {
		return 0, net.ErrClosed
	}
	var n int
	if len(s.block) == 0 && s.late == nil {
		n, s.late = s.fill(p)
	}
	if len(s.block) > 0 {
		n = copy(p, s.block)
		s.block = s.block[n:]
	}
	n, ok := s.scan.scan(p[:n])
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

// Write takes a frame, or a part of one, from the library. Everything but a close frame arrives while the
// batch is open.
func (s *shim) Write(p []byte) (int, error) {
	last := s.follow(p)
	if last {
		// Whatever is stuck in front of the last frame must not hold up the end.
		s.wire.lastWrites(s.limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = s.closing || last
	return s.accept(p)
}

// follow reports whether p is a close frame. The library begins each frame with a write of its own, which holds the
// whole header.
func (s *shim) follow(p []byte) (closing bool) {
	if s.left == 0 {
		h, _ := parseHeader(p)
		s.left = int64(h.size) + h.payload
		closing = h.opcode == opClose
	}
	s.left = max(0, s.left-int64(len(p)))
	return closing
}

// writeControl sends a control frame of our own, built by appendControl. After a close frame it does nothing.
func (s *shim) writeControl(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil
	}
	_, err := s.accept(frame)
	return err
}

// accept puts p into the open batch or, without one, on the connection. It runs with mu held.
func (s *shim) accept(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.queued += int64(len(p))
	if s.batch != nil {
		return s.batch.Write(p)
	}
	return (*flusher)(s).Write(p)
}

// flusher is the shim as the writer behind a batch.
type flusher shim

func (f *flusher) Write(p []byte) (int, error) {
	n, err := f.body.Write(p)
	f.flushed += int64(n)
	if err != nil && f.err == nil {
		f.err = err
	}
	return n, err
}

var batches = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, maxBatch) }}

// cork opens a batch: until flush, writes are gathered. There is one batch at a time.
func (s *shim) cork() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch = batches.Get().(*bufio.Writer)
	s.batch.Reset((*flusher)(s))
}

// flush closes the batch. When it returns nil, everything accepted is in the hands of the system.
func (s *shim) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endBatch()
	return s.err
}

func (s *shim) endBatch() {
	if s.batch == nil {
		return
	}
	// The error stays in s.err.
	_ = s.batch.Flush()
	s.batch.Reset(nil)
	batches.Put(s.batch)
	s.batch = nil
}

// writeErr returns what ended the writing, nil if nothing did.
func (s *shim) writeErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// position returns how many bytes were accepted and how many of them were handed to the connection.
func (s *shim) position() (queued, flushed int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued, s.flushed
}

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
