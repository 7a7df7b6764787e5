package pikvm

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// TypeOptions are the optional settings of [HID.Type]. The zero value is ready to use.
type TypeOptions struct {
	// Pace is how long to wait between two events, of which a character has about two. Zero means 20ms, negative means
	// not at all. The time that a request takes comes on top.
	Pace time.Duration

	// Progress hears how many characters have been typed, of how many, after each of them. It is called from the goroutine
	// of the caller.
	Progress func(done, total int)
}

const (
	defaultPace    = 20 * time.Millisecond
	releaseTimeout = 5 * time.Second // for all keys that are to be released when something went wrong
)

// Type types a text on a host with the layout en-us, key by key, so that it can be followed and stopped. A text with a
// character that the layout lacks is a [ConfigurationError], and nothing is typed; [HID.Print] knows other layouts, and is
// faster for long texts.
//
// When ctx ends or something goes wrong, Type stops, releases what it has pressed, and returns the error; Progress knows
// how far it came. A key whose event had no answer may have been pressed and is released too, for at most 5s after the end
// of ctx. If that fails, the error says so too: [HID.Reset] releases everything. After [Client.Close] nothing can be
// released. The kind NotSent of an error speaks of the last key alone. Nil options are the defaults.
func (h *HID) Type(ctx context.Context, text string, opts *TypeOptions) (err error) {
	const op = "hid.Type"
	var o TypeOptions
	if opts != nil {
		o = *opts
	}
	if o.Pace == 0 {
		o.Pace = defaultPace
	}
	events, lacking := typing(text, usLayout)
	if lacking >= 0 {
		return configurationError(op, "text", "character "+strconv.Itoa(lacking+1)+" is not on the layout en-us")
	}
	total := len([]rune(text))
	pressed := make(map[Key]struct{})
	defer func() {
		if len(pressed) > 0 {
			if failed := h.release(ctx, op, pressed); failed != nil {
				err = errors.Join(err, failed)
			}
		}
	}()
	run, err := h.c.beginLimited(ctx, op, 0)
	if err != nil {
		return err
	}
	defer run.end()
	done := 0
	for i, event := range events {
		if i > 0 {
			if retry.Wait(run.ctx, max(o.Pace, 0)) != nil {
				return run.failure(nil, true)
			}
		}
		if event.down {
			pressed[event.key] = struct{}{} // from now on it may be
		}
		if err := h.send(ctx, op, event.key, event.down); err != nil {
			return err
		}
		if !event.down {
			delete(pressed, event.key)
		}
		if event.done > done && o.Progress != nil {
			o.Progress(event.done, total)
		}
		done = event.done
	}
	return nil
}

// send presses or releases a key.
func (h *HID) send(ctx context.Context, op string, key Key, down bool) error {
	return h.event(ctx, op, "send_key", url.Values{"key": {string(key)}, "state": {flag(down)}})
}

// release releases keys although ctx may have ended.
func (h *HID) release(ctx context.Context, op string, keys map[Key]struct{}) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	var failed error
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if err := h.send(ctx, op, key, false); err != nil {
			failed = err
		}
	}
	return failed
}
