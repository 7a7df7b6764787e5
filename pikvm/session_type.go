package pikvm

import (
	"context"
	"time"
)

// Type types a text as [HID.Type] does, without a request for each event: a character takes the pace and nothing more.
//
// All of it goes over one connection, and input of other calls waits meanwhile. Since keys have no answers, Type asks the
// device for a sign of life at the end: nil says that it has taken everything. If the connection breaks, the device
// releases what is pressed, and the error is a [TypingError] whose Typed counts what was sent.
func (s *Session) Type(ctx context.Context, text string, opts *TypeOptions) error {
	const op = "events.Type"
	keys, o, err := newScript(op, text, opts)
	if err != nil {
		return err
	}
	return s.play(ctx, op, keys, o.Pace, o.Progress)
}

// Chord presses keys in their order and releases them in reverse, as [HID.Chord] does. See [Session.Type] for what is
// different over a socket.
func (s *Session) Chord(ctx context.Context, chord string, opts *ChordOptions) error {
	const op = "events.Chord"
	keys, o, err := newChord(op, chord, opts)
	if err != nil {
		return err
	}
	return s.play(ctx, op, keys, o.Pace, nil)
}

// play works the keys of a script on one connection.
func (s *Session) play(ctx context.Context, op string, keys *script, pace time.Duration, report func(done, total int)) error {
	return s.input(ctx, op, func(w *inputWriter) error {
		t := typist{
			client: s.client, input: w, life: s.life, confirm: w.confirm,
			op: op, pace: paceOf(pace), report: report,
		}
		return t.play(ctx, keys)
	})
}

// confirm returns when the device has taken what was written.
func (w *inputWriter) confirm(ctx context.Context) error {
	if !w.begun {
		return nil
	}
	for range 2 { // the first ping may be one that was sent before
		if _, err := w.session.pingOver(ctx, w.op, w.link); err != nil {
			return err
		}
	}
	return nil
}

// Key works a key within the call. When the session has been closed meanwhile, it is waiting for the call, and nothing more
// is pressed.
func (w *inputWriter) Key(ctx context.Context, key Key, stroke Stroke) error {
	if w.session.life.Err() != nil && stroke != Release {
		return w.session.endError(w.op)
	}
	return w.stroke(ctx, contact{inputKey, string(key)}, stroke)
}

// Button does the same with a button.
func (w *inputWriter) Button(ctx context.Context, button MouseButton, stroke Stroke) error {
	if w.session.life.Err() != nil && stroke != Release {
		return w.session.endError(w.op)
	}
	return w.stroke(ctx, contact{inputButton, string(button)}, stroke)
}
