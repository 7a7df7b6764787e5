package pikvm

import (
	"context"
	"errors"
	"image"
	"regexp"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// WaitTextOptions are the optional settings of [Client.WaitForText]. The zero value is ready to use.
type WaitTextOptions struct {
	// Session is as in [ScreenshotOptions].
	Session *Session

	// Region is the part of the screen to read, in pixels: a small one is read much faster. The empty one means all of it.
	Region image.Rectangle

	// Languages are some of [OCRState].Available. None means the default of the device.
	Languages []string

	// Every is the pause between two looks. Zero means 1s, negative means none.
	Every time.Duration
}

// WaitForText lets the device read the screen again and again until the text matches, and returns what it has read. It needs
// no viewer: see [Client.Screenshot]. While there is no picture it waits for one, as in the restart of a host.
//
// The context limits the time; when it ends, the error is a [ScreenError] with the text that was read last. What cannot pass,
// such as a device that cannot read, is the error of [Streamer.Recognize]. Nil options are the defaults.
func (c *Client) WaitForText(ctx context.Context, text *regexp.Regexp, opts *WaitTextOptions) (*Recognition, error) {
	const op = "screen.WaitForText"
	var o WaitTextOptions
	if opts != nil {
		o = *opts
	}
	if text == nil {
		return nil, configurationError(op, "text", "nil")
	}
	v, err := c.view(ctx, op, "a text that matches "+strconv.Quote(redact.Excerpt([]byte(text.String()))), o.Session)
	if err != nil {
		return nil, err
	}
	defer v.close()
	var seen *Recognition
	ocr := &OCROptions{Region: o.Region, Languages: o.Languages}
	read := func(ctx context.Context) error {
		now, err := c.Streamer.Recognize(ctx, ocr)
		if err == nil {
			seen = now
		}
		return err
	}
	for {
		if err := v.look(v.ctx, read); err != nil {
			if v.ctx.Err() != nil {
				return nil, v.unread(seen)
			}
			return nil, err
		}
		if text.MatchString(seen.Text) {
			return seen, nil
		}
		if retry.Wait(v.ctx, lookPause(o.Every)) != nil {
			return nil, v.unread(seen)
		}
	}
}

// unread returns the error of a wait for a text that is over; seen is what was read last, nil for nothing.
func (v *viewing) unread(seen *Recognition) error {
	err := v.ended(v.instead(seen != nil, "the text is another"), 0)
	if e, ok := errors.AsType[*ScreenError](err); ok && seen != nil {
		e.Text = seen.Text
	}
	return err
}

// lookPause returns the pause between two looks that an option asks for.
func lookPause(every time.Duration) time.Duration {
	if every == 0 {
		return defaultLookEvery
	}
	return max(every, 0)
}
