package pikvm

import (
	"encoding/json"
	"time"
)

// HIDState is the state of keyboard and mouse.
type HIDState struct {
	Enabled bool
	Online  bool // the host takes input
	Busy    bool

	// Connected is nil on devices that cannot unplug keyboard and mouse.
	Connected *bool

	Keyboard HIDKeyboard
	Mouse    HIDMouse

	// Jiggler is nil before version 3.265.
	Jiggler *HIDJiggler

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// HIDKeyboard is the state of the keyboard.
type HIDKeyboard struct {
	Online  bool
	LEDs    HIDLEDs
	Outputs HIDOutputs[KeyboardOutput]
}

// HIDLEDs are the lamps of the keyboard, as the host sets them.
type HIDLEDs struct{ Caps, Num, Scroll bool }

// HIDMouse is the state of the mouse.
type HIDMouse struct {
	Online   bool
	Absolute bool // it takes positions, otherwise steps
	Outputs  HIDOutputs[MouseOutput]
}

// HIDOutputs are the ways in which the host may see a keyboard or a mouse. None are available where there is no choice.
type HIDOutputs[T ~string] struct {
	Available []T
	Active    T
}

// HIDJiggler moves the mouse whenever nobody else does.
type HIDJiggler struct {
	Enabled  bool // the owner of the device allows it
	Active   bool
	Interval time.Duration
}

// Keymaps are the layouts that the device knows.
type Keymaps struct {
	Default   string
	Available []string

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// HID returns keyboard and mouse, and false as long as the device has not told them in a readable form; [State.Decode]
// says what is wrong.
func (s *State) HID() (*HIDState, bool) { return decodePart[HIDState](s, EventHID) }

// Keymaps returns the layouts that the device knows, and false as long as it has not told them in a readable form.
func (s *State) Keymaps() (*Keymaps, bool) { return decodePart[Keymaps](s, EventHIDKeymaps) }

// UnmarshalJSON reads the state as the device sends it. Whether it is online and the mouse is absolute must be there: a
// program decides by them what to send.
func (s *HIDState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Enabled   loose  `json:"enabled"`
		Online    *loose `json:"online"`
		Busy      loose  `json:"busy"`
		Connected *loose `json:"connected"`
		Keyboard  struct {
			Online loose `json:"online"`
			LEDs   struct {
				Caps   loose `json:"caps"`
				Num    loose `json:"num"`
				Scroll loose `json:"scroll"`
			} `json:"leds"`
			Outputs HIDOutputs[KeyboardOutput] `json:"outputs"`
		} `json:"keyboard"`
		Mouse struct {
			Online   loose                   `json:"online"`
			Absolute *loose                  `json:"absolute"`
			Outputs  HIDOutputs[MouseOutput] `json:"outputs"`
		} `json:"mouse"`
		Jiggler *struct {
			Enabled  loose `json:"enabled"`
			Active   loose `json:"active"`
			Interval loose `json:"interval"`
		} `json:"jiggler"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	switch {
	case wire.Online == nil:
		return missing("online")
	case wire.Mouse.Absolute == nil:
		return missing("mouse.absolute")
	}
	leds := wire.Keyboard.LEDs
	state := HIDState{
		Enabled: wire.Enabled.bool(),
		Online:  wire.Online.bool(),
		Busy:    wire.Busy.bool(),
		Keyboard: HIDKeyboard{
			Online:  wire.Keyboard.Online.bool(),
			LEDs:    HIDLEDs{Caps: leds.Caps.bool(), Num: leds.Num.bool(), Scroll: leds.Scroll.bool()},
			Outputs: wire.Keyboard.Outputs,
		},
		Mouse: HIDMouse{
			Online: wire.Mouse.Online.bool(), Absolute: wire.Mouse.Absolute.bool(), Outputs: wire.Mouse.Outputs,
		},
		Raw: append(json.RawMessage(nil), data...),
	}
	if wire.Connected != nil {
		connected := wire.Connected.bool()
		state.Connected = &connected
	}
	if j := wire.Jiggler; j != nil {
		state.Jiggler = &HIDJiggler{Enabled: j.Enabled.bool(), Active: j.Active.bool(), Interval: j.Interval.duration()}
	}
	*s = state
	return nil
}

// UnmarshalJSON reads the layouts as the device sends them.
func (k *Keymaps) UnmarshalJSON(data []byte) error {
	var wire struct {
		Keymaps *struct {
			Default   string   `json:"default"`
			Available []string `json:"available"`
		} `json:"keymaps"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Keymaps == nil {
		return missing("keymaps")
	}
	*k = Keymaps{wire.Keymaps.Default, wire.Keymaps.Available, append(json.RawMessage(nil), data...)}
	return nil
}
