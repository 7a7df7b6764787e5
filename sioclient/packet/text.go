package packet

import (
	"bytes"
	"math"
	"strconv"
)

// decode decodes a text message and returns how many attachments belong to it (Socket.IO protocol, "Packet encoding"):
//
//	<type>[<attachments>-][<namespace>,][<id>][<JSON>]
func (d *Decoder) decode(msg []byte) (*Packet, int, error) {
	if len(msg) == 0 {
		return nil, 0, malformed("empty packet", nil)
	}
	kind, size := msg[0]-'0', len(msg)
	binary := kind == 5 || kind == 6
	switch {
	case kind > 6:
		return nil, 0, malformed("unknown packet type "+strconv.QuoteToASCII(string(msg[:1])), nil)
	case binary:
		kind -= 5 - byte(Event)
		size = smallPacket + 1 // attachments are not to be kept either
	}
	pkt, spans := d.fresh(size)
	pkt.Type = Type(kind)
	i, attachments := 1, 0
	if binary {
		var problem string
		if attachments, i, problem = d.count(msg); problem != "" {
			return nil, 0, malformed(problem, msg[:i])
		}
	}
	i = d.namespace(pkt, msg, i)
	start := i
	pkt.ID, i = decimal(msg, i)
	pkt.HasID = i > start
	problem := ""
	if i < len(msg) && isDigit(msg[i]) {
		problem = "id out of range"
	} else {
		problem = d.payload(pkt, msg[i:], spans, attachments)
	}
	if problem != "" {
		if pkt.Type == Connect {
			i = 0 // a query has secrets in it
		}
		return nil, 0, malformed(problem, msg[:i])
	}
	return pkt, attachments, nil
}

// count reads the number of attachments, which is 1 at least: the packet is complete when the last one comes.
func (d *Decoder) count(msg []byte) (n, end int, problem string) {
	count, end := decimal(msg, 1)
	switch {
	case end < len(msg) && isDigit(msg[end]) || count > uint64(d.limits.MaxAttachments):
		return 0, end, "too many attachments"
	case end == len(msg) || msg[end] != '-' || count == 0:
		return 0, end, badAttachments
	}
	return int(count), end + 1, ""
}

// decimal reads digits as long as their value fits.
func decimal(msg []byte, i int) (n uint64, end int) {
	for ; i < len(msg) && isDigit(msg[i]); i++ {
		digit := uint64(msg[i] - '0')
		if n > (math.MaxUint64-digit)/10 {
			break
		}
		n = n*10 + digit
	}
	return n, i
}

// namespace reads the namespace, which ends with the first comma or with the message.
func (d *Decoder) namespace(pkt *Packet, msg []byte, i int) int {
	pkt.Namespace = "/"
	if i == len(msg) || msg[i] != '/' {
		return i
	}
	name := msg[i:]
	if comma := bytes.IndexByte(name, ','); comma >= 0 {
		name = name[:comma]
		i++
	}
	i += len(name)
	if d.parser == Revision4 && pkt.Type == Connect {
		var query []byte
		name, query, _ = bytes.Cut(name, []byte{'?'})
		pkt.Query = string(query)
	}
	if len(name) > 1 {
		pkt.Namespace = d.spaces.get(name)
	}
	return i
}

// payload reads what stands behind the header, and returns what is wrong with it.
func (d *Decoder) payload(pkt *Packet, text []byte, spans []span, attachments int) string {
	if pkt.Type == ConnectError && !d.limits.FromServer {
		return "CONNECT_ERROR from a client"
	}
	if len(text) == 0 {
		if pkt.Type == Event || attachments > 0 {
			return badPayload
		}
		return ""
	}
	if isSpace(text[0]) || !d.parser.carries(pkt.Type, text[0], d.limits.FromServer) {
		return badPayload
	}
	s := scanner{text: text, depth: d.limits.MaxDepth, bin: attachments}
	if pkt.Type != Event && pkt.Type != Ack {
		part, ok := s.only()
		if !ok {
			return s.problem
		}
		pkt.Data = text[part.start:part.end:part.end]
		return ""
	}
	limit := d.limits.MaxArgs
	if pkt.Type == Event {
		limit++ // the name
	}
	spans, end := s.elements(0, spans, limit)
	if end >= 0 && s.skip(end) != len(text) {
		end = s.fail(badPayload)
	}
	if end < 0 {
		return s.problem
	}
	pkt.Args = Args{text: text, spans: spans, marks: s.marks}
	d.keep(pkt)
	if pkt.Type == Event {
		return d.name(pkt)
	}
	return ""
}

// name takes the name of an event from its arguments. It is a string, or a number, as the official parsers have it.
func (d *Decoder) name(pkt *Packet) string {
	raw := pkt.Args.Raw(0)
	switch {
	case len(raw) == 0:
		return badPayload
	case raw[0] == '"':
		raw = unquote(raw)
	case raw[0] != '-' && !isDigit(raw[0]):
		return badPayload
	}
	pkt.Name = d.events.get(raw)
	if Reserved(pkt.Name) {
		return badPayload
	}
	pkt.Args.spans = pkt.Args.spans[1:]
	return ""
}
