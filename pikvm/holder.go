package pikvm

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// releaseTimeout is how long the release of all that is pressed may take when something went wrong.
const releaseTimeout = 5 * time.Second

// presser is the part of [Input] that leaves something pressed.
type presser interface {
	Key(ctx context.Context, key Key, stroke Stroke) error
	Button(ctx context.Context, button MouseButton, stroke Stroke) error
}

// holder works keys and buttons and remembers which are pressed, or may be: those, too, whose event had no answer.
type holder struct {
	input   presser
	begun   bool // something was pressed, or may have been
	keys    []Key
	buttons []MouseButton
}

func (h *holder) key(ctx context.Context, key Key, down bool) error {
	err := h.input.Key(ctx, key, strokeOf(down))
	h.keys = remember(h, h.keys, key, down, err)
	return err
}

func (h *holder) button(ctx context.Context, button MouseButton, down bool) error {
	err := h.input.Button(ctx, button, strokeOf(down))
	h.buttons = remember(h, h.buttons, button, down, err)
	return err
}

func strokeOf(down bool) Stroke {
	if down {
		return Press
	}
	return Release
}

// remember returns what is held after an event that ended in err.
func remember[T comparable](h *holder, held []T, what T, down bool, err error) []T {
	if down && neverHappened(err) {
		return held
	}
	h.begun = h.begun || down
	at := slices.Index(held, what)
	switch {
	case down && at < 0:
		return append(held, what)
	case !down && at >= 0 && err == nil:
		return slices.Delete(held, at, at+1)
	}
	return held
}

// neverHappened reports whether an input that failed certainly did not reach the host: it was not sent, or refused.
func neverHappened(err error) bool {
	api, ok := errors.AsType[*APIError](err)
	return errors.Is(err, errkit.NotSent) || ok && api.StatusCode >= 300 && api.StatusCode < 500
}

// release releases everything, the last first, although ctx may have ended. It returns what it could not release.
func (h *holder) release(ctx context.Context) (keys []Key, buttons []MouseButton) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, key := range slices.Backward(slices.Clone(h.keys)) {
		if h.stuck(h.key(ctx, key, false)) {
			keys = append(keys, key)
		}
	}
	for _, button := range slices.Backward(slices.Clone(h.buttons)) {
		if h.stuck(h.button(ctx, button, false)) {
			buttons = append(buttons, button)
		}
	}
	return keys, buttons
}

// stuck reports whether something may still be pressed after a release that ended in err. When an event socket is gone,
// the device has released everything.
func (h *holder) stuck(err error) bool {
	switch h.input.(type) {
	case *Session, *inputWriter:
		return err != nil && !errors.Is(err, ErrWebSocket) && !errors.Is(err, ErrClosed)
	}
	return err != nil
}
