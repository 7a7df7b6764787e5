package packet

import (
	"bytes"
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
		return nil // which is so in all but binary packets
	}
	from := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.start })
	to := sort.Search(len(marks), func(i int) bool { return marks[i].start >= s.end })
	return marks[from:to]
}

// scanner goes over JSON once: it checks the syntax as encoding/json does (RFC 8259), bounds the nesting, and finds the
// placeholders of binary values. It decodes nothing and builds nothing.
//
// Its methods, and the functions that end in End, take the position where something begins and return the one behind its end,
// or -1.
type scanner struct {
	text    []byte
	depth   int    // how many levels may still be opened
	bin     int    // attachments to which placeholders may point; if 0, nothing is a placeholder
	marks   []mark // the placeholders, in the order of the text
	problem string // what is wrong, after a -1

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

// value is a loop and not a recursion, and has one bit for each open array or object: this is the code through which each
// byte of each packet goes.
func (s *scanner) value(i int) int {
	t := s.text
	var few [8]uint64
	objects := few[:] // bit n says whether what was opened as number n is an object
	open := 0
	object := false // whether the innermost is one
	track := s.bin > 0 || s.ends != nil
	key := false // whether the next string is the key of a member
	for {
		if key {
			start := i
			if i >= len(t) || t[i] != '"' {
				return s.fail(badPayload)
			}
			if i = stringEnd(t, i); i < 0 {
				return s.fail(badPayload)
			}
			end := i
			if i = skip(t, i); i >= len(t) || t[i] != ':' {
				return s.fail(badPayload)
			}
			i = skip(t, i+1)
			key = false
			if track {
				s.named(span{start, end}, i)
			}
		}
		if i >= len(t) {
			return s.fail(badPayload)
		}
		switch c := t[i]; c {
		case '"':
			i = stringEnd(t, i)
		case 't':
			i = wordEnd(t, i, "true")
		case 'f':
			i = wordEnd(t, i, "false")
		case 'n':
			i = wordEnd(t, i, "null")
		case '{', '[':
			if open == s.depth {
				return s.fail(tooDeep)
			}
			if open/64 == len(objects) {
				objects = append(objects, 0)
			}
			if track {
				s.opened(i)
			}
			if object = c == '{'; object {
				objects[open/64] |= 1 << (open % 64)
			} else {
				objects[open/64] &^= 1 << (open % 64)
			}
			open++
			i = skip(t, i+1)
			if i >= len(t) || t[i] != c+2 { // in ASCII both closing brackets are two after the opening ones
				key = object
				continue
			}
		default:
			i = numberEnd(t, i)
		}
		if i < 0 {
			return s.fail(badPayload)
		}
		// Behind a value, or before the end of what has no members, are commas and ends.
		for open > 0 {
			if i = skip(t, i); i >= len(t) {
				return s.fail(badPayload)
			}
			if track && object {
				s.valued(i)
			}
			c := t[i]
			if c == ',' {
				i = skip(t, i+1)
				key = object
				break
			}
			if c|0x20 != '}' || object != (c == '}') {
				return s.fail(badPayload)
			}
			i++
			if track && !s.closed(i, object) {
				return s.fail(badAttachments)
			}
			if open--; open > 0 {
				object = objects[(open-1)/64]>>((open-1)%64)&1 == 1
			}
		}
		if open == 0 {
			return i
		}
	}
}

// stringEnd reads eight bytes at a time up to the first that is a quote, a backslash or a control character.
func stringEnd(t []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for i++; ; i++ {
		for i <= len(t)-8 {
			w := binary.LittleEndian.Uint64(t[i:])
			quote, slash := w^'"'*ones, w^'\\'*ones
			// The lowest high bit set in each term is exact; those above it may be the effect of a borrow.
			found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		if i >= len(t) {
			return -1
		}
		c := t[i]
		if c == '"' {
			return i + 1
		}
		if c == '\\' {
			if i = escapeEnd(t, i); i < 0 {
				return -1
			}
		} else if c < ' ' {
			return -1
		}
	}
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

func wordEnd(t []byte, i int, w string) int {
	if end := i + len(w); end <= len(t) && string(t[i:end]) == w {
		return end
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

// frame is an open array or object, as far as placeholders want to know.
type frame struct {
	start  int
	before int  // how many marks there were
	key    span // of the current member
	value  int  // where its value begins; 0 if there is no member
	found  placeholder
}

func (s *scanner) opened(i int) {
	s.frames = append(s.frames, frame{start: i, before: len(s.marks), found: placeholder{num: -1}})
}

// named notes the key of a member, and where its value begins.
func (s *scanner) named(key span, value int) {
	f := &s.frames[len(s.frames)-1]
	f.key, f.value = key, value
}

// valued looks at a member whose value is complete; white space may follow it up to end.
func (s *scanner) valued(end int) {
	f := &s.frames[len(s.frames)-1]
	if s.bin > 0 && f.value > 0 {
		f.found.member(s.text[f.key.start:f.key.end], bytes.TrimRight(s.text[f.value:end], " \t\r\n"))
	}
	f.value = 0
}

// closed ends an array or an object behind which end is. An object that is a placeholder, whatever is within it, must point
// to an attachment.
func (s *scanner) closed(end int, object bool) bool {
	f := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	whole := span{f.start, end}
	if object && f.found.is {
		if f.found.num < 0 || f.found.num >= s.bin {
			return false
		}
		s.marks = append(s.marks[:f.before], mark{whole, f.found.num})
	}
	if s.ends != nil && len(within(s.around, whole)) > 0 {
		s.ends[f.start] = end
	}
	return true
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
