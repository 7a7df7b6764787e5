package pikvm

import (
	"errors"
	"log/slog"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrTyping reports that a text or a chord was typed in part: [TypingError].
var ErrTyping = Err.New("typing", "typing stopped", 0)

// TypingError reports that [HID.Type], [HID.Chord] or their like of a [Session] stopped after a key was pressed, or may
// have been: calling it again types the beginning again. Its cause says why and is matched as well. It never has the kind NotSent, whatever the cause says of
// the last key.
type TypingError struct {
	errkit.Info
	Typed int   // characters that were typed for certain
	Total int   // characters of the text, of which a chord is one
	Stuck []Key // keys that could not be released; nil if there are none. [HID.Reset] releases everything
}

// Error returns one line with how far it came.
func (e *TypingError) Error() string {
	detail := "after " + strconv.Itoa(e.Typed) + " of " + strconv.Itoa(e.Total) + " characters"
	if len(e.Stuck) > 0 {
		detail += ", keys may still be pressed"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *TypingError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("typed", e.Typed), slog.Int("total", e.Total), slog.Int("stuck", len(e.Stuck)),
	}
}

// stoppedTyping returns the error of typing that cause ended.
func stoppedTyping(c *Client, op string, cause error, typed, total int, stuck []Key) error {
	return &TypingError{
		Info: errkit.Info{
			Class: ErrTyping, Op: op, Target: c.target, Kind: errkit.TransportKind(cause) &^ errkit.NotSent,
			Err: &lastKeyOnly{cause},
		},
		Typed: typed, Total: total, Stuck: stuck,
	}
}

// lastKeyOnly hides the kind NotSent of an error that speaks of the last key alone.
type lastKeyOnly struct{ err error }

func (e *lastKeyOnly) Error() string { return e.err.Error() }

func (e *lastKeyOnly) Is(target error) bool {
	if k, ok := target.(errkit.Kind); ok && k.Has(errkit.NotSent) {
		return false
	}
	return errors.Is(e.err, target)
}

func (e *lastKeyOnly) As(target any) bool { return errors.As(e.err, target) }

// Kinds and ClassCode are what package errkit asks.
func (e *lastKeyOnly) Kinds() errkit.Kind { return errkit.KindOf(e.err) &^ errkit.NotSent }

func (e *lastKeyOnly) ClassCode() string { return errkit.CodeOf(e.err) }
