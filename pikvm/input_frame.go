package pikvm

import (
	"encoding/binary"
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// inputKind is one sort of input on the event socket.
type inputKind struct {
	opcode byte   // of its binary frame
	name   string // of its event
	member string // of the event, that has the key, the button, the position or the steps
}

// The sorts of input (PiKVM API, "WebSocket").
var (
	inputKey    = inputKind{0x01, "key", "key"}
	inputButton = inputKind{0x02, "mouse_button", "button"}
	inputMoveTo = inputKind{0x03, "mouse_move", "to"}
	inputMoveBy = inputKind{0x04, "mouse_relative", "delta"}
	inputWheel  = inputKind{0x05, "mouse_wheel", "delta"}
)

// Flags of a binary frame of input.
const (
	flagDown   = 1 << 0 // of a key or a button
	flagSquash = 1 << 0 // of steps
	flagFinish = 1 << 1 // of a key, since kvmd 4.33
)

// inputFrame is one frame of input, ready to be sent.
type inputFrame struct {
	typ  wsconn.MessageType
	data []byte
}

// strokeFrame is the press or the release of a key or a button. With finish the device releases a key by itself.
func strokeFrame(kind inputKind, binary bool, name string, down, finish bool) inputFrame {
	if !binary {
		event := map[string]any{kind.member: name, "state": down}
		if finish {
			event["finish"] = true
		}
		return textInput(kind, event)
	}
	var flags byte
	if down {
		flags |= flagDown
	}
	if finish {
		flags |= flagFinish
	}
	return inputFrame{wsconn.Binary, append([]byte{kind.opcode, flags}, name...)}
}

// positionFrame puts an absolute mouse somewhere. Both numbers fit into 16 bits.
func positionFrame(asBinary bool, x, y int) inputFrame {
	if !asBinary {
		return textInput(inputMoveTo, map[string]any{inputMoveTo.member: MouseStep{x, y}})
	}
	data := append(make([]byte, 0, 5), inputMoveTo.opcode)
	data = binary.BigEndian.AppendUint16(data, uint16(int16(x)))
	data = binary.BigEndian.AppendUint16(data, uint16(int16(y)))
	return inputFrame{wsconn.Binary, data}
}

// stepsFrame moves a relative mouse or turns the wheel. All numbers fit into 8 bits.
func stepsFrame(kind inputKind, binary bool, steps []MouseStep, squash bool) inputFrame {
	if !binary {
		event := map[string]any{kind.member: steps}
		if squash {
			event["squash"] = true
		}
		return textInput(kind, event)
	}
	data := append(make([]byte, 0, 2+2*len(steps)), kind.opcode, 0)
	if squash {
		data[1] = flagSquash
	}
	for _, step := range steps {
		data = append(data, byte(int8(step.X)), byte(int8(step.Y)))
	}
	return inputFrame{wsconn.Binary, data}
}

// textInput is the frame of an event.
func textInput(kind inputKind, event map[string]any) inputFrame {
	data, err := json.Marshal(map[string]any{"event_type": kind.name, "event": event})
	if err != nil {
		panic(err) // cannot happen: names, numbers and flags have a JSON form
	}
	return inputFrame{wsconn.Text, data}
}
