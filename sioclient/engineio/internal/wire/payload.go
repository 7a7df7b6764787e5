package wire

import (
	"bytes"
	"iter"
	"strconv"
	"unicode/utf8"
)

// Separator stands between the packets of a payload in revision 4. The text of a message that goes through a payload
// must not contain it; JSON never does.
const Separator = 0x1e

// maxLengthDigits bounds the lengths in payloads of revision 3. What is longer than its payload is refused anyway.
const maxLengthDigits = 18

// AppendPayload appends a packet to a payload of text, which dst is from its first byte on.
func (r Revision) AppendPayload(dst []byte, p Packet) []byte {
	if r == V4 {
		if len(dst) > 0 {
			dst = append(dst, Separator)
		}
		return r.AppendText(dst, p)
	}
	n := r.TextLen(p)
	if !p.Binary {
		n = 1 + utf16Len(p.Data)
	}
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, ':')
	return r.AppendText(dst, p)
}

// utf16Len returns the length of text in UTF-16 code units, which is the length of a JavaScript string.
func utf16Len(text []byte) int {
	n := 0
	for _, c := range text {
		if c&0xC0 != 0x80 { // the first byte of a character
			n++
		}
		if c >= 0xF0 { // one outside of the basic plane: a surrogate pair
			n++
		}
	}
	return n
}

// Payload yields the packets of a payload of text in order. An error is the last pair; the packets before it are good.
// It starts anew each time. The data of packets that are not binary is a part of body.
func (r Revision) Payload(body []byte) iter.Seq2[Packet, error] {
	next := nextSeparated
	if r == V3 {
		next = nextCounted
	}
	return func(yield func(Packet, error) bool) {
		rest := body
		for more := true; more; {
			var text []byte
			var err error
			text, rest, more, err = next(rest)
			if err == nil && !utf8.Valid(text) {
				err = malformed("text is not UTF-8")
			}
			var p Packet
			if err == nil && len(text) == 0 && r == V3 {
				continue // "0:" is how an empty payload is written
			}
			if err == nil {
				p, err = r.ParseText(text)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// nextSeparated cuts the first packet off a payload of revision 4.
func nextSeparated(body []byte) (text, rest []byte, more bool, err error) {
	text, rest, more = bytes.Cut(body, []byte{Separator})
	return text, rest, more, nil
}

// nextCounted cuts the first packet off a text payload of revision 3: its length in UTF-16 code units, a colon, and the
// packet.
func nextCounted(body []byte) (text, rest []byte, more bool, err error) {
	head, _, ok := bytes.Cut(body[:min(len(body), maxLengthDigits+1)], []byte{':'})
	if !ok || len(head) == 0 {
		return nil, nil, false, malformed("no length before a packet")
	}
	units := 0
	for _, c := range head {
		if c < '0' || c > '9' {
			return nil, nil, false, malformed("invalid length of a packet")
		}
		units = units*10 + int(c-'0')
	}
	rest = body[len(head)+1:]
	end := 0
	for units > 0 {
		if end == len(rest) {
			return nil, nil, false, malformed("packet shorter than its length")
		}
		char, size := utf8.DecodeRune(rest[end:])
		end += size
		if units--; char > 0xFFFF {
			units--
		}
	}
	if units < 0 {
		return nil, nil, false, malformed("length of a packet ends within a character")
	}
	return rest[:end], rest[end:], end < len(rest), nil
}

// SpeaksV3 reports whether the answer to a handshake is a text payload of revision 3: a number and a colon, before an
// open packet. Servers of Socket.IO 2 answer so whatever revision they are asked for.
func SpeaksV3(body []byte) bool {
	head, rest, ok := bytes.Cut(body[:min(len(body), maxLengthDigits+2)], []byte{':'})
	if !ok || len(head) == 0 || len(rest) > 0 && rest[0] != '0'+byte(Open) {
		return false
	}
	return len(bytes.Trim(head, "0123456789")) == 0
}
