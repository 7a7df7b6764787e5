package pikvm

import (
	"context"
	"math"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// PrintOptions are the optional settings of [HID.Print]. The zero value is ready to use.
type PrintOptions struct {
	// Keymap is the layout that the host uses, one of [Keymaps].Available. Empty means the default of the device.
	Keymap string

	// Slow waits 20ms before each event, of which a character has about two. It needs version 4.25.
	Slow bool

	// Delay waits before each event instead, up to 5s in whole microseconds. Zero means as Slow says. It needs version
	// 4.92.
	Delay time.Duration
}

// Limits of the delay, and what Slow means (PiKVM API).
const (
	maxPrintDelay = 5 * time.Second
	slowPrint     = 20 * time.Millisecond
)

// maxPrintEvents is how many events the device makes of a character at most: press and release of the key, of Shift and
// of AltGr.
const maxPrintEvents = 6

// keymapName is what the device may take as the name of a layout: no path.
var keymapName = regexp.MustCompile(`\A[a-zA-Z0-9_][a-zA-Z0-9_+.-]{0,254}\z`)

// Print lets the device type a text on a layout, without a limit to its length. Line feeds are Enter, and carriage returns
// nothing. What no layout has, control characters and the em dash, is refused; a character that this layout lacks is
// left out, and the device does not tell; [HID.Type] does. An unknown layout is [ErrInvalidArgument].
//
// The device answers when everything is typed, and the client waits for so long beyond its Timeout as the delays may take;
// a deadline of ctx replaces that. Whoever stops waiting does not stop the device. For Slow and Delay the version of the
// device is asked for first, since one that does not know them would type at full speed: it is [ErrNotSupported]. Nil
// options are the defaults.
func (h *HID) Print(ctx context.Context, text string, opts *PrintOptions) error {
	const op = "hid.Print"
	var o PrintOptions
	if opts != nil {
		o = *opts
	}
	delay, exact := seconds(o.Delay)
	switch {
	case !typeable(text):
		return configurationError(op, "text", "not UTF-8, or with characters that cannot be typed")
	case o.Keymap != "" && !keymapName.MatchString(o.Keymap):
		return configurationError(op, "Keymap", "not the name of a layout")
	case o.Delay < 0 || o.Delay > maxPrintDelay || !exact:
		return configurationError(op, "Delay", "not 0 to 5s in whole microseconds")
	}
	k := call{op: op, path: "/api/hid/print", text: []byte(text), query: url.Values{"limit": {"0"}}}
	if o.Keymap != "" {
		k.query.Set("keymap", o.Keymap)
	}
	pause := o.Delay
	var since Version
	if o.Slow {
		k.query.Set("slow", "1")
		since = Version{4, 25}
		if pause == 0 {
			pause = slowPrint
		}
	}
	if o.Delay > 0 {
		k.query.Set("delay", delay)
		since = Version{4, 92}
	}
	if since != (Version{}) {
		if err := h.c.require(ctx, op, since); err != nil {
			return err
		}
	}
	k.patience = patience(utf8.RuneCountInString(text), pause)
	return h.c.post(ctx, k)
}

// patience is how long a print of so many characters may take.
func patience(characters int, pause time.Duration) time.Duration {
	limit := float64(characters) * maxPrintEvents * float64(pause)
	return time.Duration(min(limit, math.MaxInt64/2))
}

// typeable reports whether there may be a layout for a text.
func typeable(text string) bool {
	const emDash = '\u2014' // which devices lose
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == emDash || !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// require asks the device for its version, and fails with [ErrNotSupported] if it is older.
func (c *Client) require(ctx context.Context, op string, since Version) error {
	info, err := c.Info.Get(ctx, &InfoOptions{Fields: []string{InfoSystem}, Legacy: true})
	if err != nil {
		return err
	}
	if info.System != nil && info.System.KVMD.AtLeast(since.Major, since.Minor) {
		return nil
	}
	return &APIError{
		Info:    errkit.Info{Class: ErrNotSupported, Op: op, Target: c.target, Kind: errkit.NotSent},
		Message: "needs version " + since.String() + " of the device",
	}
}
