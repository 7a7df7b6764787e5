package wire

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Type says what a packet is for.
type Type byte

// The types, with their numbers on the wire.
const (
	Open    Type = 0 // the server's handshake, JSON
	Close   Type = 1 // the end of a session
	Ping    Type = 2
	Pong    Type = 3
	Message Type = 4
	Upgrade Type = 5 // the client goes over to the new transport
	Noop    Type = 6 // ends a poll that has nothing to bring
)

// String returns the name that the protocol gives to the type.
func (t Type) String() string {
	names := [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}
	if int(t) < len(names) {
		return names[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// Packet is one packet.
type Packet struct {
	Type   Type
	Binary bool   // the data is not text; only messages can be binary
	Data   []byte // without type and encoding
}

// Revision is a revision of the protocol.
type Revision int

// The revisions.
const (
	V3 Revision = 3 // Socket.IO 1 and 2
	V4 Revision = 4 // Socket.IO 3 and 4
)

// op is the operation that errors of this package name.
const op = "engine.decode"

func malformed(detail string) error { return sioerr.Packet(op, detail, nil) }

// AppendText appends a packet as text: the type as a digit and the data, or for a binary message "b", in revision 3 the
// digit, and the data in base64.
func (r Revision) AppendText(dst []byte, p Packet) []byte {
	if !p.Binary {
		return append(append(dst, '0'+byte(p.Type)), p.Data...)
	}
	dst = append(dst, 'b')
	if r == V3 {
		dst = append(dst, '0'+byte(p.Type))
	}
	return base64.StdEncoding.AppendEncode(dst, p.Data)
}

// TextLen returns how many bytes [Revision.AppendText] appends.
func (r Revision) TextLen(p Packet) int {
	if !p.Binary {
		return 1 + len(p.Data)
	}
	n := 1 + base64.StdEncoding.EncodedLen(len(p.Data))
	if r == V3 {
		n++
	}
	return n
}

// ParseText reads a packet that is text. The data of one that is not binary is a part of b.
func (r Revision) ParseText(b []byte) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, malformed("empty packet")
	}
	if b[0] != 'b' {
		if b[0] < '0' || b[0] > '0'+byte(Noop) {
			return Packet{}, malformed("unknown packet type")
		}
		return Packet{Type: Type(b[0] - '0'), Data: b[1:]}, nil
	}
	b = b[1:]
	if r == V3 {
		if len(b) == 0 || b[0] != '0'+byte(Message) {
			return Packet{}, malformed("binary packet is not a message")
		}
		b = b[1:]
	}
	data, err := decodeBase64(b)
	return Packet{Type: Message, Binary: true, Data: data}, err
}

// decodeBase64 decodes into a slice of its own. It accepts the standard alphabet with its padding, which is what all
// implementations send, and nothing else; the standard library would skip line breaks.
func decodeBase64(b []byte) ([]byte, error) {
	if bytes.ContainsAny(b, "\r\n") {
		return nil, malformed("invalid base64")
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Strict().Decode(data, b)
	if err != nil {
		return nil, malformed("invalid base64")
	}
	return data[:n], nil
}

// AppendBinary appends a binary message as the payload of a binary WebSocket message: the data alone, in revision 3
// after the type as a number.
func (r Revision) AppendBinary(dst, data []byte) []byte {
	if r == V3 {
		dst = append(dst, byte(Message))
	}
	return append(dst, data...)
}

// ParseBinary reads the payload of a binary WebSocket message. The data is a part of b.
func (r Revision) ParseBinary(b []byte) (Packet, error) {
	if r == V3 {
		if len(b) == 0 || b[0] != byte(Message) {
			return Packet{}, malformed("binary packet is not a message")
		}
		b = b[1:]
	}
	return Packet{Type: Message, Binary: true, Data: b}, nil
}
