package pikvm

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
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
// When ctx ends or something goes wrong, Type stops and releases what it has pressed, for at most 5s after the end of ctx. A
// key whose event had no answer may have been pressed and is released too. The error is a [TypingError] with the reason as
// its cause, unless nothing can have been pressed: then it is the reason itself. After [Client.Close] nothing can be
// released. Nil options are the defaults.
func (h *HID) Type(ctx context.Context, text string, opts *TypeOptions) error {
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
	run, err := h.c.beginLimited(ctx, op, 0)
	if err != nil {
		return err
	}
	defer run.end()
	t := typist{hid: h, op: op, total: len([]rune(text)), pressed: make(map[Key]struct{})}
	for i, event := range events {
		if i > 0 && retry.Wait(run.ctx, max(o.Pace, 0)) != nil {
			return t.stop(ctx, run.failure(nil, true))
		}
		if err := t.do(ctx, event); err != nil {
			return t.stop(ctx, err)
		}
		if event.done > t.typed && o.Progress != nil {
			o.Progress(event.done, t.total)
		}
		t.typed = event.done
	}
	return nil
}

// typist is a text on its way.
type typist struct {
	hid          *HID
	op           string
	typed, total int              // characters
	begun        bool             // whether a key was pressed, or may have been
	pressed      map[Key]struct{} // or may be
}

// do presses or releases a key.
func (t *typist) do(ctx context.Context, event keyEvent) error {
	err := t.hid.send(ctx, t.op, event.key, event.down)
	if !errors.Is(err, errkit.NotSent) {
		t.begun = true
		if event.down {
			t.pressed[event.key] = struct{}{}
		}
	}
	if err == nil && !event.down {
		delete(t.pressed, event.key)
	}
	return err
}

// stop releases what is pressed and returns the error of the text.
func (t *typist) stop(ctx context.Context, cause error) error {
	if !t.begun {
		return cause
	}
	return t.hid.stopped(t.op, cause, t.typed, t.total, t.release(ctx))
}

// release releases keys although ctx may have ended, and returns those that it could not release.
func (t *typist) release(ctx context.Context) (stuck []Key) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, key := range slices.Sorted(maps.Keys(t.pressed)) {
		if t.hid.send(ctx, t.op, key, false) != nil {
			stuck = append(stuck, key)
		}
	}
	return stuck
}

// send presses or releases a key.
func (h *HID) send(ctx context.Context, op string, key Key, down bool) error {
	return h.event(ctx, op, "send_key", url.Values{"key": {string(key)}, "state": {flag(down)}})
}
