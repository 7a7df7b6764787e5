package packet

// Parser is a form of packets on the wire. Both ends of a connection must use the same one. Its methods are safe for concurrent
// use.
type Parser uint8

// The parsers.
const (
	Default   Parser = iota // revision 5 of the protocol: Socket.IO 3 and 4
	Revision4               // revision 4: Socket.IO 1 and 2, on Engine.IO 3
	Msgpack                 // one binary message per packet, as npm's socket.io-msgpack-parser has it
)

// String returns a name for logs.
func (p Parser) String() string {
	switch p {
	case Default:
		return "default"
	case Revision4:
		return "revision 4"
	case Msgpack:
		return "msgpack"
	default:
		return "unknown"
	}
}

// Encoded is a packet in the form in which Engine.IO carries it: messages that must be sent one after the other, with
// nothing of Socket.IO between them. It is immutable, so that all recipients of a broadcast share it.
type Encoded struct {
	Text   []byte   // complete Engine.IO packet, with the leading 4 of a message; nil with [Msgpack]
	Binary [][]byte // messages without any prefix: the attachments, in order; with [Msgpack] the packet itself
}

// Size returns the bytes of all messages.
func (e Encoded) Size() int {
	n := len(e.Text)
	for _, b := range e.Binary {
		n += len(b)
	}
	return n
}
