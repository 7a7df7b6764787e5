package pikvmtest

import (
	"context"
	"maps"
	"slices"
	"time"
)

// HIDKind says what an input is.
type HIDKind string

// The kinds of input.
const (
	HIDKey      HIDKind = "key"
	HIDButton   HIDKind = "button"
	HIDMove     HIDKind = "move"     // to X and Y
	HIDRelative HIDKind = "relative" // by X and Y
	HIDWheel    HIDKind = "wheel"    // by X and Y
)

// HIDOrigin says where an input comes from.
type HIDOrigin string

// The origins of input.
const (
	OriginREST   HIDOrigin = "rest"
	OriginText   HIDOrigin = "text"   // a text message on an event socket
	OriginBinary HIDOrigin = "binary" // a binary message on an event socket
	OriginPrint  HIDOrigin = "print"  // typed by the device
	OriginReset  HIDOrigin = "reset"  // released by a reset
	OriginSocket HIDOrigin = "socket" // released because an event socket opened or closed
)

// HIDEvent is an input that reached the host.
type HIDEvent struct {
	Time    time.Time
	Origin  HIDOrigin
	Kind    HIDKind
	Name    string // of a key or button
	Pressed bool   // of a key or button
	X, Y    int
}

// HIDLEDs are the lamps of the keyboard.
type HIDLEDs struct{ Caps, Num, Scroll bool }

// HIDOptions describes keyboard and mouse. The zero value is that of a device with a USB gadget.
type HIDOptions struct {
	// KeyboardOutputs are those that one can choose from, of which the first is active. Nil means that there is no choice.
	KeyboardOutputs []string

	// MouseOutputs are the same for the mouse. Nil means "usb" and "usb_rel".
	MouseOutputs []string

	// Microcontroller imitates a device that can unplug keyboard and mouse.
	Microcontroller bool

	// Keymaps are the layouts that the device types on, of which the first is the default. Those without a file in
	// directory layouts print like en-us. Nil means those of the recorded device.
	Keymaps []string

	// Layout is that of the host, by which [Server.Typed] reads the keys: the name of a file in directory layouts, such
	// as "de". Empty means "us".
	Layout string
}

// maxTyped bounds what [Server.Typed] returns, in characters.
const maxTyped = 64 << 10

// withDefaults returns a checked copy that has every default filled in.
func (o HIDOptions) withDefaults() (HIDOptions, error) {
	o.KeyboardOutputs, o.Keymaps = slices.Clone(o.KeyboardOutputs), slices.Clone(o.Keymaps)
	o.MouseOutputs = slices.Clone(o.MouseOutputs)
	if o.MouseOutputs == nil {
		o.MouseOutputs = []string{"usb", "usb_rel"}
	}
	if len(o.Keymaps) == 0 {
		o.Keymaps = recordedKeymaps()
	}
	if o.Layout == "" {
		o.Layout = "us"
	}
	_, err := readLayout(o.Layout)
	return o, err
}

// press works a key or a button that reaches the host. It is called with mu held.
func (h *hid) press(origin HIDOrigin, kind HIDKind, name string, down bool) {
	h.active = time.Now()
	if h.away(kind) {
		return
	}
	if _, held := h.pressed[name]; !held && !down {
		return // it is released already
	}
	if down {
		h.pressed[name] = struct{}{}
	} else {
		delete(h.pressed, name)
	}
	h.note(HIDEvent{Origin: origin, Kind: kind, Name: name, Pressed: down})
	if kind == HIDKey && down {
		h.hostGets(name)
	}
}

// move moves the mouse or turns the wheel. It is called with mu held.
func (h *hid) move(origin HIDOrigin, kind HIDKind, x, y int) {
	h.active = time.Now()
	if h.away(kind) || kind == HIDMove && !h.absolute() || kind == HIDRelative && h.absolute() {
		return
	}
	h.note(HIDEvent{Origin: origin, Kind: kind, X: x, Y: y})
}

// away reports whether the host does not get an input. It is called with mu held.
func (h *hid) away(kind HIDKind) bool {
	if h.unplugged {
		return true
	}
	if kind == HIDKey {
		return h.keyboardAway || h.keyboardOutput == "disabled"
	}
	return h.mouseAway || h.mouseOutput == "disabled"
}

// note is called with mu held.
func (h *hid) note(ev HIDEvent) {
	ev.Time = time.Now()
	if len(h.log) == maxRecorded {
		h.log = slices.Delete(h.log, 0, maxRecorded/4)
	}
	h.log = append(h.log, ev)
	h.changed.wake()
}

// HIDLog returns the input that reached the host since the start or the last [Server.ClearHIDLog], oldest first; the last
// 4096 are kept at most.
func (s *Server) HIDLog() []HIDEvent {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	return slices.Clone(s.hid.log)
}

// ClearHIDLog empties what [Server.HIDLog] and [Server.Typed] return. What is pressed stays pressed.
func (s *Server) ClearHIDLog() {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	s.hid.log, s.hid.text.typed = nil, nil
}

// Typed returns the text that the keys gave on the host, by its [HIDOptions].Layout and with its dead keys; the last 65536
// characters at most. Backspace takes a character back.
func (s *Server) Typed() string {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	return string(s.hid.text.typed)
}

// WaitTyped returns when [Server.Typed] is text. It returns the error of ctx otherwise.
func (s *Server) WaitTyped(ctx context.Context, text string) error {
	for {
		s.hid.mu.Lock()
		now, changed := string(s.hid.text.typed), s.hid.changed.wait()
		s.hid.mu.Unlock()
		if now == text {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pressed returns the keys and buttons that are pressed, sorted.
func (s *Server) Pressed() []string {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	return slices.Sorted(maps.Keys(s.hid.pressed))
}

// SetHIDLEDs sets the lamps of the keyboard, as the host does.
func (s *Server) SetHIDLEDs(leds HIDLEDs) {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	s.hid.leds = leds
	s.hid.publish()
}

// SetHIDOnline says whether the host takes keyboard and mouse. What it does not take is lost, and the device answers as ever.
func (s *Server) SetHIDOnline(keyboard, mouse bool) {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	s.hid.keyboardAway, s.hid.mouseAway = !keyboard, !mouse
	s.hid.publish()
}

// SetHIDBusy makes the device show keyboard and mouse as busy, or ends that. It takes input all the same, as devices do.
func (s *Server) SetHIDBusy(busy bool) {
	s.hid.mu.Lock()
	defer s.hid.mu.Unlock()
	s.hid.busy = busy
	s.hid.publish()
}
