package pikvm

import (
	"maps"
	"slices"
)

// defaultLayout is the layout of a host that nobody named.
const defaultLayout = "us"

// Layouts returns the names of the layouts that [TypeOptions].Layout takes, sorted. They are those of xkeyboard-config, to
// which Linux and the BSDs keep; "ch-fr" and "us-intl" are its variants ch(fr) and us(intl). Other systems agree on the
// signs that are printed on the keys, and often not on others that AltGr makes.
//
// The names by which devices call the same layouts, such as "en-gb" and "sv" (see [HID.Keymaps]), are taken as well.
func Layouts() []string { return slices.Sorted(maps.Keys(layoutSigns)) }

// keymapLayouts are the layouts that devices call otherwise.
var keymapLayouts = map[string]string{
	"en-us": "us", "en-us-altgr-intl": "us-intl", "en-gb": "gb", "de-ch": "ch", "fr-ch": "ch-fr", "fr-be": "be",
	"fr-ca": "ca", "pt-br": "br", "da": "dk", "sv": "se", "sl": "si", "et": "ee",
}

// keyStroke is a key with the modifiers that it needs.
type keyStroke struct {
	key          Key
	shift, altGr bool
}

// layout is how characters are typed: one stroke, or a dead key and another stroke.
type layout map[rune][]keyStroke

// layoutKeys are the keys that layouts differ in, in the order of the signs in layoutSigns.
var layoutKeys = []Key{
	KeyBackquote, KeyDigit1, KeyDigit2, KeyDigit3, KeyDigit4, KeyDigit5, KeyDigit6, KeyDigit7, KeyDigit8, KeyDigit9,
	KeyDigit0, KeyMinus, KeyEqual,
	KeyQ, KeyW, KeyE, KeyR, KeyT, KeyY, KeyU, KeyI, KeyO, KeyP, KeyBracketLeft, KeyBracketRight,
	KeyA, KeyS, KeyD, KeyF, KeyG, KeyH, KeyJ, KeyK, KeyL, KeySemicolon, KeyQuote, KeyBackslash,
	KeyIntlBackslash, KeyZ, KeyX, KeyC, KeyV, KeyB, KeyN, KeyM, KeyComma, KeyPeriod, KeySlash, KeyIntlRo,
}

// layoutNamed returns a layout by its name or by that of the device; empty means the default.
func layoutNamed(name string) (layout, bool) {
	if name == "" {
		name = defaultLayout
	}
	if other, ok := keymapLayouts[name]; ok {
		name = other
	}
	levels, ok := layoutSigns[name]
	if !ok {
		return nil, false
	}
	return newLayout(levels), true
}

// newLayout turns the signs of the keys around. Of several ways to type a character the simplest is taken: without AltGr
// before with it, without Shift before with it, and without a dead key before with one. But dead keys without AltGr come
// before AltGr, in whose signs systems differ; and the key that American keyboards lack comes after others.
func newLayout(levels []string) layout {
	l := layout{' ': {{key: KeySpace}}, '\n': {{key: KeyEnter}}, '\t': {{key: KeyTab}}}
	dead := make(map[rune]keyStroke)
	for first := 0; first < len(levels); first += 2 {
		for _, foreign := range []bool{false, true} {
			for level := first; level < min(first+2, len(levels)); level++ {
				for i, sign := range []rune(levels[level]) {
					stroke := keyStroke{key: layoutKeys[i], shift: level%2 == 1, altGr: level >= 2}
					if sign != ' ' && (stroke.key == KeyIntlBackslash) == foreign {
						l.addSign(sign, stroke, dead)
					}
				}
			}
		}
		l.addDead(dead)
	}
	return l
}

// addSign adds what a key gives, to the layout or to the dead keys.
func (l layout) addSign(sign rune, stroke keyStroke, dead map[rune]keyStroke) {
	if _, isDead := deadKeys[sign]; !isDead {
		l.add(sign, stroke)
	} else if _, known := dead[sign]; !known {
		dead[sign] = stroke
	}
}

// add adds a character that the layout does not have yet.
func (l layout) add(r rune, strokes ...keyStroke) {
	if _, known := l[r]; !known {
		l[r] = strokes
	}
}
