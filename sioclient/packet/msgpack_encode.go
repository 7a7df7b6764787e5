package packet

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

// msgpack appends a packet as a map. Its arguments are encoded as JSON first and then turned into MessagePack: so both
// forms hold the same, whatever the values are.
func (e *encoder) msgpack(pkt *Packet, values []any) error {
	start := len(e.dst)
	m := msgpackFromJSON{bin: e.bin}
	hasData := pkt.Data != nil
	if pkt.Type == Event || pkt.Type == Ack {
		if err := e.array(pkt, values); err != nil {
			return err
		}
		hasData = true
		m.bin = e.bin
		if len(e.bin) > 0 {
			marks, err := e.marks(start)
			if err != nil {
				return err
			}
			m.marks = marks
		}
	} else {
		e.dst = append(e.dst, pkt.Data...)
	}
	m.scan = scanner{text: e.dst[start:], depth: maxDepth}
	m.out = make([]byte, 0, len(m.scan.text)+32)
	keys := 2
	if hasData {
		keys++
	}
	if pkt.HasID {
		keys++
	}
	m.out = append(m.out, 0x80|byte(keys))
	m.str("type")
	m.out = append(m.out, byte(pkt.Type))
	m.str("nsp")
	m.str(or(pkt.Namespace, "/"))
	if hasData {
		m.str("data")
		m.value(m.scan.skip(0))
	}
	if pkt.HasID {
		m.str("id")
		m.uint(pkt.ID)
	}
	e.dst = append(e.dst[:start], m.out...)
	e.bin = nil // they are in there
	return nil
}

// msgpackFromJSON turns valid JSON into MessagePack (the specification of msgpack.org, 2.0), each value in its shortest
// form. Numbers that are no integers of 64 bits are doubles.
type msgpackFromJSON struct {
	scan  scanner
	marks []mark // placeholders that are still to come
	bin   [][]byte
	out   []byte
}

// value appends the value at i of the text, and returns the position behind it.
func (m *msgpackFromJSON) value(i int) int {
	switch m.scan.at(i) {
	case 'n':
		m.out = append(m.out, 0xc0)
		return i + len("null")
	case 'f':
		m.out = append(m.out, 0xc2)
		return i + len("false")
	case 't':
		m.out = append(m.out, 0xc3)
		return i + len("true")
	case '"':
		return m.quoted(i)
	case '[':
		return m.items(i, ']', 0x90, 0xdc)
	case '{':
		if len(m.marks) > 0 && m.marks[0].start == i {
			end := m.marks[0].end
			m.blob(m.bin[m.marks[0].num])
			m.marks = m.marks[1:]
			return end
		}
		return m.items(i, '}', 0x80, 0xde)
	default:
		end := numberEnd(m.scan.text, i)
		m.number(m.scan.text[i:end])
		return end
	}
}

// items appends an array or a map. Its head, which says how many items there are, is completed at the end.
func (m *msgpackFromJSON) items(i int, closing, short, long byte) int {
	head := len(m.out)
	m.out = append(m.out, short)
	n := 0
	for i = m.scan.skip(i + 1); m.scan.at(i) != closing; n++ {
		if closing == '}' {
			i = m.scan.skip(m.quoted(i)) + 1 // over the colon
		}
		i = m.scan.skip(m.value(m.scan.skip(i)))
		if m.scan.at(i) == ',' {
			i = m.scan.skip(i + 1)
		}
	}
	switch {
	case n < 16:
		m.out[head] |= byte(n)
	case n <= math.MaxUint16:
		m.out[head] = long
		m.out = slices.Insert(m.out, head+1, binary.BigEndian.AppendUint16(nil, uint16(n))...)
	default:
		m.out[head] = long + 1
		m.out = slices.Insert(m.out, head+1, binary.BigEndian.AppendUint32(nil, uint32(n))...)
	}
	return i + 1
}

func (m *msgpackFromJSON) quoted(i int) int {
	end := stringEnd(m.scan.text, i)
	m.str(string(unquote(m.scan.text[i:end])))
	return end
}

func (m *msgpackFromJSON) str(s string) {
	switch n := len(s); {
	case n < 32:
		m.out = append(m.out, 0xa0|byte(n))
	case n <= math.MaxUint8:
		m.out = append(m.out, 0xd9, byte(n))
	case n <= math.MaxUint16:
		m.out = binary.BigEndian.AppendUint16(append(m.out, 0xda), uint16(n))
	default:
		m.out = binary.BigEndian.AppendUint32(append(m.out, 0xdb), uint32(n))
	}
	m.out = append(m.out, s...)
}

func (m *msgpackFromJSON) blob(b []byte) {
	switch n := len(b); {
	case n <= math.MaxUint8:
		m.out = append(m.out, 0xc4, byte(n))
	case n <= math.MaxUint16:
		m.out = binary.BigEndian.AppendUint16(append(m.out, 0xc5), uint16(n))
	default:
		m.out = binary.BigEndian.AppendUint32(append(m.out, 0xc6), uint32(n))
	}
	m.out = append(m.out, b...)
}

func (m *msgpackFromJSON) number(digits []byte) {
	if bytes.ContainsAny(digits, ".eE") {
		m.double(digits)
		return
	}
	if digits[0] != '-' {
		n, err := strconv.ParseUint(string(digits), 10, 64)
		if err != nil {
			m.double(digits)
			return
		}
		m.uint(n)
		return
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	switch {
	case err != nil:
		m.double(digits)
	case n >= -32:
		m.out = append(m.out, byte(n))
	case n >= math.MinInt8:
		m.out = append(m.out, 0xd0, byte(n))
	case n >= math.MinInt16:
		m.out = binary.BigEndian.AppendUint16(append(m.out, 0xd1), uint16(n))
	case n >= math.MinInt32:
		m.out = binary.BigEndian.AppendUint32(append(m.out, 0xd2), uint32(n))
	default:
		m.out = binary.BigEndian.AppendUint64(append(m.out, 0xd3), uint64(n))
	}
}

func (m *msgpackFromJSON) uint(n uint64) {
	switch {
	case n < 128:
		m.out = append(m.out, byte(n))
	case n <= math.MaxUint8:
		m.out = append(m.out, 0xcc, byte(n))
	case n <= math.MaxUint16:
		m.out = binary.BigEndian.AppendUint16(append(m.out, 0xcd), uint16(n))
	case n <= math.MaxUint32:
		m.out = binary.BigEndian.AppendUint32(append(m.out, 0xce), uint32(n))
	default:
		m.out = binary.BigEndian.AppendUint64(append(m.out, 0xcf), n)
	}
}

// double appends a number of any size: one that is too large is infinite, as in JavaScript.
func (m *msgpackFromJSON) double(digits []byte) {
	f, _ := strconv.ParseFloat(string(digits), 64) // the only error is that of the range
	m.out = binary.BigEndian.AppendUint64(append(m.out, 0xcb), math.Float64bits(f))
}
