package pikvmtest

import (
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Times of input.
const (
	shortcutPace = 50 * time.Millisecond // before each event of a shortcut
	slowPrint    = 20 * time.Millisecond // before each event of a slow print
)

// maxPrint bounds a text that the device keeps to print it.
const maxPrint = 16 << 20

func (h *hid) inputRoutes(k *router) {
	k.add(http.MethodPost, "/hid/events/send_key", h.sendKey)
	k.add(http.MethodPost, "/hid/events/send_mouse_button", h.sendButton)
	k.add(http.MethodPost, "/hid/events/send_mouse_move", h.sendMove)
	k.add(http.MethodPost, "/hid/events/send_mouse_relative", h.sendSteps(HIDRelative))
	k.add(http.MethodPost, "/hid/events/send_mouse_wheel", h.sendSteps(HIDWheel))
	if h.version.atLeast(4, 79) {
		k.add(http.MethodPost, "/hid/events/send_shortcut", h.sendShortcut)
	}
}

// sendKey works a key. Without a state the device presses and finishes, which leaves some keys pressed.
func (h *hid) sendKey(c *call) error {
	key, err := c.arg("key").text("Keyboard key", rawShort)
	if err != nil {
		return err
	}
	if !isKey(key) {
		return invalid("The argument %s is not a valid Keyboard key", pyRepr(key))
	}
	state, err := c.arg("state").optionalBool()
	if err != nil {
		return err
	}
	finish, err := c.arg("finish").or("0").bool()
	if err != nil {
		return err
	}
	finishes := h.version.atLeast(4, 33)
	h.mu.Lock()
	defer h.mu.Unlock()
	down := state == nil || *state
	h.press(OriginREST, HIDKey, key, down)
	switch {
	case state == nil && !finishes:
		h.press(OriginREST, HIDKey, key, false)
	case down && finishes && (finish || state == nil) && !sticky(key):
		h.press(OriginREST, HIDKey, key, false)
	}
	return c.ok(nil)
}

// sendShortcut presses in order and releases in reverse.
func (h *hid) sendShortcut(c *call) error {
	keys, err := c.arg("keys").items()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(keys, func(key string) bool { return !isKey(key) }) {
		return invalid("Failed sub-validator on one of the item of %s", pyReprList(keys))
	}
	for i := range 2 * len(keys) {
		key, down := i, true
		if i >= len(keys) {
			key, down = 2*len(keys)-1-i, false
		}
		if err := h.inject(OriginREST, keys[key], down, shortcutPace); err != nil {
			return err
		}
	}
	return c.ok(nil)
}

// inject works a key after a pause. It goes on when the client leaves.
func (h *hid) inject(origin HIDOrigin, key string, down bool, pause time.Duration) error {
	if pause > 0 && h.server.sleep(h.server.ctx, pause) != nil {
		panic(http.ErrAbortHandler)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.press(origin, HIDKey, key, down)
	return nil
}

func (h *hid) sendButton(c *call) error {
	button, err := c.arg("button").choice("Mouse button", buttonNames()...)
	if err != nil {
		return err
	}
	state, err := c.arg("state").optionalBool()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if state != nil {
		h.press(OriginREST, HIDButton, button, *state)
		return c.ok(nil)
	}
	h.press(OriginREST, HIDButton, button, true)
	h.press(OriginREST, HIDButton, button, false)
	return c.ok(nil)
}

func (h *hid) sendMove(c *call) error {
	x, err := c.arg("to_x").mouse("Mouse move", math.MinInt16, math.MaxInt16)
	if err != nil {
		return err
	}
	y, err := c.arg("to_y").mouse("Mouse move", math.MinInt16, math.MaxInt16)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.move(OriginREST, HIDMove, x, y)
	return c.ok(nil)
}

// sendSteps handles what moves by steps: a relative mouse and the wheel.
func (h *hid) sendSteps(kind HIDKind) func(*call) error {
	return func(c *call) error {
		x, err := c.arg("delta_x").mouse("Mouse delta", -127, 127)
		if err != nil {
			return err
		}
		y, err := c.arg("delta_y").mouse("Mouse delta", -127, 127)
		if err != nil {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.move(OriginREST, kind, x, y)
		return c.ok(nil)
	}
}

// mouse takes a number of at most 8 characters and cuts it to what the mouse can.
func (a arg) mouse(name string, low, high int) (int, error) {
	const rawMouse = 8
	s, err := a.text(name, rawMouse)
	if err != nil {
		return 0, err
	}
	base, digits := 10, s
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		base, digits = 16, hex
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		return 0, invalid("The argument %s is not a valid %s", pyRepr(s), name)
	}
	return int(min(max(n, int64(low)), int64(high))), nil
}

// print types a text. Shift and AltGr are held for as many characters in a row as need them.
func (h *hid) print(c *call) error {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxPrint))
	if err != nil {
		panic(http.ErrAbortHandler) // the client broke off
	}
	text := []rune(string(body))
	limit, err := c.arg("limit").or("1024").int("int", 0)
	if err != nil {
		return err
	}
	if limit > 0 && limit < int64(len(text)) {
		text = text[:limit]
	}
	keymap, err := c.arg("keymap").or(h.keymaps()[0]).text("keymap", 255)
	if err != nil {
		return err
	}
	if !slices.Contains(h.keymaps(), keymap) {
		return invalid("The argument %s is not a valid keymap", pyRepr(keymap))
	}
	pause, err := h.printPause(c)
	if err != nil {
		return err
	}
	strokes := keymapStrokes(layoutOfKeymap(keymap))
	var held keyStroke
	hold := func(to keyStroke) error {
		for _, m := range []struct {
			key       string
			now, then bool
		}{{"ShiftLeft", held.shift, to.shift}, {"AltRight", held.altGr, to.altGr}} {
			if m.now == m.then {
				continue
			}
			if err := h.inject(OriginPrint, m.key, m.then, pause); err != nil {
				return err
			}
		}
		held = to
		return nil
	}
	for _, r := range text {
		stroke, ok := strokes[r]
		if !ok {
			continue
		}
		if err := hold(stroke); err != nil {
			return err
		}
		for _, down := range []bool{true, false} {
			if err := h.inject(OriginPrint, stroke.key, down, pause); err != nil {
				return err
			}
		}
	}
	if err := hold(keyStroke{}); err != nil {
		return err
	}
	return c.ok(nil)
}

// printPause is the pause before each event of a print. Older devices do not know the parameters.
func (h *hid) printPause(c *call) (time.Duration, error) {
	var pause time.Duration
	if h.version.atLeast(4, 25) {
		slow, err := c.arg("slow").or("0").bool()
		if err != nil {
			return 0, err
		}
		if slow {
			pause = slowPrint
		}
	}
	if h.version.atLeast(4, 92) {
		delay, err := c.arg("delay").or(pyNumber(pause.Seconds())).floatTo("keys delay", 0, 5)
		if err != nil {
			return 0, err
		}
		pause = time.Duration(math.Round(delay * float64(time.Second)))
	}
	return pause, nil
}
