package pikvm

import (
	"context"
	"slices"
	"time"
)

// ChordOptions are the optional settings of [HID.Chord] and [Session.Chord]. The zero value is ready to use.
type ChordOptions struct {
	// Pace is how long to wait between two events. Zero means 20ms, negative means not at all.
	Pace time.Duration

	// Hold is how much longer the chord is held when all its keys are pressed.
	Hold time.Duration
}

// Chord presses keys in their order and releases them in reverse. The chord is written as for [ParseShortcut], such as
// "ctrl+alt+del" or "f12"; what is none is a [ConfigurationError], and nothing is pressed. It works with devices of every
// version, which [HID.Shortcut] does not.
//
// Like [HID.Type], it releases what it has pressed when ctx ends or something goes wrong, and the error is a [TypingError]
// unless nothing can have been pressed. Nil options are the defaults.
func (h *HID) Chord(ctx context.Context, chord string, opts *ChordOptions) error {
	const op = "hid.Chord"
	s, o, err := newChord(op, chord, opts)
	if err != nil {
		return err
	}
	return h.play(ctx, op, s, o.Pace, nil)
}

// newChord returns the events of a chord.
func newChord(op, chord string, opts *ChordOptions) (*script, ChordOptions, error) {
	var o ChordOptions
	if opts != nil {
		o = *opts
	}
	keys, ok := chordKeys(chord)
	switch {
	case !ok:
		return nil, o, configurationError(op, "chord", "a key that there is not, or twice")
	case o.Hold < 0:
		return nil, o, configurationError(op, "Hold", "negative")
	}
	s := new(script)
	s.chord(keys, o.Hold)
	return s, o, nil
}

// chordKeys returns the keys of a chord, none of which may be there twice.
func chordKeys(text string) ([]Key, bool) {
	keys, err := ParseShortcut(text)
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			return nil, false
		}
	}
	return keys, err == nil
}

// escape reads a chord between angle brackets, the first of which is at begin. It returns the place of the other.
func escape(text []rune, begin int) (keys []Key, end int, ok bool) {
	length := slices.Index(text[begin:], '>')
	if length < 0 {
		return nil, begin, false
	}
	end = begin + length
	keys, ok = chordKeys(string(text[begin+1 : end]))
	return keys, end, ok
}
