package packet

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
)

var errNotJSON = errors.New("not valid JSON")

// maxScratch is the size above which a buffer is given away instead of kept for the next packet.
const maxScratch = 64 << 10

// Encode encodes pkt. Its arguments are pkt.Args followed by values, which are encoded as encoding/json does (tags and
// methods of their types included), without escapes for HTML and with these differences:
//
//   - A []byte, wherever it is, becomes a binary attachment. So does any type made of it that does not encode itself.
//     The attachment is the very slice, which must not be changed from then on. A nil slice is null.
//   - An [Args] stands for all of its arguments.
//   - A [json.RawMessage] must be valid JSON and is passed on as it is.
//
// A packet that cannot be encoded is a *sioclient.PacketError of the kinds errkit.Invalid and errkit.NotSent, and an event
// with a reserved name a *sioclient.InvalidError of the class sioclient.ErrReserved. Other implementations refuse packets
// with more than [DefaultMaxAttachments] attachments unless they are told otherwise.
func (p Parser) Encode(pkt *Packet, values ...any) (Encoded, error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	e := encoder{dst: (*scratch)[:0]}
	if err := e.packet(p, pkt, values); err != nil {
		return Encoded{}, err
	}
	msg := e.dst
	if cap(msg) <= maxScratch {
		*scratch = msg
		msg = bytes.Clone(msg)
	}
	if p == Msgpack {
		return Encoded{Binary: [][]byte{msg}}, nil
	}
	return Encoded{Text: msg, Binary: e.bin}, nil
}

// scratches holds memory for packets that are being built, whose size is not known before the end.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// Append is [Parser.Encode] into a buffer of the caller: it appends the first message, which is the only one with
// [Msgpack], to dst, and returns the attachments beside it.
func (p Parser) Append(dst []byte, pkt *Packet, values ...any) (msg []byte, attachments [][]byte, err error) {
	e := encoder{dst: dst}
	if err := e.packet(p, pkt, values); err != nil {
		return dst, nil, err
	}
	return e.dst, e.bin, nil
}

// encoder builds one packet.
type encoder struct {
	dst   []byte
	bin   [][]byte // attachments so far
	items int      // items of the array so far
}

// packet appends a packet, and leaves its attachments in e.bin.
func (e *encoder) packet(p Parser, pkt *Packet, values []any) error {
	if err := p.check(pkt, len(values)); err != nil {
		return err
	}
	if p == Msgpack {
		return e.msgpack(pkt, values)
	}
	start := len(e.dst)
	e.dst = append(e.dst, '4', '0'+byte(pkt.Type))
	head := len(e.dst)
	if pkt.Query != "" || pkt.Namespace != "" && pkt.Namespace != "/" {
		e.dst = append(e.dst, or(pkt.Namespace, "/")...)
		if pkt.Query != "" {
			e.dst = append(append(e.dst, '?'), pkt.Query...)
		}
		e.dst = append(e.dst, ',')
	}
	if pkt.HasID {
		e.dst = strconv.AppendUint(e.dst, pkt.ID, 10)
	}
	if pkt.Type != Event && pkt.Type != Ack {
		e.dst = append(e.dst, pkt.Data...)
		return nil
	}
	if err := e.array(pkt, values); err != nil {
		return err
	}
	if n := len(e.bin); n > 0 {
		e.dst[start+1] += '5' - '2'
		var count [24]byte
		e.dst = slices.Insert(e.dst, head, append(strconv.AppendInt(count[:0], int64(n), 10), '-')...)
	}
	return nil
}

// array appends the name, if it is an event, and the arguments.
func (e *encoder) array(pkt *Packet, values []any) error {
	start := len(e.dst)
	e.dst = append(e.dst, '[')
	if pkt.Type == Event {
		e.dst = appendQuoted(e.dst, pkt.Name)
		e.items++
	}
	if err := e.args(pkt.Args, values); err != nil {
		return err
	}
	e.dst = append(e.dst, ']')
	if len(e.bin) == 0 || e.plain(start) {
		return nil
	}
	_, err := e.marks(start)
	return err
}

// plain reports whether it is clear at a glance that the JSON from start on has no more placeholders than attachments.
func (e *encoder) plain(start int) bool {
	text := e.dst[start:]
	return bytes.Count(text, []byte("_placeholder")) == len(e.bin) && !bytes.Contains(text, []byte(`\u`))
}

// args appends a and values, with commas in between.
func (e *encoder) args(a Args, values []any) error {
	e.item(a)
	for i, v := range values {
		if a, ok := v.(Args); ok {
			e.item(a)
			continue
		}
		e.comma()
		if err := e.value(v, 0); err != nil {
			return unencodable("argument "+strconv.Itoa(i), err)
		}
	}
	return nil
}

func (e *encoder) item(a Args) {
	if a.Len() > 0 {
		e.comma()
		e.spread(a)
	}
}

func (e *encoder) comma() {
	if e.items++; e.items > 1 {
		e.dst = append(e.dst, ',')
	}
}

// marks finds the placeholders in the JSON from start on. There must be one for each attachment: a value that only looks
// like one would be taken for binary by the peer, or make it disconnect.
func (e *encoder) marks(start int) ([]mark, error) {
	s := scanner{text: e.dst[start:], depth: maxDepth, bin: len(e.bin)}
	switch _, ok := s.only(); {
	case !ok && s.problem == tooDeep:
		return nil, unencodable("", errCycle)
	case !ok || len(s.marks) != len(e.bin):
		return nil, unencodable("an object beside binary values looks like a placeholder for one", nil)
	}
	return s.marks, nil
}

// check finds what is wrong with a packet apart from its arguments.
func (p Parser) check(pkt *Packet, values int) error {
	args := pkt.Args.Len()+values > 0
	switch {
	case p > Msgpack:
		return unencodable("unknown parser", nil)
	case pkt.Type > ConnectError:
		return unencodable("unknown packet type "+strconv.Itoa(int(pkt.Type)), nil)
	case len(pkt.Namespace) > 1 || pkt.Query != "":
		if err := p.checkNamespace(pkt); err != nil {
			return err
		}
	case pkt.Namespace != "" && pkt.Namespace != "/":
		return unencodable("namespace without a slash in front", nil)
	}
	switch {
	case pkt.Type == Event && Reserved(pkt.Name):
		return reserved(pkt.Name)
	case pkt.Type == Ack && !pkt.HasID:
		return unencodable("acknowledgement without an id", nil)
	case pkt.Type == Event || pkt.Type == Ack:
		if pkt.Data != nil {
			return unencodable("data beside arguments", nil)
		}
		return nil
	case args:
		return unencodable("arguments in a "+pkt.Type.String(), nil)
	case pkt.Data == nil:
		return nil
	}
	s := scanner{text: pkt.Data, depth: maxDepth}
	if part, ok := s.only(); !ok || !p.carries(pkt.Type, pkt.Data[part.start], false) {
		return unencodable("invalid data", nil)
	}
	return nil
}

// checkNamespace finds what is wrong with a namespace that is not the main one, or its query.
func (p Parser) checkNamespace(pkt *Packet) error {
	switch {
	case pkt.Namespace != "" && pkt.Namespace[0] != '/':
		return unencodable("namespace without a slash in front", nil)
	case strings.Contains(pkt.Namespace, ",") || strings.Contains(pkt.Query, ","):
		return unencodable("comma in a namespace", nil)
	case p == Revision4 && strings.Contains(pkt.Namespace, "?"):
		return unencodable("question mark in a namespace", nil)
	case pkt.Query != "" && (p != Revision4 || pkt.Type != Connect):
		return unencodable("query in a packet that has none", nil)
	}
	return nil
}

// carries reports whether a packet of type t may carry JSON that begins with c.
func (p Parser) carries(t Type, c byte, fromServer bool) bool {
	switch t {
	case Connect:
		return c == '{' || fromServer && p == Revision4 // googollee/go-socket.io confirms with an empty array
	case Disconnect:
		return fromServer // python-socketio says there why it refuses
	case ConnectError:
		return c == '{' || c == '"' || p == Revision4
	default:
		return c == '['
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
