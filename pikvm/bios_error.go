package pikvm

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ErrBIOS reports that [Client.EnterBIOS] did not see what it waited for: [BIOSError].
var ErrBIOS = Err.New("bios", "setup not entered", 0)

// BIOSError reports that [Client.EnterBIOS] stopped tapping without success: its limit passed (kind Timeout), the caller's
// context ended, or a reason that cannot pass, which is its cause and is matched as well. It has the kind NotSent if certainly
// no key was pressed.
type BIOSError struct {
	errkit.Info
	Taps  int           // that were made for certain
	Limit time.Duration // that passed; 0 if none did
	Stuck []Key         // keys that could not be released; nil if there are none. [HID.Reset] releases everything
}

// Error returns one line with the number of taps.
func (e *BIOSError) Error() string {
	detail := "after " + strconv.Itoa(e.Taps) + " taps"
	if e.Limit > 0 {
		detail += " in " + e.Limit.String()
	}
	if len(e.Stuck) > 0 {
		detail += ", the key may still be pressed"
	}
	return errkit.Message(&e.Info, detail)
}

// ErrorAttrs returns the fields for logs and reports.
func (e *BIOSError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("taps", e.Taps), slog.Duration("limit", e.Limit), slog.Int("stuck", len(e.Stuck))}
}

// judged sets the kinds: those of the cause, and what is certain of the key.
func (e *BIOSError) judged(begun bool) error {
	e.Kind = errkit.KindOf(e.Err) &^ errkit.NotSent
	if e.Limit > 0 {
		e.Kind |= errkit.Timeout
	}
	switch {
	case !begun:
		e.Kind |= errkit.NotSent
	case e.Err != nil:
		e.Err = &lastKeyOnly{e.Err}
	}
	return e
}
