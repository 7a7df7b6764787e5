package pikvm

import (
	"maps"
	"slices"
)

// LayoutCharacters returns what can be typed on a layout, sorted.
func LayoutCharacters(name string) []rune {
	l, _ := layoutNamed(name)
	return slices.Sorted(maps.Keys(l))
}

// LayoutSigns returns how many signs each level of a layout has, and how many keys there are.
func LayoutSigns(name string) (levels []int, keys int) {
	for _, signs := range layoutSigns[name] {
		levels = append(levels, len([]rune(signs)))
	}
	return levels, len(layoutKeys)
}

// Keystrokes returns the events that type a text.
func Keystrokes(text string, opts TypeOptions) ([]Key, []bool, error) {
	s, _, err := newScript("hid.Type", text, &opts)
	if err != nil {
		return nil, nil, err
	}
	keys, down := make([]Key, len(s.events)), make([]bool, len(s.events))
	for i, event := range s.events {
		keys[i], down[i] = event.key, event.down
	}
	return keys, down, nil
}
