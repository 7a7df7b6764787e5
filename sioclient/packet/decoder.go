package packet

import (
	"bytes"
	"strconv"
)

const (
	// smallPacket is the size up to which a decoder uses its own memory for a packet again. What it returns for larger
	// ones it forgets, so that no idle connection keeps its last message alive.
	smallPacket = 4 << 10
	// keptSpans is how many arguments a decoder keeps memory for.
	keptSpans = 64
)

// Decoder turns the messages of one direction of one connection into packets. It is not safe for concurrent use. What it
// refuses is a *sioclient.PacketError; it is then ready for a new packet, although the connection should be closed.
type Decoder struct {
	parser Parser
	limits Limits
	events names
	spaces names
	spans  []span

	small   Packet
	packet  *Packet // waits for attachments
	missing int     // how many
	size    int     // bytes of packet so far
}

// NewDecoder returns a decoder of what a peer sends in the form of p.
func (p Parser) NewDecoder(limits Limits) *Decoder {
	return &Decoder{parser: p, limits: limits.filled(p)}
}

// Text decodes a text message, without the Engine.IO type in front of it. It returns nil, without an error, if attachments
// must follow. The packet shares the memory of the message and is valid until the next call.
func (d *Decoder) Text(msg []byte) (*Packet, error) {
	waiting := d.packet != nil
	d.Reset()
	switch {
	case d.parser == Msgpack:
		return nil, malformed("got text data, want binary data", nil)
	case waiting:
		return nil, malformed("got plaintext data when reconstructing a packet", nil)
	}
	if len(msg) > 0 && (msg[0] == '5' || msg[0] == '6') {
		msg = bytes.Clone(msg) // it is there until the last attachment has come
	}
	pkt, attachments, err := d.decode(msg)
	if err != nil || attachments == 0 {
		return pkt, err
	}
	d.packet, d.missing, d.size = pkt, attachments, len(msg)
	return nil, nil
}

// Binary takes a binary message, which belongs to the packet from then on. It returns nil, without an error, if more
// attachments must follow.
func (d *Decoder) Binary(msg []byte) (*Packet, error) {
	if d.parser == Msgpack {
		return d.msgpack(msg)
	}
	pkt := d.packet
	if pkt == nil {
		return nil, malformed("got binary data when not reconstructing a packet", nil)
	}
	if d.size += len(msg); d.size > d.limits.MaxBytes && d.missing+len(pkt.Args.bin) > 1 {
		d.Reset()
		return nil, malformed("more than "+strconv.Itoa(d.limits.MaxBytes)+" bytes with attachments", nil)
	}
	if msg == nil {
		msg = []byte{} // nil would be no binary value when it is sent on
	}
	pkt.Args.bin = append(pkt.Args.bin, msg)
	if d.missing--; d.missing > 0 {
		return nil, nil
	}
	d.Reset()
	return pkt, nil
}

// Reset forgets a packet of which attachments are missing.
func (d *Decoder) Reset() { d.packet, d.missing, d.size = nil, 0, 0 }

// fresh returns an empty packet for a message of the given size, and memory for where its arguments are.
func (d *Decoder) fresh(size int) (*Packet, []span) {
	d.small = Packet{}
	if size > smallPacket {
		return &Packet{}, nil
	}
	return &d.small, d.spans[:0]
}

// keep takes the memory for spans back for the next packet.
func (d *Decoder) keep(pkt *Packet) {
	if pkt == &d.small && cap(pkt.Args.spans) <= keptSpans {
		d.spans = pkt.Args.spans
	}
}
