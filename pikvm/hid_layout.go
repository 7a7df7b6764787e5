package pikvm

import "strings"

// keyStroke is how a character is typed: a key, with or without Shift.
type keyStroke struct {
	key   Key
	shift bool
}

// usSigns are the signs on the keys of the layout en-us, without and with Shift (ANSI INCITS 154, as in the layout "us" of
// xkeyboard-config).
var usSigns = map[Key][2]rune{
	KeyBackquote: {'`', '~'}, KeyMinus: {'-', '_'}, KeyEqual: {'=', '+'}, KeyBracketLeft: {'[', '{'},
	KeyBracketRight: {']', '}'}, KeyBackslash: {'\\', '|'}, KeySemicolon: {';', ':'}, KeyQuote: {'\'', '"'},
	KeyComma: {',', '<'}, KeyPeriod: {'.', '>'}, KeySlash: {'/', '?'},
	KeyDigit1: {'1', '!'}, KeyDigit2: {'2', '@'}, KeyDigit3: {'3', '#'}, KeyDigit4: {'4', '$'}, KeyDigit5: {'5', '%'},
	KeyDigit6: {'6', '^'}, KeyDigit7: {'7', '&'}, KeyDigit8: {'8', '*'}, KeyDigit9: {'9', '('}, KeyDigit0: {'0', ')'},
}

// usLayout is how the characters of the layout en-us are typed.
var usLayout = func() map[rune]keyStroke {
	layout := map[rune]keyStroke{' ': {KeySpace, false}, '\n': {KeyEnter, false}, '\t': {KeyTab, false}}
	for key, signs := range usSigns {
		layout[signs[0]], layout[signs[1]] = keyStroke{key, false}, keyStroke{key, true}
	}
	for letter := 'a'; letter <= 'z'; letter++ {
		upper := strings.ToUpper(string(letter))
		key := Key("Key" + upper)
		layout[letter], layout[rune(upper[0])] = keyStroke{key, false}, keyStroke{key, true}
	}
	return layout
}()

// keyEvent is the press or the release of a key.
type keyEvent struct {
	key  Key
	down bool
	done int // characters that are typed when it has happened
}

// typing returns the events that type a text, and the place of the first character, counted in characters, that the
// layout lacks; it is negative if there is none. Shift is held for as many characters in a row as need it. A carriage
// return before a line feed is part of it.
func typing(text string, layout map[rune]keyStroke) (events []keyEvent, lacking int) {
	shifted, done := false, 0
	runes := []rune(text)
	for i, r := range runes {
		if r == '\r' && i+1 < len(runes) && runes[i+1] == '\n' {
			done++
			continue
		}
		stroke, ok := layout[r]
		if !ok {
			return nil, i
		}
		if stroke.shift != shifted {
			shifted = stroke.shift
			events = append(events, keyEvent{KeyShiftLeft, shifted, done})
		}
		events = append(events, keyEvent{stroke.key, true, done})
		done++
		events = append(events, keyEvent{stroke.key, false, done})
	}
	if shifted {
		events = append(events, keyEvent{KeyShiftLeft, false, done})
	}
	return events, -1
}
