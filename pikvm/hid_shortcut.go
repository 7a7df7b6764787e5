package pikvm

import "strings"

// ParseShortcut reads the keys of a shortcut as people write them, such as "ctrl+alt+del" or "shift+F12", for
// [HID.Shortcut]. Names are those of [Key] or short ones, whatever their case: letters, digits, f1 to f24, ctrl, alt,
// altgr, shift, win, meta, cmd, super, esc, enter, return, del, ins, pgup, pgdn, up, down, left, right, space, tab,
// backspace, caps and prtsc. What is none of them is a [ConfigurationError].
func ParseShortcut(text string) ([]Key, error) {
	parts := strings.Split(text, "+")
	keys := make([]Key, len(parts))
	for i, part := range parts {
		key, ok := keyNamed(strings.ToLower(strings.TrimSpace(part)))
		if !ok {
			return nil, configurationError("ParseShortcut", "text", "a key that there is not")
		}
		keys[i] = key
	}
	return keys, nil
}

// keyAliases are short names of keys.
var keyAliases = map[string]Key{
	"ctrl": KeyControlLeft, "control": KeyControlLeft, "alt": KeyAltLeft, "altgr": KeyAltRight, "shift": KeyShiftLeft,
	"win": KeyMetaLeft, "meta": KeyMetaLeft, "cmd": KeyMetaLeft, "super": KeyMetaLeft,
	"esc": KeyEscape, "return": KeyEnter, "del": KeyDelete, "ins": KeyInsert, "pgup": KeyPageUp, "pgdn": KeyPageDown,
	"up": KeyArrowUp, "down": KeyArrowDown, "left": KeyArrowLeft, "right": KeyArrowRight,
	"caps": KeyCapsLock, "prtsc": KeyPrintScreen,
}

// keysByLowerName finds keys whatever the case of their names.
var keysByLowerName = func() map[string]Key {
	keys := make(map[string]Key, len(knownKeys))
	for key := range knownKeys {
		keys[strings.ToLower(string(key))] = key
	}
	return keys
}()

// keyNamed returns the key with a lower-case name.
func keyNamed(name string) (Key, bool) {
	if key, ok := keyAliases[name]; ok {
		return key, true
	}
	for _, prefix := range []string{"", "key", "digit"} { // of which the last two have one more character
		if key, ok := keysByLowerName[prefix+name]; ok && (prefix == "" || len(name) == 1) {
			return key, true
		}
	}
	return "", false
}
