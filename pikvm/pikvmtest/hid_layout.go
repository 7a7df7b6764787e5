package pikvmtest

import (
	"encoding/json"
	"strings"
	"sync"
)

// hidKeys are the names of the keys that the device knows, with their Linux numbers.
var hidKeys = sync.OnceValue(func() map[string]int {
	var all struct {
		Keys map[string]int `json:"keys"`
	}
	if err := json.Unmarshal(readDocument("hid_keys"), &all); err != nil {
		panic(err) // the file is part of the program
	}
	return all.Keys
})

func isKey(name string) bool {
	_, ok := hidKeys()[name]
	return ok
}

// sticky reports whether the device leaves a key pressed that is to be finished: modifiers and PrintScreen.
func sticky(key string) bool {
	for _, name := range []string{"Shift", "Control", "Alt", "Meta"} {
		if key == name+"Left" || key == name+"Right" {
			return true
		}
	}
	return key == "PrintScreen"
}

// usSigns are the signs of the layout en-us, without and with Shift, by the names of their keys.
var usSigns = map[string]string{
	"Backquote": "`~", "Minus": "-_", "Equal": "=+", "BracketLeft": "[{", "BracketRight": "]}", "Backslash": `\|`,
	"Semicolon": ";:", "Quote": `'"`, "Comma": ",<", "Period": ".>", "Slash": "/?", "Space": "  ", "Enter": "\n\n", "Tab": "\t\t",
	"Digit1": "1!", "Digit2": "2@", "Digit3": "3#", "Digit4": "4$", "Digit5": "5%", "Digit6": "6^", "Digit7": "7&",
	"Digit8": "8*", "Digit9": "9(", "Digit0": "0)",
}

// usCharacter is what a key gives on a host with the layout en-us.
func usCharacter(key string, shift, caps bool) (byte, bool) {
	if letter, ok := strings.CutPrefix(key, "Key"); ok && len(letter) == 1 {
		if shift == caps {
			letter = strings.ToLower(letter)
		}
		return letter[0], true
	}
	signs, ok := usSigns[key]
	switch {
	case !ok:
		return 0, false
	case shift:
		return signs[1], true
	}
	return signs[0], true
}

// keyStroke is how a character is typed.
type keyStroke struct {
	key   string
	shift bool
}

// usStrokes are the keys of the characters.
var usStrokes = sync.OnceValue(func() map[rune]keyStroke {
	strokes := make(map[rune]keyStroke)
	for key := range hidKeys() {
		for _, shift := range []bool{true, false} { // without Shift where both do
			if c, ok := usCharacter(key, shift, false); ok {
				strokes[rune(c)] = keyStroke{key, shift}
			}
		}
	}
	for typographic, plain := range map[rune]rune{'\u2018': '\'', '\u2019': '\'', '\u201c': '"', '\u201d': '"', '\u2013': '-'} {
		strokes[typographic] = strokes[plain]
	}
	return strokes
})

// usStroke is how the device types a character; it leaves out what it cannot type.
func usStroke(r rune) (keyStroke, bool) {
	stroke, ok := usStrokes()[r]
	return stroke, ok
}
