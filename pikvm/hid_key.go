package pikvm

// Key is a key of the keyboard by its place, not by what is printed on it: KeyQ is left of KeyW on every layout. The names
// are those of KeyboardEvent.code (W3C UI Events KeyboardEvent code Values), case-sensitive.
type Key string

// Keys: letters.
const (
	KeyA Key = "KeyA"
	KeyB Key = "KeyB"
	KeyC Key = "KeyC"
	KeyD Key = "KeyD"
	KeyE Key = "KeyE"
	KeyF Key = "KeyF"
	KeyG Key = "KeyG"
	KeyH Key = "KeyH"
	KeyI Key = "KeyI"
	KeyJ Key = "KeyJ"
	KeyK Key = "KeyK"
	KeyL Key = "KeyL"
	KeyM Key = "KeyM"
	KeyN Key = "KeyN"
	KeyO Key = "KeyO"
	KeyP Key = "KeyP"
	KeyQ Key = "KeyQ"
	KeyR Key = "KeyR"
	KeyS Key = "KeyS"
	KeyT Key = "KeyT"
	KeyU Key = "KeyU"
	KeyV Key = "KeyV"
	KeyW Key = "KeyW"
	KeyX Key = "KeyX"
	KeyY Key = "KeyY"
	KeyZ Key = "KeyZ"
)

// Keys: digits.
const (
	KeyDigit0 Key = "Digit0"
	KeyDigit1 Key = "Digit1"
	KeyDigit2 Key = "Digit2"
	KeyDigit3 Key = "Digit3"
	KeyDigit4 Key = "Digit4"
	KeyDigit5 Key = "Digit5"
	KeyDigit6 Key = "Digit6"
	KeyDigit7 Key = "Digit7"
	KeyDigit8 Key = "Digit8"
	KeyDigit9 Key = "Digit9"
)

// Keys: function keys.
const (
	KeyF1  Key = "F1"
	KeyF2  Key = "F2"
	KeyF3  Key = "F3"
	KeyF4  Key = "F4"
	KeyF5  Key = "F5"
	KeyF6  Key = "F6"
	KeyF7  Key = "F7"
	KeyF8  Key = "F8"
	KeyF9  Key = "F9"
	KeyF10 Key = "F10"
	KeyF11 Key = "F11"
	KeyF12 Key = "F12"
	KeyF13 Key = "F13"
	KeyF14 Key = "F14"
	KeyF15 Key = "F15"
	KeyF16 Key = "F16"
	KeyF17 Key = "F17"
	KeyF18 Key = "F18"
	KeyF19 Key = "F19"
	KeyF20 Key = "F20"
	KeyF21 Key = "F21"
	KeyF22 Key = "F22"
	KeyF23 Key = "F23"
	KeyF24 Key = "F24"
)

// Keys: modifiers.
const (
	KeyShiftLeft    Key = "ShiftLeft"
	KeyShiftRight   Key = "ShiftRight"
	KeyControlLeft  Key = "ControlLeft"
	KeyControlRight Key = "ControlRight"
	KeyAltLeft      Key = "AltLeft"
	KeyAltRight     Key = "AltRight"
	KeyMetaLeft     Key = "MetaLeft"
	KeyMetaRight    Key = "MetaRight"
)

// Keys: signs.
const (
	KeyBackquote     Key = "Backquote"
	KeyMinus         Key = "Minus"
	KeyEqual         Key = "Equal"
	KeyBracketLeft   Key = "BracketLeft"
	KeyBracketRight  Key = "BracketRight"
	KeyBackslash     Key = "Backslash"
	KeySemicolon     Key = "Semicolon"
	KeyQuote         Key = "Quote"
	KeyComma         Key = "Comma"
	KeyPeriod        Key = "Period"
	KeySlash         Key = "Slash"
	KeyIntlBackslash Key = "IntlBackslash"
	KeyIntlRo        Key = "IntlRo"
	KeyIntlYen       Key = "IntlYen"
)

// Keys: editing and moving.
const (
	KeySpace      Key = "Space"
	KeyEnter      Key = "Enter"
	KeyTab        Key = "Tab"
	KeyBackspace  Key = "Backspace"
	KeyEscape     Key = "Escape"
	KeyInsert     Key = "Insert"
	KeyDelete     Key = "Delete"
	KeyHome       Key = "Home"
	KeyEnd        Key = "End"
	KeyPageUp     Key = "PageUp"
	KeyPageDown   Key = "PageDown"
	KeyArrowUp    Key = "ArrowUp"
	KeyArrowDown  Key = "ArrowDown"
	KeyArrowLeft  Key = "ArrowLeft"
	KeyArrowRight Key = "ArrowRight"
)

// Keys: locks and system.
const (
	KeyCapsLock        Key = "CapsLock"
	KeyNumLock         Key = "NumLock"
	KeyScrollLock      Key = "ScrollLock"
	KeyPrintScreen     Key = "PrintScreen"
	KeyPause           Key = "Pause"
	KeyContextMenu     Key = "ContextMenu"
	KeyPower           Key = "Power"
	KeyKanaMode        Key = "KanaMode"
	KeyConvert         Key = "Convert"
	KeyNonConvert      Key = "NonConvert"
	KeyAudioVolumeUp   Key = "AudioVolumeUp"
	KeyAudioVolumeDown Key = "AudioVolumeDown"
	KeyAudioVolumeMute Key = "AudioVolumeMute"
)

// Keys: the number pad.
const (
	KeyNumpad0        Key = "Numpad0"
	KeyNumpad1        Key = "Numpad1"
	KeyNumpad2        Key = "Numpad2"
	KeyNumpad3        Key = "Numpad3"
	KeyNumpad4        Key = "Numpad4"
	KeyNumpad5        Key = "Numpad5"
	KeyNumpad6        Key = "Numpad6"
	KeyNumpad7        Key = "Numpad7"
	KeyNumpad8        Key = "Numpad8"
	KeyNumpad9        Key = "Numpad9"
	KeyNumpadAdd      Key = "NumpadAdd"
	KeyNumpadDecimal  Key = "NumpadDecimal"
	KeyNumpadDivide   Key = "NumpadDivide"
	KeyNumpadEnter    Key = "NumpadEnter"
	KeyNumpadMultiply Key = "NumpadMultiply"
	KeyNumpadSubtract Key = "NumpadSubtract"
)

// Valid reports whether the device knows the key.
func (k Key) Valid() bool {
	_, ok := knownKeys[k]
	return ok
}

var knownKeys = map[Key]struct{}{
	KeyA:               {},
	KeyB:               {},
	KeyC:               {},
	KeyD:               {},
	KeyE:               {},
	KeyF:               {},
	KeyG:               {},
	KeyH:               {},
	KeyI:               {},
	KeyJ:               {},
	KeyK:               {},
	KeyL:               {},
	KeyM:               {},
	KeyN:               {},
	KeyO:               {},
	KeyP:               {},
	KeyQ:               {},
	KeyR:               {},
	KeyS:               {},
	KeyT:               {},
	KeyU:               {},
	KeyV:               {},
	KeyW:               {},
	KeyX:               {},
	KeyY:               {},
	KeyZ:               {},
	KeyDigit0:          {},
	KeyDigit1:          {},
	KeyDigit2:          {},
	KeyDigit3:          {},
	KeyDigit4:          {},
	KeyDigit5:          {},
	KeyDigit6:          {},
	KeyDigit7:          {},
	KeyDigit8:          {},
	KeyDigit9:          {},
	KeyF1:              {},
	KeyF2:              {},
	KeyF3:              {},
	KeyF4:              {},
	KeyF5:              {},
	KeyF6:              {},
	KeyF7:              {},
	KeyF8:              {},
	KeyF9:              {},
	KeyF10:             {},
	KeyF11:             {},
	KeyF12:             {},
	KeyF13:             {},
	KeyF14:             {},
	KeyF15:             {},
	KeyF16:             {},
	KeyF17:             {},
	KeyF18:             {},
	KeyF19:             {},
	KeyF20:             {},
	KeyF21:             {},
	KeyF22:             {},
	KeyF23:             {},
	KeyF24:             {},
	KeyShiftLeft:       {},
	KeyShiftRight:      {},
	KeyControlLeft:     {},
	KeyControlRight:    {},
	KeyAltLeft:         {},
	KeyAltRight:        {},
	KeyMetaLeft:        {},
	KeyMetaRight:       {},
	KeyBackquote:       {},
	KeyMinus:           {},
	KeyEqual:           {},
	KeyBracketLeft:     {},
	KeyBracketRight:    {},
	KeyBackslash:       {},
	KeySemicolon:       {},
	KeyQuote:           {},
	KeyComma:           {},
	KeyPeriod:          {},
	KeySlash:           {},
	KeyIntlBackslash:   {},
	KeyIntlRo:          {},
	KeyIntlYen:         {},
	KeySpace:           {},
	KeyEnter:           {},
	KeyTab:             {},
	KeyBackspace:       {},
	KeyEscape:          {},
	KeyInsert:          {},
	KeyDelete:          {},
	KeyHome:            {},
	KeyEnd:             {},
	KeyPageUp:          {},
	KeyPageDown:        {},
	KeyArrowUp:         {},
	KeyArrowDown:       {},
	KeyArrowLeft:       {},
	KeyArrowRight:      {},
	KeyCapsLock:        {},
	KeyNumLock:         {},
	KeyScrollLock:      {},
	KeyPrintScreen:     {},
	KeyPause:           {},
	KeyContextMenu:     {},
	KeyPower:           {},
	KeyKanaMode:        {},
	KeyConvert:         {},
	KeyNonConvert:      {},
	KeyAudioVolumeUp:   {},
	KeyAudioVolumeDown: {},
	KeyAudioVolumeMute: {},
	KeyNumpad0:         {},
	KeyNumpad1:         {},
	KeyNumpad2:         {},
	KeyNumpad3:         {},
	KeyNumpad4:         {},
	KeyNumpad5:         {},
	KeyNumpad6:         {},
	KeyNumpad7:         {},
	KeyNumpad8:         {},
	KeyNumpad9:         {},
	KeyNumpadAdd:       {},
	KeyNumpadDecimal:   {},
	KeyNumpadDivide:    {},
	KeyNumpadEnter:     {},
	KeyNumpadMultiply:  {},
	KeyNumpadSubtract:  {},
}
