package pikvm

import (
	"context"
	"image"
	"net/http"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// WaitChangeOptions are the optional settings of [Client.WaitForScreenChange]. The zero value is ready to use.
type WaitChangeOptions struct {
	// Session is as in [ScreenshotOptions].
	Session *Session

	// Since is the picture to compare with, for instance one from before a key was pressed. Nil means the first one that
	// is seen.
	Since *Snapshot

	// Region is the part of the screen to look at, in pixels. The empty one means all of it.
	Region image.Rectangle

	// Threshold is how much must have changed, as a part of all: above 0, up to 1. Zero means 0.002, which a blinking
	// cursor does not reach.
	Threshold float64

	// Every is the pause between two looks. Zero means 1s, negative means none.
	Every time.Duration
}

const defaultThreshold = 0.002

// ScreenChange is a screen that has changed.
type ScreenChange struct {
	Snapshot *Snapshot // the new picture, in the size in which it was compared
	Part     float64   // how much of it has changed, from 0 to 1; 1 if the screen has another size now
}

// WaitForScreenChange looks at small pictures of the screen until one differs from the first. With Since, or with a Region,
// the pictures are of full size, or as small as Since. It needs no viewer: see [Client.Screenshot]. That there is no picture
// is no change; it waits for the next one.
//
// The context limits the time; when it ends, the error is a [ScreenError]. What cannot pass is an error of
// [Streamer.Snapshot]; a picture that cannot be decoded, or of over 8 million pixels, is a [ResponseError]. Nil options are
// the defaults.
func (c *Client) WaitForScreenChange(ctx context.Context, opts *WaitChangeOptions) (*ScreenChange, error) {
	const op = "screen.WaitForScreenChange"
	var o WaitChangeOptions
	if opts != nil {
		o = *opts
	}
	if o.Threshold == 0 {
		o.Threshold = defaultThreshold
	}
	switch {
	case !(o.Threshold > 0 && o.Threshold <= 1): // nor NaN
		return nil, configurationError(op, "Threshold", "not above 0 and up to 1")
	case o.Region != image.Rectangle{} && !onScreen(o.Region):
		return nil, configurationError(op, "Region", "empty, or not on a screen")
	}
	first, preview, err := startOfChange(op, &o)
	if err != nil {
		return nil, err
	}
	v, err := c.view(ctx, op, "a change", o.Session)
	if err != nil {
		return nil, err
	}
	defer v.close()
	for {
		var now *Snapshot
		err := v.look(v.ctx, func(ctx context.Context) (err error) {
			now, err = c.Streamer.Snapshot(ctx, &SnapshotOptions{Preview: preview})
			return err
		})
		if err != nil {
			if v.ctx.Err() != nil {
				return nil, v.ended(v.instead(first != nil, "the screen is as it was"), 0)
			}
			return nil, err
		}
		tiles, err := tile(now, o.Region)
		if err != nil {
			return nil, c.responseError(&call{op: op, path: snapshotPath}, &answer{status: http.StatusOK, grant: grant{creds: c.creds}}, err)
		}
		if first == nil {
			first = tiles
		}
		if part := first.changed(tiles); part >= o.Threshold {
			return &ScreenChange{Snapshot: now, Part: part}, nil
		}
		if retry.Wait(v.ctx, lookPause(o.Every)) != nil {
			return nil, v.ended(v.instead(true, "the screen is as it was"), 0)
		}
	}
}

// startOfChange returns what to compare with, nil if that is still to be seen, and the size of the pictures to look at. Only
// pictures of one size have the same edges.
func startOfChange(op string, o *WaitChangeOptions) (*tiles, *PreviewOptions, error) {
	switch {
	case o.Since != nil:
		first, err := tile(o.Since, o.Region)
		if err != nil {
			return nil, nil, configurationError(op, "Since", "a picture that cannot be compared")
		}
		if first.picture == image.Pt(o.Since.Width, o.Since.Height) {
			return first, nil, nil
		}
		return first, &PreviewOptions{MaxWidth: first.picture.X, MaxHeight: first.picture.Y}, nil
	case o.Region != image.Rectangle{}:
		return nil, nil, nil
	}
	return nil, new(PreviewOptions), nil
}

// onScreen reports whether a rectangle can be part of a screen.
func onScreen(r image.Rectangle) bool {
	return !r.Empty() && r.Min.X >= 0 && r.Min.Y >= 0 && r.Max.X <= maxPreview && r.Max.Y <= maxPreview
}
