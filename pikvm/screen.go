package pikvm

import (
	"context"
	"time"
)

// ScreenshotOptions are the optional settings of [Client.Screenshot]. The zero value is ready to use.
type ScreenshotOptions struct {
	// Session is one that was opened with [EventOptions].Stream, and so keeps the streamer running. Nil means that the
	// operation opens one for its own time if there is no picture.
	Session *Session

	// Preview asks for a smaller picture.
	Preview *PreviewOptions

	// Save keeps the picture on the device too, until it restarts.
	Save bool

	// AllowOffline takes the placeholder that the device shows without a signal from the host. When the streamer had to be
	// started, the signal has 3s to come.
	AllowOffline bool

	// Timeout is how long there may be no picture. Zero means 30s, negative means no limit but that of the context.
	Timeout time.Duration
}

const defaultScreenshotTimeout = 30 * time.Second

// Screenshot takes a picture of the screen also when the device does not run its streamer: it makes the device start it,
// waits for a signal from the host, and leaves no viewer behind, so that the streamer stops again 10s later.
//
// A streamer that runs is used as it is. To start one means to open an event socket, by which the device releases all
// pressed keys. No picture in time is a [ScreenError] that says why; errors that cannot pass are those of
// [Streamer.Snapshot] and [Client.Events]. Nil options are the defaults.
func (c *Client) Screenshot(ctx context.Context, opts *ScreenshotOptions) (*Snapshot, error) {
	const op = "screen.Screenshot"
	var o ScreenshotOptions
	if opts != nil {
		o = *opts
	}
	if o.Timeout == 0 {
		o.Timeout = defaultScreenshotTimeout
	}
	v, err := c.view(ctx, op, "a picture", o.Session)
	if err != nil {
		return nil, err
	}
	defer v.close()
	waiting := v.ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(v.ctx, o.Timeout)
		defer cancel()
	}
	var picture *Snapshot
	snapshot := &SnapshotOptions{Save: o.Save, AllowOffline: o.AllowOffline, Preview: o.Preview}
	err = v.look(waiting, func(ctx context.Context) (err error) {
		picture, err = c.Streamer.Snapshot(ctx, snapshot)
		return err
	})
	switch {
	case err == nil:
		return picture, nil
	case waiting.Err() != nil:
		return nil, v.ended(v.missing(), max(o.Timeout, 0))
	}
	return nil, err
}
