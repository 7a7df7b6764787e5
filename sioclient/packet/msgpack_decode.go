package packet

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// jsonFromMsgpack turns MessagePack (the specification of msgpack.org, 2.0) into JSON with placeholders. After the first
// problem it reads nothing more.
type jsonFromMsgpack struct {
	in      []byte // what is left
	out     []byte
	bin     [][]byte
	marks   []mark
	limits  Limits
	inline  bool // write binary values as base64 instead of placeholders
	problem string
}

// msgpack decodes a whole packet, a map with the keys type, nsp, data and id. Other keys mean nothing, and an absent value
// may be nil: python-socketio writes that.
func (d *Decoder) msgpack(msg []byte) (*Packet, error) {
	pkt, spans := d.fresh(smallPacket + 1)
	pkt.Namespace = "/"
	m := jsonFromMsgpack{in: msg, limits: d.limits}
	var source, data []byte // the arguments or the data, and the same as JSON
	kind := -1
	for range m.mapLen() {
		if m.problem != "" {
			break
		}
		switch key := m.text(); string(key) {
		case "type":
			n, ok := m.integer()
			if !ok || n > uint64(ConnectError) {
				return nil, malformed("unknown packet type", nil)
			}
			kind = int(n)
		case "nsp":
			if m.isNil() {
				continue
			}
			name := m.text()
			if len(name) == 0 || name[0] != '/' {
				return nil, malformed("invalid namespace", nil)
			}
			pkt.Namespace = d.spaces.get(name)
		case "id":
			if m.isNil() {
				continue
			}
			var ok bool
			if pkt.ID, ok = m.integer(); !ok {
				return nil, malformed("id out of range", nil)
			}
			pkt.HasID = true
		case "data":
			data, m.bin, m.marks = nil, nil, nil
			if m.isNil() {
				continue
			}
			source = m.in
			data = m.data()
		default:
			bin, marks := m.bin, m.marks
			m.transcoded()
			m.bin, m.marks = bin, marks
		}
	}
	switch {
	case m.problem != "":
		return nil, malformed(m.problem, nil)
	case len(m.in) > 0:
		return nil, malformed("data behind the packet", nil)
	case kind < 0:
		return nil, malformed("no packet type", nil)
	}
	pkt.Type = Type(kind)
	if len(m.bin) > 0 && pkt.Type != Event && pkt.Type != Ack {
		again := jsonFromMsgpack{in: source, limits: d.limits, inline: true}
		data = again.transcoded()
		m.bin, m.marks = nil, nil
	}
	if problem := d.payload(pkt, data, spans, 0); problem != "" {
		return nil, malformed(problem, nil)
	}
	pkt.Args.bin, pkt.Args.marks = m.bin, m.marks
	return pkt, nil
}

// data reads the arguments or the data of a packet.
func (m *jsonFromMsgpack) data() []byte {
	before := *m
	if n, ok := m.arrayLen(); ok && n > m.limits.MaxArgs+1 {
		m.fail(tooManyArgs)
		return nil
	}
	*m = before
	return m.transcoded()
}

// transcoded reads one value and returns it as JSON.
func (m *jsonFromMsgpack) transcoded() []byte {
	m.out = make([]byte, 0, 64)
	m.value(m.limits.MaxDepth)
	return m.out
}

func (m *jsonFromMsgpack) fail(problem string) {
	if m.problem == "" {
		m.problem = problem
	}
	m.in = nil
}

// take returns the next n bytes, or nil if there are fewer.
func (m *jsonFromMsgpack) take(n int) []byte {
	if n > len(m.in) || n < 0 {
		m.fail("packet ends too early")
		return nil
	}
	b := m.in[:n:n]
	m.in = m.in[n:]
	return b
}

// first returns the byte that says what the next value is; at the end one that means nothing.
func (m *jsonFromMsgpack) first() byte {
	if b := m.take(1); b != nil {
		return b[0]
	}
	return 0xc1
}

// uint reads a number of 1, 2, 4 or 8 bytes.
func (m *jsonFromMsgpack) uint(size int) uint64 {
	b := m.take(size)
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	default:
		return 0
	}
}

// length reads how long something is. Nothing is longer than the message.
func (m *jsonFromMsgpack) length(size int) int { return int(min(m.uint(size), math.MaxInt32)) }

// isNil skips a value that is no value: nil, or undefined as the JavaScript encoder writes it.
func (m *jsonFromMsgpack) isNil() bool {
	for _, nothing := range []string{"\xc0", "\xd4\x00\x00"} {
		if rest, ok := bytes.CutPrefix(m.in, []byte(nothing)); ok {
			m.in = rest
			return true
		}
	}
	return false
}

// mapLen reads the head of a map.
func (m *jsonFromMsgpack) mapLen() int {
	switch c := m.first(); {
	case c>>4 == 0x8:
		return int(c & 15)
	case c == 0xde || c == 0xdf:
		return m.length(2 << (c - 0xde))
	default:
		m.fail("packet is not a map")
		return 0
	}
}

// arrayLen reads the head of an array, if the next value is one.
func (m *jsonFromMsgpack) arrayLen() (int, bool) {
	switch c := m.first(); {
	case c>>4 == 0x9:
		return int(c & 15), true
	case c == 0xdc || c == 0xdd:
		return m.length(2 << (c - 0xdc)), true
	default:
		return 0, false
	}
}

// text reads a string.
func (m *jsonFromMsgpack) text() []byte {
	switch c := m.first(); {
	case c>>5 == 5:
		return m.take(int(c & 31))
	case c >= 0xd9 && c <= 0xdb:
		return m.take(m.length(1 << (c - 0xd9)))
	default:
		m.fail("string expected")
		return nil
	}
}

// integer reads a number that is one and not negative.
func (m *jsonFromMsgpack) integer() (uint64, bool) {
	switch c := m.first(); {
	case c < 0x80:
		return uint64(c), true
	case c >= 0xcc && c <= 0xcf:
		return m.uint(1 << (c - 0xcc)), m.problem == ""
	case c >= 0xd0 && c <= 0xd3:
		n := m.signed(1 << (c - 0xd0))
		return uint64(n), n >= 0 && m.problem == ""
	case c == 0xcb:
		f := math.Float64frombits(m.uint(8))
		return uint64(f), f >= 0 && f <= 1<<53 && f == math.Trunc(f) && m.problem == ""
	default:
		return 0, false
	}
}

func (m *jsonFromMsgpack) signed(size int) int64 {
	shift := 64 - 8*size
	return int64(m.uint(size)<<shift) >> shift
}

// value appends the next value; depth is how many levels may still be opened.
func (m *jsonFromMsgpack) value(depth int) {
	switch c := m.first(); {
	case c < 0x80:
		m.out = strconv.AppendUint(m.out, uint64(c), 10)
	case c < 0x90:
		m.object(int(c&15), depth)
	case c < 0xa0:
		m.array(int(c&15), depth)
	case c < 0xc0:
		m.out = appendQuoted(m.out, m.take(int(c&31)))
	case c == 0xc0:
		m.out = append(m.out, "null"...)
	case c == 0xc2, c == 0xc3:
		m.out = strconv.AppendBool(m.out, c == 0xc3)
	case c >= 0xc4 && c <= 0xc6:
		m.binary(m.take(m.length(1 << (c - 0xc4))))
	case c >= 0xc7 && c <= 0xc9:
		m.longExtension(m.length(1 << (c - 0xc7)))
	case c == 0xca:
		m.float(float64(math.Float32frombits(uint32(m.uint(4)))), 32)
	case c == 0xcb:
		m.float(math.Float64frombits(m.uint(8)), 64)
	case c >= 0xcc && c <= 0xcf:
		m.out = strconv.AppendUint(m.out, m.uint(1<<(c-0xcc)), 10)
	case c >= 0xd0 && c <= 0xd3:
		m.out = strconv.AppendInt(m.out, m.signed(1<<(c-0xd0)), 10)
	case c >= 0xd4 && c <= 0xd8:
		m.extension(1 << (c - 0xd4))
	case c >= 0xd9 && c <= 0xdb:
		m.out = appendQuoted(m.out, m.take(m.length(1<<(c-0xd9))))
	case c == 0xdc, c == 0xdd:
		m.array(m.length(2<<(c-0xdc)), depth)
	case c == 0xde, c == 0xdf:
		m.object(m.length(2<<(c-0xde)), depth)
	case c >= 0xe0:
		m.out = strconv.AppendInt(m.out, int64(int8(c)), 10)
	default:
		m.fail(badPayload)
	}
}

// array appends as many values as were announced, or as there are.
func (m *jsonFromMsgpack) array(n, depth int) {
	if depth--; depth < 0 {
		m.fail(tooDeep)
	}
	m.out = append(m.out, '[')
	for i := 0; i < n && m.problem == ""; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		m.value(depth)
	}
	m.out = append(m.out, ']')
}

// object appends a map. Its keys are strings, or integers, which become their digits as in JavaScript.
func (m *jsonFromMsgpack) object(n, depth int) {
	if depth--; depth < 0 {
		m.fail(tooDeep)
	}
	m.out = append(m.out, '{')
	for i := 0; i < n && m.problem == ""; i++ {
		if i > 0 {
			m.out = append(m.out, ',')
		}
		key := len(m.out)
		m.value(0)
		switch c := m.outAt(key); {
		case c == '"':
		case c == '-' || isDigit(c):
			digits := string(m.out[key:])
			m.out = appendQuoted(m.out[:key], digits)
		default:
			m.fail("key of a map is not a string")
		}
		m.out = append(m.out, ':')
		m.value(depth)
	}
	m.out = append(m.out, '}')
}

func (m *jsonFromMsgpack) outAt(i int) byte {
	if i < len(m.out) {
		return m.out[i]
	}
	return 0
}

func (m *jsonFromMsgpack) binary(b []byte) {
	switch {
	case m.problem != "":
	case m.inline:
		m.out = append(m.out, '"')
		m.out = base64.StdEncoding.AppendEncode(m.out, b)
		m.out = append(m.out, '"')
	case len(m.bin) == m.limits.MaxAttachments:
		m.fail("too many attachments")
	default:
		start := len(m.out)
		m.out = appendPlaceholder(m.out, len(m.bin))
		m.marks = append(m.marks, mark{span{start, len(m.out)}, len(m.bin)})
		m.bin = append(m.bin, b)
	}
}

// float appends a number; what JSON cannot hold is null, as in JavaScript.
func (m *jsonFromMsgpack) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		m.out = append(m.out, "null"...)
		return
	}
	m.out = strconv.AppendFloat(m.out, f, 'g', -1, bits)
}

// longExtension appends a value of a type of its own whose length is written out: type 0 is how the JavaScript encoder
// writes an ArrayBuffer, and a typed array.
func (m *jsonFromMsgpack) longExtension(size int) {
	if len(m.in) == 0 || m.in[0] != 0 {
		m.extension(size)
		return
	}
	m.in = m.in[1:]
	m.binary(m.take(size))
}

// extension appends a value of a type of its own: undefined and Date of the JavaScript encoder, and the timestamp of the
// specification. Of any other it makes an array of the type's number and the bytes, as the JavaScript decoder does.
func (m *jsonFromMsgpack) extension(size int) {
	c := m.first()
	data := m.take(size)
	if m.problem != "" {
		return
	}
	var at time.Time
	switch kind := int8(c); {
	case kind == 0 && size == 1:
		m.out = append(m.out, "null"...)
		return
	case kind == 0 && size == 8:
		at = time.UnixMilli(int64(binary.BigEndian.Uint64(data)))
	case kind == -1 && size == 4:
		at = time.Unix(int64(binary.BigEndian.Uint32(data)), 0)
	case kind == -1 && size == 8:
		n := binary.BigEndian.Uint64(data)
		at = time.Unix(int64(n&(1<<34-1)), int64(n>>34))
	case kind == -1 && size == 12:
		at = time.Unix(int64(binary.BigEndian.Uint64(data[4:])), int64(binary.BigEndian.Uint32(data)))
	default:
		m.out = append(strconv.AppendInt(append(m.out, '['), int64(kind), 10), ',')
		m.binary(data)
		m.out = append(m.out, ']')
		return
	}
	if at = at.UTC(); at.Year() < 0 || at.Year() > 9999 {
		m.out = append(m.out, "null"...)
		return
	}
	layout := `"2006-01-02T15:04:05.000Z"` // toISOString of JavaScript
	if at.Nanosecond()%int(time.Millisecond) != 0 {
		layout = `"2006-01-02T15:04:05.000000000Z"`
	}
	m.out = at.AppendFormat(m.out, layout)
}
