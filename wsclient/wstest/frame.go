package wstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opcodes of frames (RFC 6455, section 5.2).
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// Frame is one frame, legal or not (RFC 6455, section 5.2).
type Frame struct {
	Opcode  byte
	Payload []byte // without its mask
	More    bool   // not the last frame of its message: the FIN bit is clear
	RSV     byte   // the three reserved bits, 1 to 7; 4 says that the message is compressed
	Masked  bool
	Key     [4]byte // of the mask
}

// Text returns a text message in one frame.
func Text(s string) Frame { return Frame{Opcode: OpText, Payload: []byte(s)} }

// Binary returns a binary message in one frame.
func Binary(p []byte) Frame { return Frame{Opcode: OpBinary, Payload: p} }

// Ping returns a ping.
func Ping(payload string) Frame { return Frame{Opcode: OpPing, Payload: []byte(payload)} }

// Pong returns a pong.
func Pong(payload string) Frame { return Frame{Opcode: OpPong, Payload: []byte(payload)} }

// CloseFrame returns a close frame with any code, also those that must not be sent. Code 0 leaves the payload empty.
func CloseFrame(code int, reason string) Frame {
	if code == 0 {
		return Frame{Opcode: OpClose}
	}
	return Frame{Opcode: OpClose, Payload: append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)}
}

// Close returns the code and the reason of a close frame, 0 if it has no code.
func (f Frame) Close() (code int, reason string) {
	if len(f.Payload) < 2 {
		return 0, ""
	}
	return int(binary.BigEndian.Uint16(f.Payload)), string(f.Payload[2:])
}

// String returns opcode and length, for the messages of tests.
func (f Frame) String() string {
	return fmt.Sprintf("frame{opcode %#x, %d bytes, more %t, masked %t}", f.Opcode, len(f.Payload), f.More, f.Masked)
}

// Bytes returns the frame as it goes over the network.
func (f Frame) Bytes() []byte { return f.Append(nil) }

// Append appends the frame, as it goes over the network, to b.
func (f Frame) Append(b []byte) []byte {
	first := f.Opcode&0x0F | f.RSV&0x07<<4
	if !f.More {
		first |= 0x80
	}
	var mask byte
	if f.Masked {
		mask = 0x80
	}
	switch n := len(f.Payload); {
	case n < 126:
		b = append(b, first, mask|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, first, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, mask|127), uint64(n))
	}
	if !f.Masked {
		return append(b, f.Payload...)
	}
	b = append(b, f.Key[:]...)
	for i, c := range f.Payload {
		b = append(b, c^f.Key[i%4])
	}
	return b
}

// maxFrame bounds a frame that ReadFrame accepts, in bytes.
const maxFrame = 64 << 20

// ReadFrame reads a frame and takes off its mask.
func ReadFrame(r io.Reader) (Frame, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return Frame{}, err
	}
	f := Frame{Opcode: b[0] & 0x0F, RSV: b[0] >> 4 & 0x07, More: b[0]&0x80 == 0, Masked: b[1]&0x80 != 0}
	n := uint64(b[1] & 0x7F)
	switch n {
	case 126:
		if err := readRest(r, b[:2]); err != nil {
			return Frame{}, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:2]))
	case 127:
		if err := readRest(r, b[:8]); err != nil {
			return Frame{}, err
		}
		n = binary.BigEndian.Uint64(b[:8])
	}
	if n > maxFrame {
		return Frame{}, errors.New("wstest: frame above 64 MiB")
	}
	if f.Masked {
		if err := readRest(r, f.Key[:]); err != nil {
			return Frame{}, err
		}
	}
	f.Payload = make([]byte, n)
	if err := readRest(r, f.Payload); err != nil {
		return Frame{}, err
	}
	if f.Masked {
		for i := range f.Payload {
			f.Payload[i] ^= f.Key[i%4]
		}
	}
	return f, nil
}

// readRest fills b; the end of the stream is a surprise here.
func readRest(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF && len(b) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
