package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
)

// clientFrame makes a complete masked frame.
func clientFrame(opcode byte, payload []byte) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n)) //nolint:gosec // checked
	case n < 1<<16:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n)) //nolint:gosec // checked
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // not negative
	}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// message is one message of the server: what it begins with, and how long it is.
type message struct {
	opcode byte
	size   int
	head   [64]byte
}

// start returns the first bytes, at most 64.
func (m *message) start() []byte { return m.head[:min(m.size, len(m.head))] }

var errClosed = errors.New("the server closed the connection")

// read reads a message, whatever number of frames it comes in. Control frames are skipped.
func (m *message) read(r *bufio.Reader) error {
	m.size = 0
	for {
		opcode, fin, n, err := readHeader(r)
		if err != nil {
			return err
		}
		switch {
		case opcode == opClose:
			return errClosed
		case opcode > opClose:
			if _, err := r.Discard(n); err != nil {
				return err
			}
			continue
		case opcode != 0:
			m.opcode = opcode
		}
		keep := 0
		if m.size < len(m.head) {
			keep = min(n, len(m.head)-m.size)
			part, err := r.Peek(keep)
			if err != nil {
				return err
			}
			copy(m.head[m.size:], part)
		}
		if _, err := r.Discard(n); err != nil {
			return err
		}
		m.size += n
		if fin {
			return nil
		}
	}
}

func readHeader(r *bufio.Reader) (opcode byte, fin bool, size int, err error) {
	h, err := r.Peek(2)
	if err != nil {
		return 0, false, 0, err
	}
	opcode, fin, size = h[0]&0xf, h[0]&0x80 != 0, int(h[1])
	switch {
	case h[1]&0x80 != 0 || h[0]&0x70 != 0:
		return 0, false, 0, fmt.Errorf("frame header % x of a server", h)
	case size == 126:
		if h, err = r.Peek(4); err != nil {
			return 0, false, 0, err
		}
		size = int(binary.BigEndian.Uint16(h[2:]))
	case size == 127:
		if h, err = r.Peek(10); err != nil {
			return 0, false, 0, err
		}
		size = int(binary.BigEndian.Uint64(h[2:])) //nolint:gosec // of a server that is not hostile
	}
	_, err = r.Discard(len(h))
	return opcode, fin, size, err
}
