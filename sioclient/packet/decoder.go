package packet

// Decoder turns the messages of one direction of one connection into packets. It is not safe for concurrent use.
// After an error it is ready for a new packet, although the connection it serves should be closed.
type Decoder struct {
	limits Limits
}

// NewDecoder returns a decoder of what a peer sends in the form of p.
func (p Parser) NewDecoder(limits Limits) *Decoder { return &Decoder{limits: limits.filled(p)} }

// Text decodes a text message, without the Engine.IO type in front of it. It returns nil if attachments must follow.
// The packet shares the memory of the message.
func (d *Decoder) Text(msg []byte) (*Packet, error) { return nil, nil }

// Binary takes a binary message, which belongs to the decoder, and later to the packet, from then on. It returns nil if
// more attachments must follow.
func (d *Decoder) Binary(msg []byte) (*Packet, error) { return nil, nil }

// Reset forgets a packet of which attachments are missing.
func (d *Decoder) Reset() {}
