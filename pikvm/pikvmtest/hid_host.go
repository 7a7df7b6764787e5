package pikvmtest

import "strings"

// TypedOn returns the text that keys, as [Server.HIDLog] tells them, give on a host with a layout: the name of a file in
// directory layouts, such as "de". CapsLock is off at the beginning. An unknown layout is an error.
func TypedOn(layout string, log []HIDEvent) (string, error) {
	l, err := readLayout(layout)
	if err != nil {
		return "", err
	}
	host, pressed, caps := hostText{layout: l}, make(map[string]struct{}), false
	for _, ev := range log {
		switch {
		case ev.Kind != HIDKey:
		case !ev.Pressed:
			delete(pressed, ev.Name)
		default:
			pressed[ev.Name] = struct{}{}
			caps = caps != (ev.Name == "CapsLock")
			host.get(ev.Name, pressed, caps)
		}
	}
	return string(host.typed), nil
}

// hostText is the text that keys give on a host.
type hostText struct {
	layout *hostLayout
	dead   string // dead key that waits for what it goes with; empty if none does
	typed  []rune
}

// get takes a key that is pressed, as the last of all that are.
func (t *hostText) get(key string, pressed map[string]struct{}, caps bool) {
	holds := func(keys ...string) bool {
		for _, key := range keys {
			if _, held := pressed[key]; held {
				return true
			}
		}
		return false
	}
	if holds("ControlLeft", "ControlRight", "AltLeft", "MetaLeft", "MetaRight") || !t.layout.altGr && holds("AltRight") {
		return // a shortcut
	}
	if key == "Backspace" {
		t.typed = t.typed[:max(len(t.typed)-1, 0)]
		return
	}
	sign := t.layout.sign(key, holds("ShiftLeft", "ShiftRight"), holds("AltRight"), caps)
	switch {
	case sign == "":
		return
	case t.dead != "": // both strokes are lost where nothing comes of them
		sign, t.dead = composed()[[2]string{t.dead, sign}], ""
	case strings.HasPrefix(sign, "dead_"):
		t.dead = sign
		return
	}
	t.typed = append(t.typed, []rune(sign)...)
	t.typed = t.typed[max(len(t.typed)-maxTyped, 0):]
}

// hostGets is the host, which shows locks and takes text. It is called with mu held.
func (h *hid) hostGets(key string) {
	leds := h.leds
	switch key {
	case "CapsLock":
		h.leds.Caps = !h.leds.Caps
	case "NumLock":
		h.leds.Num = !h.leds.Num
	case "ScrollLock":
		h.leds.Scroll = !h.leds.Scroll
	}
	if h.leds != leds {
		h.publish()
	}
	h.text.get(key, h.pressed, h.leds.Caps)
}
