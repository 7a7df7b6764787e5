package pikvm

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"
)

// RemoveOptions are the optional settings of [MSD.Remove].
type RemoveOptions struct {
	// ListTimeout is how long the device may go on listing the image after it has removed it; until then the name
	// cannot be used again. Zero means 15s, negative means that the return does not wait for it.
	ListTimeout time.Duration
}

// Remove removes an image, complete or not, and returns when the device no longer lists it. The drive must not be
// connected ([ErrPrecondition]). An unknown image is [ErrNotFound]. Nil options mean the defaults.
func (m *MSD) Remove(ctx context.Context, image string, opts *RemoveOptions) error {
	const op = "msd.Remove"
	var o RemoveOptions
	if opts != nil {
		o = *opts
	}
	if reason := checkImageName(image); reason != "" {
		return configurationError(op, "image", reason)
	}
	if err := m.remove(ctx, op, image); err != nil {
		return err
	}
	return m.awaitGone(ctx, op, storedName(image), listTimeout(o.ListTimeout))
}

func (m *MSD) awaitGone(ctx context.Context, op, name string, wait time.Duration) error {
	if wait < 0 {
		return nil
	}
	_, err := m.await(ctx, op, name, wait, "the image is still listed", gone(name))
	return err
}

func (m *MSD) remove(ctx context.Context, op, image string) error {
	return m.c.post(ctx, call{op: op, path: "/api/msd/remove", query: url.Values{"image": {image}}})
}

// RemoveIncomplete removes what uploads that broke off have left behind, and returns the names in order. It fails with
// [ErrBusy] while an upload or anything else is under way. On an error the names that were removed before it come with
// it. Nil options mean the defaults.
func (m *MSD) RemoveIncomplete(ctx context.Context, opts *RemoveOptions) ([]string, error) {
	const op = "msd.RemoveIncomplete"
	var o RemoveOptions
	if opts != nil {
		o = *opts
	}
	state, err := m.idle(ctx, op)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, name := range slices.Sorted(maps.Keys(state.Storage.Images)) {
		if image := state.Storage.Images[name]; image.Complete || !image.Removable {
			continue
		}
		err := m.remove(ctx, op, name)
		switch {
		case errors.Is(err, ErrNotFound): // somebody else did it
			continue
		case err != nil:
			return removed, err
		}
		removed = append(removed, name)
	}
	for _, name := range removed {
		if err := m.awaitGone(ctx, op, name, listTimeout(o.ListTimeout)); err != nil {
			return removed, err
		}
	}
	return removed, nil
}
