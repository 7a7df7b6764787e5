//go:build !js

package wsclient

import (
	"encoding/json"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// MessageType says what a message holds: [Text] or [Binary].
type MessageType = wsconn.MessageType

// The types of messages (RFC 6455, section 5.6).
const (
	Text   = wsconn.Text
	Binary = wsconn.Binary
)

// Message is a message that arrived. It is the caller's to keep, except in [ReceiveOptions.InlineHandler].
type Message struct {
	Type       MessageType
	Data       []byte    // never nil; text is UTF-8, unless the check is switched off
	Gen        uint64    // generation of the connection that brought it: 1 for the first one of the manager
	Seq        uint64    // 1, 2, 3 … per manager; the numbers of messages that were dropped are missing
	ReceivedAt time.Time // when the last byte of it was read
}

// Auto returns the message as the kind of value that it looks like. Text that is JSON gives what encoding/json makes of
// it: map[string]any, []any, string, float64, bool or nil, so that the text 123 is a number. Other text gives a string,
// and a binary message its bytes.
func (m Message) Auto() any {
	if m.Type != Text {
		return m.Data
	}
	var v any
	if err := json.Unmarshal(m.Data, &v); err != nil {
		return string(m.Data)
	}
	return v
}
