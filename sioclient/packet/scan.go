package packet

import (
	"encoding/binary"
	"math/bits"
	"sort"
	"strconv"
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
		return nil
	}
	from := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.start })
	to := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.end })
	return marks[from:to]
}

// scanner goes over JSON once: it checks the syntax as encoding/json does (RFC 8259), bounds the nesting, and finds the
// placeholders of binary values. It decodes nothing and builds nothing.
//
// Its methods take the position where something begins and return the one behind its end, or -1.
type scanner struct {
	text    []byte
	depth   int    // how many levels may still be opened
	bin     int    // attachments to which placeholders may point; if 0, nothing is a placeholder
	marks   []mark // the placeholders, in the order of the text
	problem string // what is wrong, after a -1

	around []mark      // if ends is there: placeholders that are known
	ends   map[int]int // takes where the arrays and objects around them begin and end, and they themselves
}

func (s *scanner) fail(problem string) int {
	s.problem = problem
	return -1
}

// skip returns the position of the first byte from i on that is not white space, or the end of the text.
func (s *scanner) skip(i int) int {
	for ; i < len(s.text); i++ {
		switch s.text[i] {
		case ' ', '\t', '\n', '\r':
		default:
			return i
		}
	}
	return i
}

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

func (s *scanner) value(i int) int {
	switch c := s.at(i); c {
	case '"':
		return s.str(i)
	case '{':
		return s.object(i)
	case '[':
		return s.array(i)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	default:
		return s.number(i)
	}
}

func (s *scanner) word(i int, w string) int {
	if end := i + len(w); end <= len(s.text) && string(s.text[i:end]) == w {
		return end
	}
	return s.fail(badPayload)
}

// str reads eight bytes at a time up to the first that is a quote, a backslash or a control character.
func (s *scanner) str(i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	t := s.text
	for i++; ; i++ {
		for ; i+8 <= len(t); i += 8 {
			w := binary.LittleEndian.Uint64(t[i:])
			quote, slash := w^'"'*ones, w^'\\'*ones
			// The lowest high bit set in each term is exact; those above it may be the effect of a borrow.
			found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
		}
		switch c := s.at(i); {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
			switch s.at(i) {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for n := 1; n <= 4; n++ {
					if !isHex(s.at(i + n)) {
						return s.fail(badPayload)
					}
				}
				i += 4
			default:
				return s.fail(badPayload)
			}
		case c < ' ':
			return s.fail(badPayload)
		}
	}
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func (s *scanner) number(i int) int {
	if s.at(i) == '-' {
		i++
	}
	switch {
	case s.at(i) == '0':
		i++
	default:
		if i = s.digits(i); i < 0 {
			return i
		}
	}
	if s.at(i) == '.' {
		if i = s.digits(i + 1); i < 0 {
			return i
		}
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits wants at least one.
func (s *scanner) digits(i int) int {
	start := i
	for isDigit(s.at(i)) {
		i++
	}
	if i == start {
		return s.fail(badPayload)
	}
	return i
}

func (s *scanner) array(i int) int {
	if s.depth--; s.depth < 0 {
		return s.fail(tooDeep)
	}
	start := i
	i = s.skip(i + 1)
	if s.at(i) != ']' {
		for {
			if i = s.value(i); i < 0 {
				return i
			}
			i = s.skip(i)
			if s.at(i) != ',' {
				break
			}
			i = s.skip(i + 1)
		}
		if s.at(i) != ']' {
			return s.fail(badPayload)
		}
	}
	return s.closed(start, i+1)
}

// closed ends an array or an object.
func (s *scanner) closed(start, end int) int {
	s.depth++
	if s.ends != nil && len(within(s.around, span{start, end})) > 0 {
		s.ends[start] = end
	}
	return end
}

func (s *scanner) object(i int) int {
	if s.depth--; s.depth < 0 {
		return s.fail(tooDeep)
	}
	found := placeholder{num: -1}
	before := len(s.marks)
	start := i
	i = s.skip(i + 1)
	if s.at(i) != '}' {
		for {
			key := i
			if s.at(i) != '"' {
				return s.fail(badPayload)
			}
			if i = s.str(i); i < 0 {
				return i
			}
			keyEnd := i
			i = s.skip(i)
			if s.at(i) != ':' {
				return s.fail(badPayload)
			}
			value := s.skip(i + 1)
			if i = s.value(value); i < 0 {
				return i
			}
			if s.bin > 0 {
				found.member(s.text[key:keyEnd], s.text[value:i])
			}
			i = s.skip(i)
			if s.at(i) != ',' {
				break
			}
			i = s.skip(i + 1)
		}
		if s.at(i) != '}' {
			return s.fail(badPayload)
		}
	}
	if found.is {
		if found.num < 0 || found.num >= s.bin {
			return s.fail(badAttachments)
		}
		s.marks = append(s.marks[:before], mark{span{start, i + 1}, found.num})
	}
	return s.closed(start, i+1)
}

// placeholder gathers what the members of an object say about it: {"_placeholder":true,"num":0} stands for the first
// attachment. Other members are allowed and mean nothing; of equal ones the last counts, as in JavaScript.
type placeholder struct {
	is  bool
	num int // -1 if it is missing or not a plain integer
}

func (p *placeholder) member(key, value []byte) {
	switch name := unquote(key); string(name) {
	case "_placeholder":
		p.is = string(value) == "true"
	case "num":
		p.num = -1
		if n, err := strconv.Atoi(string(value)); err == nil && isDigit(value[0]) {
			p.num = n
		}
	}
}
