package packet

import "encoding/json"

// Type is the type of a packet, with the number it has on the wire (Socket.IO protocol, revision 5, "Packet types").
type Type byte

// The types. The two binary ones of the protocol are no types of their own here: a decoded packet with attachments is an
// [Event] or an [Ack], and the encoder chooses by what the arguments hold.
const (
	Connect      Type = 0 // joins a namespace, or confirms that
	Disconnect   Type = 1 // leaves a namespace
	Event        Type = 2 // a name and arguments
	Ack          Type = 3 // arguments in answer to an event with an id
	ConnectError Type = 4 // refuses to let a client into a namespace; revision 4 calls it ERROR
)

// String returns the name that the protocol gives the type.
func (t Type) String() string {
	switch t {
	case Connect:
		return "CONNECT"
	case Disconnect:
		return "DISCONNECT"
	case Event:
		return "EVENT"
	case Ack:
		return "ACK"
	case ConnectError:
		return "CONNECT_ERROR"
	default:
		return "unknown"
	}
}

// Packet is one packet of Socket.IO. The same struct describes a packet to be encoded and one that was decoded.
//
// What a decoder returns is valid until its next call: Data and Args share the message that was decoded.
type Packet struct {
	Type      Type
	Namespace string          // begins with a slash; "/" is the main namespace, and so is "" when encoding
	Query     string          // of a CONNECT in revision 4: what follows the question mark after the namespace
	ID        uint64          // of an event that wants an acknowledgement, and of the acknowledgement; 0 is an id as well
	HasID     bool            // whether there is an ID; decoded acknowledgements without one are to be ignored
	Name      string          // of an event; a name that is a number on the wire comes as its digits
	Args      Args            // of an event, without its name, or of an acknowledgement
	Data      json.RawMessage // of CONNECT, CONNECT_ERROR and, from a server, DISCONNECT: valid JSON, nil if absent
}

// Reserved reports whether an event of this name is refused by every implementation of the protocol, because their
// sockets report their own state under it.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
