package pikvm

import (
	"context"
	"time"
)

// MacroPrint lets the device type a text, as [HID.Print] does: "print". Delay is in whole milliseconds.
type MacroPrint struct {
	Text   string
	Keymap string // as in [PrintOptions]
	Slow   bool   // as in [PrintOptions]
	Delay  time.Duration
}

// Type returns "print".
func (MacroPrint) Type() string { return "print" }

func readMacroPrint(e *macroEvent) MacroStep {
	s := MacroPrint{Text: e.text("text")}
	if e.has("keymap") {
		s.Keymap = e.text("keymap")
	}
	if e.has("slow") {
		s.Slow = e.flag("slow")
	}
	if e.has("delay") {
		s.Delay = e.millis("delay")
	}
	return s
}

func (s MacroPrint) event() any {
	return struct {
		Text   string `json:"text"`
		Keymap string `json:"keymap,omitempty"`
		Slow   bool   `json:"slow,omitempty"`
		Delay  int64  `json:"delay,omitempty"`
	}{s.Text, s.Keymap, s.Slow, s.Delay.Milliseconds()}
}

func (s MacroPrint) check(r *macroReport) {
	r.require(typeable(s.Text), "text is not UTF-8, or has characters that cannot be typed")
	r.require(s.Keymap == "" || keymapName.MatchString(s.Keymap), "keymap is not the name of a layout")
	r.require(s.Delay >= 0 && s.Delay <= maxPrintDelay && s.Delay%time.Millisecond == 0, "delay is not 0 to 5000")
}

func (s MacroPrint) run(ctx context.Context, r *macroRun) error {
	return r.client.HID.Print(ctx, s.Text, &PrintOptions{Keymap: s.Keymap, Slow: s.Slow, Delay: s.Delay})
}

// MacroKey presses or releases a key: "key".
type MacroKey struct {
	Key     Key
	Pressed bool
}

// Type returns "key".
func (MacroKey) Type() string { return "key" }

func readMacroKey(e *macroEvent) MacroStep { return MacroKey{Key(e.text("key")), e.flag("state")} }

func (s MacroKey) event() any {
	return struct {
		Key   Key  `json:"key"`
		State bool `json:"state"`
	}{s.Key, s.Pressed}
}

func (s MacroKey) check(r *macroReport) { r.require(s.Key.Valid(), "key is none that there is") }

func (s MacroKey) run(ctx context.Context, r *macroRun) error {
	return r.held.key(ctx, s.Key, s.Pressed)
}
