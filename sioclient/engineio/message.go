package engineio

import (
	"bytes"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Message is one message to send, in the form in which it travels. It does not change once made, so the same one can be
// given to any number of sessions: it is encoded once.
type Message struct {
	data   []byte // text: the whole packet, type included; binary: the bytes alone
	binary bool
	plain  bool // whether it needs no compression
	flaw   flaw
}

// flaw is why a message cannot be sent, found out once for all who shall get it.
type flaw uint8

const (
	sound   flaw = iota
	broken       // not UTF-8
	divided      // holds the separator of payloads, so it can go over WebSocket only
)

// typeMessage begins every text message on the wire.
const typeMessage = '4'

// Text returns a message of text, which must be UTF-8. The text is copied.
func Text[T ~string | ~[]byte](text T) Message {
	data := make([]byte, 0, 1+len(text))
	return Encoded(append(append(data, typeMessage), text...))
}

// Binary returns a message of bytes. They are not copied and must not be changed any more.
func Binary(data []byte) Message { return Message{data: data, binary: true} }

// Encoded returns a message of text that has the type of a message, the digit 4, in front already. It is not copied and
// must not be changed any more.
func Encoded(packet []byte) Message {
	m := Message{data: packet}
	switch {
	case !utf8.Valid(packet):
		m.flaw = broken
	case bytes.IndexByte(packet, wire.Separator) >= 0:
		m.flaw = divided
	}
	return m
}

// Plain returns the same message marked as not worth compressing, as the compress flag of the original does. It counts
// for polling only.
func (m Message) Plain() Message {
	m.plain = true
	return m
}

// Len returns the number of bytes, in text that of the type included.
func (m Message) Len() int { return len(m.data) }

// IsBinary reports whether the message is binary.
func (m Message) IsBinary() bool { return m.binary }

// isZero reports whether m is the zero Message.
func (m *Message) isZero() bool { return m.data == nil && !m.binary }

// checkMessages returns an *InvalidError for messages that cannot be sent. Payloads of revision 4 have a separator that
// no message in them may contain.
func checkMessages(op string, msgs []Message, payload bool) error {
	for i := range msgs {
		m := &msgs[i]
		switch {
		case !m.binary && (len(m.data) == 0 || m.data[0] != typeMessage):
			return sioerr.Invalid(op, "message", "not encoded")
		case m.flaw == broken:
			return sioerr.Invalid(op, "message", "text is not UTF-8")
		case m.flaw == divided && payload:
			return sioerr.Invalid(op, "message", "contains U+001E, which cannot be sent by polling")
		}
	}
	return nil
}

// packet returns the message, or the control packet, for the codec of payloads.
func (m *Message) packet() wire.Packet {
	if m.binary {
		return wire.Packet{Type: wire.Message, Binary: true, Data: m.data}
	}
	return wire.Packet{Type: wire.Type(m.data[0] - '0'), Data: m.data[1:]}
}

// Control packets without data.
var (
	closePacket = Message{data: []byte("1"), plain: true}
	pingPacket  = Message{data: []byte("2"), plain: true}
	pongPacket  = Message{data: []byte("3"), plain: true}
	noopPacket  = Message{data: []byte("6"), plain: true}
)
