//go:build !js

package wsclient

import "github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"

// Outgoing is a message that is to be sent.
type Outgoing struct {
	Type MessageType
	Data []byte
}

// outgoing returns a message of the queue as the program knows it.
func outgoing(m outbox.Message) Outgoing { return Outgoing{Type: m.Type, Data: m.Data} }

// Lost is a message that was accepted and will not be delivered, or that nobody will know of whether it was.
type Lost struct {
	Outgoing
	Number uint64       // see [Receipt.Number]; 0 if it got none
	State  ReceiptState // ReceiptDropped, ReceiptExpired or, if the peer may have it, ReceiptUnknown
	Err    error        // why
}
