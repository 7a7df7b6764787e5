package pikvmtest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// StreamerOptions describes the video. The zero value is that of the recorded device: 1920x1080, with a signal, and
// running while somebody watches.
type StreamerOptions struct {
	// Forever keeps the streamer running without viewers.
	Forever bool

	// NoSignal imitates a host without a picture. See [Server.SetSignal].
	NoSignal bool

	// Text is what the screen shows, in cells of 8 by 16 pixels. See [Server.SetScreenText].
	Text string

	// NoQuality and NoH264 imitate a streamer without these settings.
	NoQuality, NoH264 bool

	// Resolutions are those that one can choose from, of which the first is active. Nil means that there is no choice.
	Resolutions []string

	// OCRTime is how long the device takes to read a screen. Zero means that it is done at once.
	OCRTime time.Duration
}

// withDefaults returns a checked copy.
func (o StreamerOptions) withDefaults() (StreamerOptions, error) {
	o.Resolutions = slices.Clone(o.Resolutions)
	for _, size := range o.Resolutions {
		if _, err := (arg{size, true}).resolution("resolution"); err != nil {
			return o, fmt.Errorf("pikvmtest: %q is no resolution", size)
		}
	}
	if o.OCRTime < 0 {
		return o, fmt.Errorf("pikvmtest: negative duration %v", o.OCRTime)
	}
	return o, nil
}

// SetSignal gives the device a picture from the host, or takes it away.
func (s *Server) SetSignal(on bool) {
	v := s.streamer
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.offline == on {
		v.offline = !on
		v.publish(map[string]any{"streamer": v.process()})
	}
}

// SetScreenText changes what the screen shows, and what the device reads on it.
func (s *Server) SetScreenText(text string) {
	s.streamer.mu.Lock()
	defer s.streamer.mu.Unlock()
	s.streamer.text = text
}

// WaitStreamer returns when the streamer runs, or does not, as asked. It returns the error of ctx otherwise.
func (s *Server) WaitStreamer(ctx context.Context, running bool) error {
	v := s.streamer
	for {
		v.mu.Lock()
		now, changed := v.running, v.changed.wait()
		v.mu.Unlock()
		if now == running {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
