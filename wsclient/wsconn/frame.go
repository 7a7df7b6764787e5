//go:build !js

package wsconn

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync/atomic"
)

// Opcodes of frames (RFC 6455, section 5.2).
const (
	opContinuation = 0x0
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	maxHeader  = 14  // the longest frame header, in bytes
	maxControl = 125 // the longest payload of a control frame, in bytes
)

// header is the part of a frame's header that this package looks at. Its size is that of the header itself.
type header struct {
	opcode  byte
	fin     bool
	rsv1    bool // compressed, on the first frame of a message (RFC 7692, section 6)
	masked  bool
	payload int64
	size    int
}

// parseHeader reads the header at the beginning of b; ok is false as long as b does not hold all of it.
// A length above the largest int64, which no peer may send, becomes the largest int64.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < 2 {
		return header{}, false
	}
	h = header{
		opcode:  b[0] & 0x0F,
		fin:     b[0]&0x80 != 0,
		rsv1:    b[0]&0x40 != 0,
		masked:  b[1]&0x80 != 0,
		payload: int64(b[1] & 0x7F),
		size:    2,
	}
	switch h.payload {
	case 126:
		h.size = 4
	case 127:
		h.size = 10
	}
	long := h.size
	if h.masked {
		h.size += 4
	}
	if len(b) < h.size {
		return header{}, false
	}
	switch long {
	case 4:
		h.payload = int64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.payload = int64(min(binary.BigEndian.Uint64(b[2:]), math.MaxInt64))
	}
	return h, true
}

// appendHeader appends the header of an unfragmented frame, without its masking key.
func appendHeader(b []byte, opcode byte, payload int, masked bool) []byte {
	first, mask := 0x80|opcode, byte(0)
	if masked {
		mask = 0x80
	}
	switch {
	case payload < 126:
		return append(b, first, mask|byte(payload))
	case payload <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, first, mask|126), uint16(payload))
	default:
		return binary.BigEndian.AppendUint64(append(b, first, mask|127), uint64(payload))
	}
}

// appendControl appends a control frame. The payload must not be longer than maxControl.
func appendControl(b []byte, opcode byte, payload []byte, client bool) []byte {
	b = appendHeader(b, opcode, len(payload), client)
	if !client {
		return append(b, payload...)
	}
	var mask pattern
	rand.Read(mask[:keySize]) // never fails
	b = append(b, mask[:keySize]...)
	b = append(b, payload...)
	masked := b[len(b)-len(payload):]
	mask.apply(masked, masked)
	return b
}

// scanner follows the frames in the bytes that arrive. The library below neither notices a frame whose mask
// is wrong on the client's side nor says how long a message was that passed the limit.
type scanner struct {
	masked  bool  // what the peer's frames must be (RFC 6455, section 5.1)
	limit   int64 // length of a message from which on its size is of interest; negative means never
	left    int64 // payload bytes of the current frame that have not passed yet
	message int64 // announced length of the current message so far
	open    bool  // whether more frames of the current message must come
	partial [maxHeader]byte
	have    int          // bytes of an incomplete header in partial
	begun   []int64      // lengths of the messages that have begun since it was emptied, see length
	tooBig  atomic.Int64 // announced length of the first message above the limit; 0 if there was none
}

// between reports whether the stream is at a place where it may end: not inside a message, not inside a frame.
func (s *scanner) between() bool { return s.left == 0 && s.have == 0 && !s.open }

// scan looks at the next bytes of the stream. It returns how many of them may be handed on: all, unless a frame is
// masked wrongly, or if pause is set and a long frame begins: then those up to its payload.
func (s *scanner) scan(p []byte, pause bool) (n int, ok bool) {
	for n < len(p) {
		if s.left > 0 {
			skip := min(s.left, int64(len(p)-n))
			s.left -= skip
			n += int(skip)
			continue
		}
		h, used, complete := s.header(p[n:])
		if !complete {
			return len(p), true
		}
		if h.masked != s.masked {
			return n, false
		}
		s.note(h)
		n += used
		if pause && h.payload >= libraryBlock {
			return n, true
		}
	}
	return n, true
}

// header reads a header that may have begun in earlier bytes; used counts those taken from p.
func (s *scanner) header(p []byte) (h header, used int, complete bool) {
	if s.have == 0 {
		if h, complete = parseHeader(p); complete {
			return h, h.size, true
		}
	}
	before := s.have
	s.have += copy(s.partial[before:], p)
	h, complete = parseHeader(s.partial[:s.have])
	if !complete {
		return header{}, 0, false
	}
	s.have = 0
	return h, h.size - before, true
}

// length returns the length of a message that begins with h, or -1 if it consists of several frames, is compressed or
// above the limit.
func (s *scanner) length(h header) int64 {
	if !h.fin || h.rsv1 || h.payload > math.MaxInt || s.over(h.payload) {
		return -1
	}
	return h.payload
}

// over reports whether a message of n bytes is above the limit.
func (s *scanner) over(n int64) bool { return s.limit >= 0 && n > s.limit }

func (s *scanner) note(h header) {
	s.left = h.payload
	if h.opcode >= opClose {
		return
	}
	s.open = !h.fin
	if h.opcode != opContinuation {
		s.begun = append(s.begun, s.length(h))
	}
	if h.opcode != opContinuation {
		s.message = 0
		if h.rsv1 {
			s.message = math.MinInt64 // compressed: its length says nothing about that of the message
		}
	}
	if s.message > math.MaxInt64-h.payload {
		s.message = math.MaxInt64
	} else {
		s.message += h.payload
	}
	if s.over(s.message) {
		s.tooBig.CompareAndSwap(0, s.message)
	}
}
