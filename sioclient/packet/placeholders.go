package packet

import (
	"bytes"
	"strconv"
)

// frame is an open array or object, as far as placeholders want to know.
type frame struct {
	start  int
	object bool
	before int  // how many marks there were
	key    span // of the current member
	value  int  // where its value begins; 0 if there is no member
	found  placeholder
}

// track finds the placeholders in a value from i to end that is known to be valid, and reports whether there are
// attachments for all of them.
func (s *scanner) track(i, end int) bool {
	for i < end {
		switch s.text[i] {
		case '{', '[':
			s.frames = append(s.frames, frame{
				start: i, object: s.text[i] == '{', before: len(s.marks), found: placeholder{num: -1},
			})
			i++
		case '"':
			key := span{i, stringEnd(s.text, i)}
			i = key.end
			if len(s.frames) == 0 {
				continue
			}
			if f := &s.frames[len(s.frames)-1]; f.object && f.value == 0 {
				i = s.skip(s.skip(i) + 1) // over the colon
				f.key, f.value = key, i
			}
		case ',':
			s.valued(i)
			i++
		case '}', ']':
			s.valued(i)
			i++
			if !s.closed(i) {
				return false
			}
		default:
			i++
		}
	}
	return true
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
func (s *scanner) closed(end int) bool {
	f := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	whole := span{f.start, end}
	if f.object && f.found.is {
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
