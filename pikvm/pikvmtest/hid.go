package pikvmtest

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// jigglerInterval is how often the jiggler moves the mouse, in seconds (PiKVM default).
const jigglerInterval = 60

// hid is the keyboard and the mouse.
type hid struct {
	server  *Server
	opts    HIDOptions
	version version
	hub     *hub

	mu             sync.Mutex
	busy           bool
	unplugged      bool
	keyboardAway   bool
	mouseAway      bool
	leds           HIDLEDs
	keyboardOutput string
	mouseOutput    string
	jiggler        bool
	active         time.Time           // of the last input
	pressed        map[string]struct{} // keys and buttons
	log            []HIDEvent
	text           hostText
	changed        notifier
}

func newHID(s *Server) *hid {
	h := &hid{
		server: s, opts: s.opts.HID, version: s.version, hub: s.hub, active: time.Now(), pressed: make(map[string]struct{}),
	}
	h.text.layout, _ = readLayout(h.opts.Layout) // Start reports what is wrong with it
	if len(h.opts.KeyboardOutputs) > 0 {
		h.keyboardOutput = h.opts.KeyboardOutputs[0]
	}
	if len(h.opts.MouseOutputs) > 0 {
		h.mouseOutput = h.opts.MouseOutputs[0]
	}
	return h
}

func (h *hid) routes(k *router) {
	k.add(http.MethodGet, "/hid", func(c *call) error {
		h.mu.Lock()
		state := h.state()
		h.mu.Unlock()
		return c.ok(state)
	})
	k.add(http.MethodPost, "/hid/set_params", h.setParams)
	k.add(http.MethodPost, "/hid/set_connected", h.setConnected)
	k.add(http.MethodPost, "/hid/reset", func(c *call) error {
		h.clear(OriginReset)
		return c.ok(nil)
	})
	k.add(http.MethodPost, "/hid/print", h.print)
	if h.version.atLeast(4, 83) {
		k.add(http.MethodGet, "/hid/inactivity", func(c *call) error {
			h.mu.Lock()
			idle := time.Since(h.active)
			h.mu.Unlock()
			return c.ok(map[string]int{"inactivity": int(idle / time.Second)})
		})
	}
	h.inputRoutes(k)
}

func (h *hid) announce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publish()
}

// publish and all below up to setParams are called with mu held.
func (h *hid) publish() { h.hub.broadcast(event{"hid", h.state()}) }

func (h *hid) state() map[string]any {
	var connected any // known only where it can be changed
	if h.opts.Microcontroller {
		connected = !h.unplugged
	}
	state := map[string]any{
		"enabled": true, "online": !h.keyboardAway && !h.mouseAway, "busy": h.busy, "connected": connected,
		"keyboard": map[string]any{
			"online":  !h.keyboardAway,
			"leds":    map[string]bool{"caps": h.leds.Caps, "num": h.leds.Num, "scroll": h.leds.Scroll},
			"outputs": outputs(h.opts.KeyboardOutputs, h.keyboardOutput),
		},
		"mouse": map[string]any{
			"online": !h.mouseAway, "absolute": h.absolute(), "outputs": outputs(h.opts.MouseOutputs, h.mouseOutput),
		},
	}
	if h.version.atLeast(3, 265) {
		state["jiggler"] = map[string]any{"enabled": true, "active": h.jiggler, "interval": jigglerInterval}
	}
	return state
}

func outputs(available []string, active string) map[string]any {
	return map[string]any{"available": append([]string{}, available...), "active": active}
}

// absolute reports whether the mouse takes positions.
func (h *hid) absolute() bool { return h.mouseOutput == "usb" || h.mouseOutput == "usb_win98" }

// setParams changes what the device has, and overlooks what it has not.
func (h *hid) setParams(c *call) error {
	keyboard, err := c.arg("keyboard_output").or("").output("Keyboard output", "usb", "ps2", "disabled")
	if err != nil {
		return err
	}
	mouse, err := c.arg("mouse_output").or("").output("Mouse output", "usb", "usb_win98", "usb_rel", "ps2", "disabled")
	if err != nil {
		return err
	}
	jiggler, err := c.arg("jiggler").optionalBool()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Contains(h.opts.KeyboardOutputs, keyboard) {
		h.keyboardOutput = keyboard
	}
	if slices.Contains(h.opts.MouseOutputs, mouse) {
		h.mouseOutput = mouse
	}
	if jiggler != nil {
		h.jiggler = *jiggler
	}
	h.publish()
	return c.ok(nil)
}

// output is choice; empty names none.
func (a arg) output(name string, variants ...string) (string, error) {
	if a.value == "" {
		return "", nil
	}
	return a.choice(name, variants...)
}

func (h *hid) setConnected(c *call) error {
	connected, err := c.arg("connected").bool()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.opts.Microcontroller && h.unplugged == connected {
		h.unplugged = !connected
		h.publish()
	}
	return c.ok(nil)
}

// clear releases everything.
func (h *hid) clear(origin HIDOrigin) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.pressed)) {
		delete(h.pressed, name)
		kind := HIDButton
		if isKey(name) {
			kind = HIDKey
		}
		h.note(HIDEvent{Origin: origin, Kind: kind, Name: name})
	}
}
