package pikvmtest

import (
	"encoding/json"
	"errors"
)

// inbound is one message of a client: a text with the name of its event and the members of the event, or a binary one
// with its opcode and what follows.
type inbound struct {
	kind   string                     // of a text
	event  map[string]json.RawMessage // of a text, never nil
	opcode byte                       // of a binary message
	data   []byte                     // of a binary message
}

// The reasons for which the device overlooks a message.
var (
	errEmptyMessage = errors.New("empty message")
	errNoEvent      = errors.New("not an event")
)

// parseInbound decodes a message. The device drops what this refuses, without an answer.
func parseInbound(binary bool, data []byte) (inbound, error) {
	if binary {
		if len(data) == 0 {
			return inbound{}, errEmptyMessage
		}
		return inbound{opcode: data[0], data: data[1:]}, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return inbound{}, err
	}
	var kind *string
	if err := json.Unmarshal(orNull(members["event_type"]), &kind); err != nil {
		return inbound{}, err
	}
	var event map[string]json.RawMessage
	if err := json.Unmarshal(orNull(members["event"]), &event); err != nil {
		return inbound{}, err
	}
	if kind == nil || event == nil {
		return inbound{}, errNoEvent
	}
	return inbound{kind: *kind, event: event}, nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// inbox holds what the device does with the messages of clients. Messages that are not in it are overlooked.
type inbox struct {
	text   map[string]func(*socket, inbound)
	binary map[byte]func(*socket, inbound)
}

func (b *inbox) deliver(s *socket, binary bool, data []byte) {
	msg, err := parseInbound(binary, data)
	if err != nil {
		return
	}
	handle := b.text[msg.kind]
	if binary {
		handle = b.binary[msg.opcode]
	}
	if handle != nil {
		handle(s, msg)
	}
}
