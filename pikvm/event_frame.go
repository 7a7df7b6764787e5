package pikvm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// maxEventName bounds the name of an event, so that a name can be logged and counted.
const maxEventName = 64

// Opcodes of binary frames of the event socket (PiKVM API, "WebSocket").
const (
	opcodePing = 0x00
	opcodePong = 0xFF
)

// eventFrame is one text frame of the event socket, its name and payload translated to those of kvmd 4.36.
type eventFrame struct {
	name EventType
	data json.RawMessage // nil for none or null

	// piecemeal marks a payload from before kvmd 4.21, which came in several independent events: there is no
	// complete one to wait for.
	piecemeal bool
}

// decodeEvent reads one text frame: {"event_type": string, "event": any}. The result shares no memory with p.
func decodeEvent(p []byte) (eventFrame, error) {
	var f struct {
		Type *string         `json:"event_type"`
		Data json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(p, &f); err != nil {
		return eventFrame{}, fmt.Errorf("event frame is not JSON of the known form: %w", err)
	}
	if f.Type == nil || !legalEventName(*f.Type) {
		return eventFrame{}, fmt.Errorf("event frame without a legal name: %w", errkit.Protocol)
	}
	return translateEvent(*f.Type, payload(f.Data))
}

// payload returns data, nil for null.
func payload(data json.RawMessage) json.RawMessage {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return data
}

// legalEventName accepts what any version of the device could call an event. The names that a session gives
// to its own events begin with "@" and are therefore out of the device's reach.
func legalEventName(s string) bool {
	if s == "" || len(s) > maxEventName || s[0] == '@' {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// translateEvent gives an event the name and the shape that it has since kvmd 4.36. Before, names ended in
// "_state"; before 4.21 there were also separate events for parts of GPIO, for text recognition and for each
// part of info.
func translateEvent(name string, data json.RawMessage) (eventFrame, error) {
	base, old := strings.CutSuffix(name, "_state")
	if !old || base == "" {
		return eventFrame{name: EventType(name), data: data}, nil
	}
	part, isInfo := strings.CutPrefix(base, "info_")
	switch {
	case data == nil:
		return eventFrame{name: EventType(base)}, nil
	case base == "gpio_model":
		return eventFrame{name: EventGPIO, data: wrapMember("model", data), piecemeal: true}, nil
	case base == "gpio" && isGPIOState(data):
		return eventFrame{name: EventGPIO, data: wrapMember("state", data), piecemeal: true}, nil
	case base == "streamer_ocr":
		var wrapped struct {
			OCR json.RawMessage `json:"ocr"`
		}
		if err := json.Unmarshal(data, &wrapped); err != nil {
			return eventFrame{}, fmt.Errorf("event %s: %w", name, err)
		}
		return eventFrame{name: EventOCR, data: payload(wrapped.OCR)}, nil
	case isInfo && part != "":
		return eventFrame{name: EventInfo, data: wrapMember(part, data)}, nil
	}
	return eventFrame{name: EventType(base), data: data}, nil
}

// isGPIOState tells the bare state of kvmd before 4.21 from the later {"model", "state"}.
func isGPIOState(data json.RawMessage) bool {
	var f struct {
		Inputs  json.RawMessage `json:"inputs"`
		Outputs json.RawMessage `json:"outputs"`
		State   json.RawMessage `json:"state"`
		Model   json.RawMessage `json:"model"`
	}
	return json.Unmarshal(data, &f) == nil && (f.Inputs != nil || f.Outputs != nil) && f.State == nil && f.Model == nil
}

// wrapMember returns {name: data}.
func wrapMember(name string, data json.RawMessage) json.RawMessage {
	b := make(json.RawMessage, 0, len(name)+len(data)+5)
	b = append(b, '{')
	b = appendJSONString(b, name)
	b = append(b, ':')
	b = append(b, data...)
	return append(b, '}')
}

// appendJSONString appends s as a JSON string.
func appendJSONString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // cannot happen: every string has a JSON form
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// encodePing returns a ping. The binary form, which is a binary frame, exists since kvmd 4.53; the other needs an
// object as payload, null is ignored.
func encodePing(binary bool) []byte {
	if binary {
		return []byte{opcodePing}
	}
	return []byte(`{"event_type":"ping","event":{}}`)
}

// isPong reports whether a binary frame answers a ping.
func isPong(p []byte) bool { return len(p) > 0 && p[0] == opcodePong }
