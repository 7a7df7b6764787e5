package wire

import (
	"iter"
	"strconv"
	"unicode/utf8"
)

// Kinds of the packets in a binary payload of revision 3, and the end of their lengths.
const (
	kindText   = 0x00
	kindBinary = 0x01
	lengthEnd  = 0xFF
)

// AppendBinaryPayload appends a packet to a binary payload, which only revision 3 has: a byte for its kind, its length
// in decimal with a byte from 0 to 9 per digit, the byte 255, and the packet.
func AppendBinaryPayload(dst []byte, p Packet) []byte {
	kind := byte(kindText)
	if p.Binary {
		kind = kindBinary
	}
	dst = append(dst, kind)
	var digits [20]byte
	for _, c := range strconv.AppendInt(digits[:0], int64(1+len(p.Data)), 10) {
		dst = append(dst, c-'0')
	}
	dst = append(dst, lengthEnd)
	if p.Binary {
		return V3.AppendBinary(dst, p.Data)
	}
	return V3.AppendText(dst, p)
}

// BinaryPayload yields the packets of a binary payload of revision 3 in order. An error is the last pair; the packets
// before it are good. It starts anew each time. The data of packets is a part of body, that of binary ones as well.
func BinaryPayload(body []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		rest := body
		for more := true; more; {
			var kind byte
			var packet []byte
			var err error
			kind, packet, rest, err = nextBinary(rest)
			more = len(rest) > 0
			var p Packet
			switch {
			case err != nil:
			case kind == kindBinary:
				p, err = V3.ParseBinary(packet)
			case !utf8.Valid(packet):
				err = malformed("text is not UTF-8")
			case len(packet) == 0:
				continue // skipped, as in a payload of text
			default:
				p, err = V3.ParseText(packet)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// nextBinary cuts the first packet off a binary payload.
func nextBinary(body []byte) (kind byte, packet, rest []byte, err error) {
	if len(body) == 0 {
		return 0, nil, nil, malformed("empty payload")
	}
	kind = body[0]
	if kind > kindBinary {
		return 0, nil, nil, malformed("unknown kind of a packet")
	}
	length, i := 0, 1
	for ; ; i++ {
		switch {
		case i == len(body), i > maxLengthDigits+1:
			return 0, nil, nil, malformed("no end of the length of a packet")
		case body[i] == lengthEnd && i == 1:
			return 0, nil, nil, malformed("no length before a packet")
		case body[i] != lengthEnd && body[i] > 9:
			return 0, nil, nil, malformed("invalid length of a packet")
		}
		if body[i] == lengthEnd {
			break
		}
		length = length*10 + int(body[i])
	}
	rest = body[i+1:]
	if length > len(rest) {
		return 0, nil, nil, malformed("packet shorter than its length")
	}
	// The capacity ends here too: whoever is handed a binary message may append to it.
	return kind, rest[:length:length], rest[length:], nil
}
