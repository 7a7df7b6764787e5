package pikvm

import (
	"context"
	"time"
)

// TypeOptions are the optional settings of [HID.Type] and [Session.Type]. The zero value is ready to use.
type TypeOptions struct {
	// Layout is that of the host: one of [Layouts], or the name by which the device calls it. Empty means "us".
	Layout string

	// Escapes takes names between angle brackets for keys and chords, written as for [ParseShortcut]: "root<enter>" or
	// "<ctrl+alt+del>". Then "<<" is a "<".
	Escapes bool

	// Pace is how long to wait between two events, of which a character has about two. Zero means 20ms, negative means
	// not at all. Over REST, the time that a request takes comes on top.
	Pace time.Duration

	// Progress hears how many characters have been typed, of how many, after each of them; a chord counts as one. It is
	// called from the goroutine of the caller.
	Progress func(done, total int)
}

// Type types a text key by key, so that it can be followed and stopped; dead keys are used where the layout of the host
// has nothing better. A text with a character that cannot be typed on it is a [ConfigurationError], and nothing is typed.
// [HID.Print] lets the device type, which is faster for long texts, and leaves out what it cannot. [Session.Type] does
// without a request for each event.
//
// When ctx ends or something goes wrong, Type stops and releases what it has pressed, for at most 5s after the end of ctx. A
// key whose event had no answer may have been pressed and is released too. The error is a [TypingError] with the reason as
// its cause, unless nothing can have been pressed: then it is the reason itself. After [Client.Close] nothing can be
// released. CapsLock of the host turns letters around: see [HIDState]. Nil options are the defaults.
func (h *HID) Type(ctx context.Context, text string, opts *TypeOptions) error {
	const op = "hid.Type"
	s, o, err := newScript(op, text, opts)
	if err != nil {
		return err
	}
	return h.play(ctx, op, s, o.Pace, o.Progress)
}

// play works the keys of a script, each with a request.
func (h *HID) play(ctx context.Context, op string, s *script, pace time.Duration, report func(done, total int)) error {
	t := typist{
		client: h.c, input: h, life: h.c.life, confirm: func(context.Context) error { return nil }, // each has its answer
		op: op, pace: paceOf(pace), report: report,
	}
	return t.play(ctx, s)
}

// newScript returns the events that type a text. A carriage return before a line feed is part of it.
func newScript(op, text string, opts *TypeOptions) (*script, TypeOptions, error) {
	var o TypeOptions
	if opts != nil {
		o = *opts
	}
	l, ok := layoutNamed(o.Layout)
	if !ok {
		return nil, o, configurationError(op, "Layout", "unknown")
	}
	s := new(script)
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		next := runes[min(i+1, len(runes)-1)]
		switch r := runes[i]; {
		case r == '\r' && next == '\n':
			s.done++
			continue
		case r == '<' && o.Escapes && next == '<' && i+1 < len(runes):
			i++
			fallthrough
		case r != '<' || !o.Escapes:
			if !s.character(r, l) {
				return nil, o, notTypeable(op, i, "is not on the layout")
			}
		default:
			keys, end, ok := escape(runes, i)
			if !ok {
				return nil, o, notTypeable(op, i, "begins no name of a key")
			}
			s.chord(keys, 0)
			i = end
		}
	}
	s.hold(false, false)
	return s, o, nil
}
