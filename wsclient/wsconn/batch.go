//go:build !js

package wsconn

import (
	"net"
	"sync"
)

// maxBatch is how many bytes a batch gathers before some of it goes out.
const maxBatch = 64 << 10

var batches = sync.Pool{New: func() any { b := make([]byte, 0, maxBatch); return &b }}

// send writes messages, each in one frame, and then control frames of our own, gathered into as few writes to the
// connection as possible. When it returns nil, all is in the hands of the system. It appends to ends where the messages
// end in the stream.
//
// Messages that are not to be compressed take this way instead of the one through the library: there, locks
// made of channels and a call for random bytes cost several times as much as the rest.
func (s *shim) send(msgs []Message, controls []byte, ends []int64) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ends, net.ErrClosed
	}
	s.batch = batches.Get().(*[]byte)
	defer s.endBatch()
	for i := range msgs {
		if err := s.writeMessage(byte(msgs[i].Type), msgs[i].Data); err != nil {
			return ends, err
		}
		ends = append(ends, s.queued)
	}
	if len(controls) > 0 {
		_, _ = s.accept(controls) // the error stays in s.err
	}
	return ends, s.spill()
}

// cork opens a batch: until flush, what the library writes is gathered. There is one batch at a time.
func (s *shim) cork() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch = batches.Get().(*[]byte)
}

// flush closes the batch. When it returns nil, everything accepted is in the hands of the system.
func (s *shim) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endBatch()
	return s.err
}

// endBatch runs with mu held. Its error stays in s.err.
func (s *shim) endBatch() {
	if s.batch == nil {
		return
	}
	_ = s.spill()
	batches.Put(s.batch)
	s.batch = nil
}

func (s *shim) writeMessage(opcode byte, p []byte) error {
	if s.err != nil {
		return s.err
	}
	if cap(*s.batch)-len(*s.batch) < maxHeader {
		if err := s.spill(); err != nil {
			return err
		}
	}
	before := len(*s.batch)
	*s.batch = appendHeader(*s.batch, opcode, len(p), s.client)
	var mask *pattern
	if s.client {
		mask = s.keys.next()
		*s.batch = append(*s.batch, mask[:keySize]...)
	}
	s.queued += int64(len(*s.batch) - before + len(p))
	return s.gather(p, mask)
}

// minDirect is the length from which on bytes that need no mask are written as they are once the batch is empty: copying
// them would cost more than a write.
const minDirect = 16 << 10

// gather copies p into the open batch, masked if there is a mask, and writes out what has no room.
func (s *shim) gather(p []byte, mask *pattern) error {
	for {
		b := *s.batch
		if mask == nil && len(b) == 0 && len(p) >= minDirect {
			s.writeOut(p)
			return s.err
		}
		n := min(len(p), cap(b)-len(b))
		if n < len(p) {
			n &^= keySize - 1 // the rest begins with the first byte of the key again
		}
		b = b[:len(b)+n]
		if mask == nil {
			copy(b[len(b)-n:], p)
		} else {
			mask.apply(b[len(b)-n:], p[:n])
		}
		*s.batch = b
		if p = p[n:]; len(p) == 0 {
			return nil
		}
		if err := s.spill(); err != nil {
			return err
		}
	}
}

// spill writes out what the open batch has gathered.
func (s *shim) spill() error {
	if s.err == nil && len(*s.batch) > 0 {
		s.writeOut(*s.batch)
	}
	*s.batch = (*s.batch)[:0]
	return s.err
}

func (s *shim) writeOut(p []byte) {
	answer := len(s.answer)
	if answer > 0 {
		p = append(s.answer, p...)
		s.answer = nil
	}
	n, err := s.body.Write(p)
	s.flushed += int64(max(0, n-answer))
	s.err = err
}

// Write takes a frame, or a part of one, from the library: a close frame, or a compressed message.
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

// writeControl sends control frames of our own, built by appendControl. After a close frame it does nothing.
func (s *shim) writeControl(frames []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || len(frames) == 0 {
		return nil
	}
	_, err := s.accept(frames)
	return err
}

// accept puts whole or partial frames into the open batch or, without one, on the connection. It runs with mu held.
func (s *shim) accept(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.queued += int64(len(p))
	if s.batch == nil {
		s.writeOut(p)
	} else {
		s.err = s.gather(p, nil)
	}
	if s.err != nil {
		return 0, s.err
	}
	return len(p), nil
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
