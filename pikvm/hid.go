package pikvm

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// HID is the keyboard and the mouse that the device shows to the host. All methods may be called from several goroutines
// at once. Input is never repeated when its answer is lost, since it may have happened.
//
// Whenever an event socket of anybody opens or closes, the device releases all keys and buttons and forgets input that
// still waits: do not hold a key meanwhile.
type HID struct{ c *Client }

// HIDParams are the settings of keyboard and mouse: see [HID.SetParams]. What is nil stays as it is.
type HIDParams struct {
	KeyboardOutput *KeyboardOutput
	MouseOutput    *MouseOutput
	Jiggler        *bool // move the mouse a little whenever nobody else does (version 3.265)
}

// KeyboardOutput is how the host sees the keyboard.
type KeyboardOutput string

// Outputs of the keyboard. A device has some of them, see [HIDOutputs].
const (
	KeyboardUSB      KeyboardOutput = "usb"
	KeyboardPS2      KeyboardOutput = "ps2"
	KeyboardDisabled KeyboardOutput = "disabled"
)

// MouseOutput is how the host sees the mouse.
type MouseOutput string

// Outputs of the mouse. A device has some of them, see [HIDOutputs].
const (
	MouseUSB         MouseOutput = "usb"       // absolute positions
	MouseUSBWin98    MouseOutput = "usb_win98" // absolute positions as Windows 98 wants them
	MouseUSBRelative MouseOutput = "usb_rel"
	MousePS2         MouseOutput = "ps2"
	MouseDisabled    MouseOutput = "disabled"
)

// Stroke is what to do with a key or a button.
type Stroke int

// Strokes.
const (
	// Tap presses and releases. Over REST the device leaves modifiers and PrintScreen pressed nevertheless (PiKVM API):
	// [Release] them, or use [HID.Shortcut].
	Tap     Stroke = iota
	Press          // and hold
	Release        // what was pressed
)

// MouseButton is a button of the mouse.
type MouseButton string

// Buttons of the mouse. Up and down are those at its side, which browsers take for forward and back; the wheel is
// [HID.Wheel].
const (
	MouseLeft   MouseButton = "left"
	MouseRight  MouseButton = "right"
	MouseMiddle MouseButton = "middle"
	MouseUp     MouseButton = "up"
	MouseDown   MouseButton = "down"
)

func (b MouseButton) valid() bool {
	switch b {
	case MouseLeft, MouseRight, MouseMiddle, MouseUp, MouseDown:
		return true
	}
	return false
}

// State asks for the state. Errors are those of every request; see the package's documentation.
func (h *HID) State(ctx context.Context) (*HIDState, error) {
	state := new(HIDState)
	if err := h.c.get(ctx, call{op: "hid.State", path: "/api/hid"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// Inactivity asks how long ago the last input was, in whole seconds. It needs version 4.83.
func (h *HID) Inactivity(ctx context.Context) (time.Duration, error) {
	var idle inactivity
	if err := h.c.get(ctx, call{op: "hid.Inactivity", path: "/api/hid/inactivity"}, &idle); err != nil {
		return 0, err
	}
	return time.Duration(idle), nil
}

type inactivity time.Duration

// UnmarshalJSON reads the object in which the device wraps the number.
func (i *inactivity) UnmarshalJSON(data []byte) error {
	var wire struct {
		Inactivity *loose `json:"inactivity"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Inactivity == nil {
		return missing("inactivity")
	}
	*i = inactivity(wire.Inactivity.duration())
	return nil
}

// Keymaps asks which layouts [HID.Print] knows.
func (h *HID) Keymaps(ctx context.Context) (*Keymaps, error) {
	keymaps := new(Keymaps)
	if err := h.c.get(ctx, call{op: "hid.Keymaps", path: "/api/hid/keymaps"}, keymaps); err != nil {
		return nil, err
	}
	return keymaps, nil
}

// SetParams changes settings. An output that the device does not have changes nothing, and the device does not tell: look
// at the state.
func (h *HID) SetParams(ctx context.Context, params *HIDParams) error {
	const op = "hid.SetParams"
	var p HIDParams
	if params != nil {
		p = *params
	}
	query := url.Values{}
	if p.KeyboardOutput != nil {
		switch *p.KeyboardOutput {
		case KeyboardUSB, KeyboardPS2, KeyboardDisabled:
		default:
			return configurationError(op, "KeyboardOutput", "unknown")
		}
		query.Set("keyboard_output", string(*p.KeyboardOutput))
	}
	if p.MouseOutput != nil {
		switch *p.MouseOutput {
		case MouseUSB, MouseUSBWin98, MouseUSBRelative, MousePS2, MouseDisabled:
		default:
			return configurationError(op, "MouseOutput", "unknown")
		}
		query.Set("mouse_output", string(*p.MouseOutput))
	}
	setBool(query, "jiggler", p.Jiggler)
	return h.post(ctx, op, "set_params", query)
}

// SetConnected plugs keyboard and mouse in, or takes them away. Only devices with a microcontroller can do that; others
// accept it and do nothing, see [HIDState].Connected.
func (h *HID) SetConnected(ctx context.Context, connected bool) error {
	return h.post(ctx, "hid.SetConnected", "set_connected", url.Values{"connected": {flag(connected)}})
}

// Reset starts keyboard and mouse anew. All keys and buttons are released.
func (h *HID) Reset(ctx context.Context) error { return h.post(ctx, "hid.Reset", "reset", nil) }

// Key works a key.
func (h *HID) Key(ctx context.Context, key Key, stroke Stroke) error {
	const op = "hid.Key"
	if !key.Valid() {
		return configurationError(op, "key", "unknown")
	}
	return h.stroke(ctx, op, "send_key", url.Values{"key": {string(key)}}, stroke)
}

// maxKeys is how long the list of a shortcut may be, in characters (PiKVM validators).
const maxKeys = 4096

// Shortcut presses keys in their order and releases them in reverse: see [ParseShortcut] for names as people write them.
// The device takes 50ms for each press and each release, and answers after the last one. It needs version 4.79.
func (h *HID) Shortcut(ctx context.Context, keys ...Key) error {
	const op = "hid.Shortcut"
	list, err := shortcutList(op, keys)
	if err != nil {
		return err
	}
	k := call{op: op, path: "/api/hid/events/send_shortcut", query: url.Values{"keys": {list}}}
	k.patience = 2 * shortcutPace * time.Duration(len(keys))
	return h.c.post(ctx, k)
}

// shortcutList returns the list of the keys of a shortcut as the device takes it.
func shortcutList(op string, keys []Key) (string, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		if !key.Valid() {
			return "", configurationError(op, "keys", "unknown key")
		}
		if slices.Contains(keys[:i], key) {
			return "", configurationError(op, "keys", "a key twice")
		}
		names[i] = string(key)
	}
	list := strings.Join(names, ",")
	if list == "" || len(list) > maxKeys {
		return "", configurationError(op, "keys", "none, or too many")
	}
	return list, nil
}

// shortcutPace is how long the device waits before each event of a shortcut (PiKVM API).
const shortcutPace = 50 * time.Millisecond

// Button works a button of the mouse. A [Tap] is a click.
func (h *HID) Button(ctx context.Context, button MouseButton, stroke Stroke) error {
	const op = "hid.Button"
	if !button.valid() {
		return configurationError(op, "button", "unknown")
	}
	return h.stroke(ctx, op, "send_mouse_button", url.Values{"button": {string(button)}}, stroke)
}

func (h *HID) stroke(ctx context.Context, op, endpoint string, query url.Values, stroke Stroke) error {
	switch stroke {
	case Tap: // the device does both when it is not told
	case Press, Release:
		query.Set("state", flag(stroke == Press))
	default:
		return configurationError(op, "stroke", "unknown")
	}
	return h.event(ctx, op, endpoint, query)
}

func (h *HID) event(ctx context.Context, op, endpoint string, query url.Values) error {
	return h.post(ctx, op, "events/"+endpoint, query)
}

func (h *HID) post(ctx context.Context, op, endpoint string, query url.Values) error {
	return h.c.post(ctx, call{op: op, path: "/api/hid/" + endpoint, query: query})
}
