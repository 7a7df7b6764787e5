package packet

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Args are the arguments of an event, without its name, or of an acknowledgement. The zero value has none. They are kept
// as JSON and decoded only when and as far as somebody asks.
//
// Args of a decoded packet share the memory of the message and are valid until the decoder's next call; [Args.Clone]
// keeps them. Beyond that they are immutable and safe for concurrent use.
//
// Among the values given to [Parser.Encode], [Parser.Append] and [NewArgs] an Args stands for all of its arguments, which
// are passed on as they are, binary ones included.
type Args struct {
	text   []byte   // JSON; the arguments and what stands between them
	spans  []span   // where in text each argument is
	marks  []mark   // where in text something stands for an attachment, in order
	bin    [][]byte // the attachments
	number bool     // see UseNumber
}

// NewArgs encodes values as [Parser.Encode] does, and returns what an event with them would hold.
func NewArgs(values ...any) (Args, error) {
	var e encoder
	if err := e.array(&Packet{Type: Ack}, values); err != nil {
		return Args{}, err
	}
	a, err := ParseArgs(e.dst, e.bin)
	if err != nil {
		return Args{}, unencodable("", errCycle) // all but its depth has been checked
	}
	return a, nil
}

// ParseArgs reads a JSON array, in which placeholders stand for the attachments; without attachments nothing is a
// placeholder. It takes both over. An array that is no JSON, or that points to an attachment that does not exist, is a
// *sioclient.PacketError.
func ParseArgs(array json.RawMessage, attachments [][]byte) (Args, error) {
	s := scanner{text: array, depth: maxDepth, bin: len(attachments)}
	a := Args{text: array, bin: attachments}
	start := s.skip(0)
	end := -1
	if s.at(start) == '[' {
		a.spans, end = s.elements(start, nil, int(^uint(0)>>1))
	} else {
		s.fail(badPayload)
	}
	if end >= 0 && s.skip(end) != len(array) {
		end = s.fail(badPayload)
	}
	if end < 0 {
		return Args{}, malformed(s.problem, nil)
	}
	a.marks = s.marks
	return a, nil
}

// elements appends where the elements of an array are to spans, at most limit of them in all.
func (s *scanner) elements(i int, spans []span, limit int) ([]span, int) {
	s.depth-- // which leaves at least 0
	i = s.skip(i + 1)
	if s.at(i) != ']' {
		for {
			if len(spans) == limit {
				return spans, s.fail(tooManyArgs)
			}
			start := i
			if i = s.value(i); i < 0 {
				return spans, i
			}
			spans = append(spans, span{start, i})
			i = s.skip(i)
			if s.at(i) != ',' {
				break
			}
			i = s.skip(i + 1)
		}
		if s.at(i) != ']' {
			return spans, s.fail(badPayload)
		}
	}
	return spans, i + 1
}

// Len returns the number of arguments.
func (a Args) Len() int { return len(a.spans) }

// Raw returns argument i as valid JSON, with placeholders where binary values stand; nil if there is no argument i. It
// must not be changed.
func (a Args) Raw(i int) json.RawMessage {
	if i < 0 || i >= len(a.spans) {
		return nil
	}
	s := a.spans[i]
	return json.RawMessage(a.text[s.start:s.end:s.end])
}

// Bytes returns argument i if it is binary. It is shared by all who read the same argument.
func (a Args) Bytes(i int) ([]byte, bool) {
	if i < 0 || i >= len(a.spans) {
		return nil, false
	}
	return a.attachment(a.spans[i])
}

// attachment returns what s stands for if it is a placeholder.
func (a Args) attachment(s span) ([]byte, bool) {
	marks := a.within(s)
	if len(marks) != 1 || marks[0].span != s {
		return nil, false
	}
	return a.bin[marks[0].num], true
}

func (a Args) within(s span) []mark { return within(a.marks, s) }

// Slice returns arguments i to j, j excluded, in the same memory. Like a slice expression it panics if they are out of
// range.
func (a Args) Slice(i, j int) Args {
	a.spans = a.spans[i:j:j]
	a.marks = a.within(a.extent())
	return a
}

// extent returns the part of the text from the first argument to the last one.
func (a Args) extent() span {
	if len(a.spans) == 0 {
		return span{}
	}
	return span{a.spans[0].start, a.spans[len(a.spans)-1].end}
}

// UseNumber returns the same arguments, which [Args.Decode] reads numbers from as [json.Number] when the target is of type
// any. Otherwise they become float64, which cannot hold all integers beyond 2^53.
func (a Args) UseNumber() Args {
	a.number = true
	return a
}

// LastString returns the last argument if it is a string. The offsets of connection state recovery are last arguments.
func (a Args) LastString() (string, bool) {
	raw := a.Raw(len(a.spans) - 1)
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return string(unquote(raw)), true
}

// JSON returns the arguments as a JSON array, with placeholders that count in [Args.Attachments].
func (a Args) JSON() json.RawMessage {
	e := a.extent()
	dst := make([]byte, 0, e.end-e.start+2)
	dst = append(dst, '[')
	dst = append(dst, a.text[e.start:e.end]...)
	return append(dst, ']')
}

// Attachments returns the binary values that placeholders stand for, by number.
func (a Args) Attachments() [][]byte { return a.bin }

// Clone returns a copy that stays valid. The attachments are shared: they never were part of a message's memory.
func (a Args) Clone() Args {
	e := a.extent()
	a.text = bytes.Clone(a.text[e.start:e.end])
	a.spans = slices.Clone(a.spans)
	a.marks = slices.Clone(a.marks)
	for i := range a.spans {
		a.spans[i] = a.spans[i].shifted(-e.start)
	}
	for i := range a.marks {
		a.marks[i].span = a.marks[i].shifted(-e.start)
	}
	return a
}

func (s span) shifted(by int) span { return span{s.start + by, s.end + by} }
