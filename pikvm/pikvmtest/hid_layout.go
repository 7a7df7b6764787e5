package pikvmtest

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:embed layouts/*.txt
var layoutFS embed.FS

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

// layoutOfKeymap is the layout that a keymap of the device describes; that of the United States if there are no facts.
func layoutOfKeymap(keymap string) string {
	names := map[string]string{
		"en-us-altgr-intl": "us-intl", "en-gb": "gb", "de-ch": "ch", "fr-ch": "ch-fr", "fr-be": "be", "fr-ca": "ca",
		"pt-br": "br", "da": "dk", "sv": "se", "sl": "si", "et": "ee",
	}
	if name, ok := names[keymap]; ok {
		return name
	}
	if _, err := layoutFS.Open("layouts/" + keymap + ".txt"); err == nil {
		return keymap
	}
	return "us"
}

// hostLayout is what the keys give on a host: characters, and names of dead keys.
type hostLayout struct {
	keys  map[string][]string // plain, with Shift, with AltGr, with both; "none" is nothing
	altGr bool                // the right Alt is AltGr
}

// readLayout reads the facts of a layout.
func readLayout(name string) (*hostLayout, error) {
	text, err := layoutFS.ReadFile("layouts/" + name + ".txt")
	if err != nil || name == "compose" {
		return nil, fmt.Errorf("pikvmtest: no layout %q", name)
	}
	l := &hostLayout{keys: map[string][]string{"Space": {" ", " "}, "Enter": {"\n", "\n"}, "Tab": {"\t", "\t"}}}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		l.keys[fields[0]] = fields[1:]
		l.altGr = l.altGr || len(fields) > 3
	}
	return l, nil
}

// sign is what a key gives; it is empty for nothing.
func (l *hostLayout) sign(key string, shift, altGr, caps bool) string {
	signs := l.keys[key]
	if caps && len(signs) > 0 && unicode.IsLetter([]rune(signs[0])[0]) && len([]rune(signs[0])) == 1 {
		shift = !shift
	}
	level := 0
	if shift {
		level++
	}
	if altGr {
		level += 2
	}
	if level >= len(signs) || signs[level] == "none" {
		return ""
	}
	return signs[level]
}

// composed are the characters that dead keys make, by both strokes.
var composed = sync.OnceValue(func() map[[2]string]string {
	text, err := layoutFS.ReadFile("layouts/compose.txt")
	if err != nil {
		panic(err) // the file is part of the program
	}
	all := make(map[[2]string]string)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		next := fields[1]
		if next == "space" {
			next = " "
		}
		all[[2]string{fields[0], next}] = fields[2]
	}
	return all
})

// keyStroke is how a character is typed.
type keyStroke struct {
	key          string
	shift, altGr bool
}

// keymapStrokes is how the device types on a layout. It knows no dead keys.
func keymapStrokes(name string) map[rune]keyStroke {
	l, err := readLayout(name)
	if err != nil {
		panic(err) // names come from layoutOfKeymap
	}
	var keys []string
	for key := range hidKeys() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	strokes := make(map[rune]keyStroke)
	for _, intl := range []bool{false, true} {
		for level := range 4 {
			for _, key := range keys {
				if (key == "IntlBackslash") != intl {
					continue
				}
				s := keyStroke{key: key, shift: level%2 == 1, altGr: level >= 2}
				sign := []rune(l.sign(key, s.shift, s.altGr, false))
				if len(sign) != 1 {
					continue
				}
				if _, known := strokes[sign[0]]; !known {
					strokes[sign[0]] = s
				}
			}
		}
	}
	for typographic, plain := range map[rune]rune{'\u2018': '\'', '\u2019': '\'', '\u201c': '"', '\u201d': '"', '\u2013': '-'} {
		if stroke, ok := strokes[plain]; ok {
			strokes[typographic] = stroke
		}
	}
	return strokes
}
