package packet

import (
	"encoding/binary"
	"math/bits"
	"sort"
)

// What a scanner finds wrong.
const (
	badPayload     = "invalid payload"
	badAttachments = "illegal attachments"
	tooDeep        = "nested too deeply"
	tooManyArgs    = "too many arguments"
)

// span is a part of a text.
type span struct{ start, end int }

// mark is an object of a text that stands for an attachment.
type mark struct {
	span
	num int
}

// within returns those of the marks that are inside of s.
func within(marks []mark, s span) []mark {
	if len(marks) == 0 {
		return nil // which is so in all but binary packets
	}
	from := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.start })
	to := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.end })
	return marks[from:to]
}

// scanner goes over JSON: it checks the syntax as encoding/json does (RFC 8259) and bounds the nesting, and where there may be
// placeholders of binary values it finds them in a second go. It decodes nothing and builds nothing.
//
// Its methods, and the functions that end in End, take the position where something begins and return the one behind its end,
// or -1.
type scanner struct {
	text    []byte
	depth   int      // how many levels may still be opened
	bin     int      // attachments to which placeholders may point; if 0, nothing is a placeholder
	marks   []mark   // the placeholders, in the order of the text
	problem string   // what is wrong, after a -1
	outer   []uint64 // what end has no room for in one word

	frames []frame     // what is open, if placeholders are looked for
	around []mark      // if ends is there: placeholders that are known
	ends   map[int]int // takes where the arrays and objects around them begin and end, and they themselves
}

func (s *scanner) fail(problem string) int {
	s.problem = problem
	return -1
}

// skip returns the position of the first byte from i on that is not white space, or the end of the text. There hardly ever
// is any, so it is small enough to be inlined.
func (s *scanner) skip(i int) int { return skip(s.text, i) }

func skip(t []byte, i int) int {
	if i < len(t) && t[i] > ' ' {
		return i
	}
	return skipSpace(t, i)
}

func skipSpace(t []byte, i int) int {
	for i < len(t) && isSpace(t[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// at returns byte i, and 0, which is no part of any syntax, behind the end.
func (s *scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// only returns the span of the one value that the text is, white space aside.
func (s *scanner) only() (span, bool) {
	start := s.skip(0)
	end := s.value(start)
	if end < 0 {
		return span{}, false
	}
	if s.skip(end) != len(s.text) {
		s.fail(badPayload)
		return span{}, false
	}
	return span{start, end}, true
}

// value checks a value, and finds the placeholders in it.
func (s *scanner) value(i int) int {
	end := s.end(i)
	if end >= 0 && (s.bin > 0 || s.ends != nil) && !s.track(i, end) {
		return s.fail(badAttachments)
	}
	return end
}

// end checks a value. It is a loop and not a recursion, has one bit for each open array or object, and calls nothing for
// what most values consist of: this is the code through which each byte of each packet goes.
func (s *scanner) end(i int) int {
	t := s.text[:len(s.text):len(s.text)]
	var kinds uint64 // whether what is open is an object; the lowest bit is that of the innermost
	open := 0
	key := false // whether a key, and a colon behind it, must come next
scan:
	for i < len(t) {
		c := t[i]
		switch {
		case c == '"':
			end := -1
			if i+8 < len(t) { // most strings are short
				if found := special(binary.LittleEndian.Uint64(t[i+1 : i+9])); found != 0 {
					if at := i + 1 + bits.TrailingZeros64(found)/8; t[at] == '"' {
						end = at + 1
					}
				}
			}
			if end < 0 {
				if end = stringEnd(t, i); end < 0 {
					return s.fail(badPayload)
				}
			}
			i = end
			if !key {
				break
			}
			if i >= len(t) || t[i] != ':' {
				if i = skip(t, i); i >= len(t) || t[i] != ':' {
					return s.fail(badPayload)
				}
			}
			i++
			key = false
			continue
		case key || c <= ' ':
			if !isSpace(c) {
				return s.fail(badPayload)
			}
			i++
			continue
		case isDigit(c):
			start := i
			for i++; i < len(t) && isDigit(t[i]); i++ {
			}
			if c == '0' || i < len(t) && (t[i] == '.' || t[i]|0x20 == 'e') {
				i = numberEnd(t, start) // no integer
			}
		case c|0x20 == '{': // or '['
			if open == s.depth {
				return s.fail(tooDeep)
			}
			if open++; open%64 == 0 {
				s.outer = append(s.outer, kinds)
			}
			kinds <<= 1
			if key = c == '{'; key {
				kinds |= 1
			}
			i = skip(t, i+1)
			if i >= len(t) || t[i] != c+2 { // in ASCII both closing brackets are two after the opening ones
				continue
			}
			key = false
		case c == '-':
			i = numberEnd(t, i)
		default:
			i = wordEnd(t, i)
		}
		if i < 0 {
			return s.fail(badPayload)
		}
		// Behind a value, or before the end of what has no members, are commas and ends.
		for open > 0 {
			if i >= len(t) {
				return s.fail(badPayload)
			}
			switch c := t[i]; {
			case c == ',':
				i++
				key = kinds&1 != 0
				continue scan
			case c == ']'+byte(kinds&1)<<5: // a brace is 32 after the bracket
				if kinds >>= 1; open%64 == 0 {
					last := len(s.outer) - 1
					kinds, s.outer = s.outer[last], s.outer[:last]
				}
				open--
				i++
			case isSpace(c):
				i++
			default:
				return s.fail(badPayload)
			}
		}
		return i
	}
	return s.fail(badPayload)
}

const ones, highs = 0x0101010101010101, 0x8080808080808080

// special returns a word whose lowest bit that is set is the highest of the first byte of w that is a quote, a backslash or a
// control character; bits above it may be the effect of a borrow.
func special(w uint64) uint64 {
	return ((w ^ '"'*ones - ones) | (w ^ '\\'*ones - ones) | (w - ' '*ones)) &^ w & highs
}

// stringEnd reads eight bytes at a time up to the first that is a quote, a backslash or a control character.
func stringEnd(t []byte, i int) int {
	i++
	for {
		if i > len(t)-8 {
			return lastEnd(t, i)
		}
		found := special(binary.LittleEndian.Uint64(t[i:]))
		i += bits.TrailingZeros64(found) / 8 // eight if there is none
		if found == 0 {
			continue
		}
		switch t[i] {
		case '"':
			return i + 1
		case '\\':
			if i = escapeEnd(t, i) + 1; i == 0 {
				return -1
			}
		default:
			return -1
		}
	}
}

// lastEnd is stringEnd for the last bytes of the text.
func lastEnd(t []byte, i int) int {
	for ; i < len(t) && t[i] >= ' '; i++ {
		switch t[i] {
		case '"':
			return i + 1
		case '\\':
			if i = escapeEnd(t, i); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// escapeEnd returns the position of the last byte of an escape.
func escapeEnd(t []byte, i int) int {
	if i++; i >= len(t) {
		return -1
	}
	switch t[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i
	case 'u':
		if i+4 >= len(t) {
			return -1
		}
		for _, c := range t[i+1 : i+5] {
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return -1
			}
		}
		return i + 4
	}
	return -1
}

func wordEnd(t []byte, i int) int {
	switch {
	case len(t)-i >= 4 && (string(t[i:i+4]) == "true" || string(t[i:i+4]) == "null"):
		return i + 4
	case len(t)-i >= 5 && string(t[i:i+5]) == "false":
		return i + 5
	}
	return -1
}

func numberEnd(t []byte, i int) int {
	if i < len(t) && t[i] == '-' {
		i++
	}
	first := i
	if i = digitsEnd(t, i); i < 0 || t[first] == '0' && i > first+1 {
		return -1
	}
	if i < len(t) && t[i] == '.' {
		if i = digitsEnd(t, i+1); i < 0 {
			return -1
		}
	}
	if i < len(t) && t[i]|0x20 == 'e' {
		i++
		if i < len(t) && (t[i] == '+' || t[i] == '-') {
			i++
		}
		return digitsEnd(t, i)
	}
	return i
}

// digitsEnd wants at least one.
func digitsEnd(t []byte, i int) int {
	start := i
	for i < len(t) && isDigit(t[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func isDigit(c byte) bool { return c-'0' <= 9 }
