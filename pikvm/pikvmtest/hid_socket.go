package pikvmtest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// Opcodes of input in binary messages (PiKVM API, 3.228+).
const (
	opcodeKey      = byte(1)
	opcodeButton   = byte(2)
	opcodeMove     = byte(3)
	opcodeRelative = byte(4)
	opcodeWheel    = byte(5)
)

// Flags of input in binary messages.
const (
	flagDown   = 1 << 0 // of a key or a button
	flagSquash = 1 << 0 // of steps
	flagFinish = 1 << 1 // of a key (4.33+)
	flagCode   = 1 << 7 // the name is a number of Linux (4.72+)
)

const (
	maxSocketName = 32  // of a key or a button in a binary message
	maxStep       = 127 // of a mouse or a wheel at a time
)

// buttonCodes are the Linux numbers of the buttons.
var buttonCodes = map[string]uint16{"left": 272, "right": 273, "middle": 274, "up": 278, "down": 277}

// socketRoutes adds the input that comes over event sockets. What is wrong with a message makes the device overlook it.
func (h *hid) socketRoutes(b *inbox) {
	b.text["key"] = func(_ *socket, m inbound) { h.textStroke(m, HIDKey, "key") }
	b.text["mouse_button"] = func(_ *socket, m inbound) { h.textStroke(m, HIDButton, "button") }
	b.text["mouse_move"] = func(_ *socket, m inbound) { h.textMove(m) }
	b.text["mouse_relative"] = func(_ *socket, m inbound) { h.textSteps(m, HIDRelative) }
	b.text["mouse_wheel"] = func(_ *socket, m inbound) { h.textSteps(m, HIDWheel) }
	if !h.version.atLeast(3, 228) {
		return
	}
	b.binary[opcodeKey] = func(_ *socket, m inbound) { h.binaryStroke(m, HIDKey) }
	b.binary[opcodeButton] = func(_ *socket, m inbound) { h.binaryStroke(m, HIDButton) }
	b.binary[opcodeMove] = func(_ *socket, m inbound) { h.binaryMove(m) }
	b.binary[opcodeRelative] = func(_ *socket, m inbound) { h.binarySteps(m, HIDRelative) }
	b.binary[opcodeWheel] = func(_ *socket, m inbound) { h.binarySteps(m, HIDWheel) }
}

func (h *hid) textStroke(m inbound, kind HIDKind, member string) {
	name, ok := textName(m.event[member], kind)
	if !ok {
		return
	}
	down, err := rawArg(m.event["state"]).bool()
	if err != nil {
		return
	}
	finish, err := rawArg(m.event["finish"]).or("0").bool()
	if err != nil {
		return
	}
	h.strike(OriginText, kind, name, down, finish)
}

// textName returns the name of a key or a button.
func textName(raw json.RawMessage, kind HIDKind) (string, bool) {
	if kind == HIDButton {
		name, err := rawArg(raw).choice("Mouse button", buttonNames()...)
		return name, err == nil
	}
	name, err := rawArg(raw).text("Keyboard key", rawShort)
	return name, err == nil && isKey(name)
}

func buttonNames() []string { return slices.Collect(maps.Keys(buttonCodes)) }

// rawArg is a member of an event as the validators take it.
func rawArg(raw json.RawMessage) arg {
	if raw == nil || bytes.Equal(raw, []byte("null")) {
		return arg{}
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw) // a number, a bool, or what no validator takes
	}
	return arg{text, true}
}

// point is a position or a step.
type point struct{ x, y int }

// textPoint reads an object with two numbers, cut to what the mouse can.
func textPoint(raw json.RawMessage, low, high int) (point, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(orNull(raw), &members) != nil {
		return point{}, false
	}
	x, errX := rawArg(members["x"]).mouse("Mouse move", low, high)
	y, errY := rawArg(members["y"]).mouse("Mouse move", low, high)
	return point{x, y}, errX == nil && errY == nil
}

func (h *hid) textMove(m inbound) {
	to, ok := textPoint(m.event["to"], math.MinInt16, math.MaxInt16)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.move(OriginText, HIDMove, to.x, to.y)
}

func (h *hid) textSteps(m inbound, kind HIDKind) {
	raws := []json.RawMessage{m.event["delta"]}
	if raw := bytes.TrimSpace(m.event["delta"]); len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &raws) != nil {
		return
	}
	steps := make([]point, len(raws))
	for i, raw := range raws {
		var ok bool
		if steps[i], ok = textPoint(raw, -maxStep, maxStep); !ok {
			return
		}
	}
	squash, err := rawArg(m.event["squash"]).or("0").bool()
	if err != nil {
		return
	}
	h.steps(OriginText, kind, steps, squash)
}

func (h *hid) binaryStroke(m inbound, kind HIDKind) {
	if len(m.data) < 2 {
		return
	}
	flags, name := m.data[0], string(m.data[1:])
	if flags&flagCode != 0 && h.version.atLeast(4, 72) {
		if len(name) != 2 {
			return
		}
		name = nameOfCode(kind, binary.BigEndian.Uint16(m.data[1:]))
	}
	known := isKey(name)
	if kind == HIDButton {
		_, known = buttonCodes[name]
	}
	if !known || len(name) > maxSocketName {
		return
	}
	h.strike(OriginBinary, kind, name, flags&flagDown != 0, flags&flagFinish != 0)
}

// nameOfCode returns the key or button with a number of Linux; empty if there is none.
func nameOfCode(kind HIDKind, code uint16) string {
	if kind == HIDButton {
		for name, c := range buttonCodes {
			if c == code {
				return name
			}
		}
		return ""
	}
	for name, c := range hidKeys() {
		if c == int(code) {
			return name
		}
	}
	return ""
}

func (h *hid) binaryMove(m inbound) {
	if len(m.data) != 4 {
		return
	}
	x, y := int16(binary.BigEndian.Uint16(m.data)), int16(binary.BigEndian.Uint16(m.data[2:]))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.move(OriginBinary, HIDMove, int(x), int(y))
}

func (h *hid) binarySteps(m inbound, kind HIDKind) {
	if len(m.data)%2 == 0 {
		return
	}
	var steps []point
	for pair := range slices.Chunk(m.data[1:], 2) {
		steps = append(steps, point{max(int(int8(pair[0])), -maxStep), max(int(int8(pair[1])), -maxStep)})
	}
	h.steps(OriginBinary, kind, steps, m.data[0]&flagSquash != 0)
}

// strike works a key or a button. A press that is to be finished is released at once, but for some keys.
func (h *hid) strike(origin HIDOrigin, kind HIDKind, name string, down, finish bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.press(origin, kind, name, down)
	if down && finish && kind == HIDKey && h.version.atLeast(4, 33) && !sticky(name) {
		h.press(origin, kind, name, false)
	}
}

// steps moves the mouse or turns the wheel. Squashed steps are added up as long as the sum is one that the mouse can, and
// a sum of nothing is not sent.
func (h *hid) steps(origin HIDOrigin, kind HIDKind, steps []point, squash bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !squash {
		for _, s := range steps {
			h.move(origin, kind, s.x, s.y)
		}
		return
	}
	var sum point
	flush := func() {
		if sum != (point{}) {
			h.move(origin, kind, sum.x, sum.y)
		}
	}
	for _, s := range steps {
		next := point{sum.x + s.x, sum.y + s.y}
		if max(next.x, -next.x) > maxStep || max(next.y, -next.y) > maxStep {
			flush()
			next = s
		}
		sum = next
	}
	flush()
}
