package pikvm

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Streamer is the picture of the host's screen. All methods may be called from several goroutines at once.
//
// The device runs its streamer only while somebody watches: an event socket that was opened with [EventOptions].Stream, or
// whatever its owner has set up. Otherwise there is no picture, [ErrUnavailable].
type Streamer struct{ c *Client }

// StreamerParams are settings of the video. What is nil stays as it is, or does not exist on the device.
type StreamerParams struct {
	Quality     *int    // of JPEG, 1 to 100
	DesiredFPS  *int    // 0 to 120; 0 means as many as there are
	Resolution  *string // such as "1280x720"
	H264Bitrate *int    // 25 to 20000 kbit/s
	H264GOP     *int    // 0 to 60 frames from one key frame to the next
}

// State asks for the state. Errors are those of every request; see the package's documentation.
func (s *Streamer) State(ctx context.Context) (*StreamerState, error) {
	state := new(StreamerState)
	if err := s.c.get(ctx, call{op: "streamer.State", path: "/api/streamer"}, state); err != nil {
		return nil, err
	}
	return state, nil
}

// Process asks the running streamer itself what it does. A stopped one is HTTP 502, an [APIError] of kind Unavailable.
func (s *Streamer) Process(ctx context.Context) (*StreamerProcess, error) {
	process := new(StreamerProcess)
	if err := s.c.get(ctx, call{op: "streamer.Process", path: "/streamer/state"}, process); err != nil {
		return nil, err
	}
	return process, nil
}

// SetParams changes settings, about a second later and with a restart of the streamer: [StreamerState].Applied shows it, and
// [Streamer.Apply] waits for it.
// A setting that the device lacks is [ErrNotSupported]; those before it in the order of [StreamerParams] are changed
// nevertheless: [StreamerState].Features tells what there is. A value out of [StreamerState].Limits changes nothing, and
// the device does not tell.
func (s *Streamer) SetParams(ctx context.Context, params *StreamerParams) error {
	const op = "streamer.SetParams"
	var p StreamerParams
	if params != nil {
		p = *params
	}
	query, err := p.query(op)
	if err != nil {
		return err
	}
	return s.c.post(ctx, call{op: op, path: "/api/streamer/set_params", query: query})
}

// query checks the settings and returns the parameters for them.
func (p *StreamerParams) query(op string) (url.Values, error) {
	query := url.Values{}
	for _, n := range []struct {
		field, name string
		value       *int
		low, high   int
	}{
		{"Quality", "quality", p.Quality, 1, 100},
		{"DesiredFPS", "desired_fps", p.DesiredFPS, 0, 120},
		{"H264Bitrate", "h264_bitrate", p.H264Bitrate, 25, 20000},
		{"H264GOP", "h264_gop", p.H264GOP, 0, 60},
	} {
		if n.value == nil {
			continue
		}
		if *n.value < n.low || *n.value > n.high {
			return nil, configurationError(op, n.field, "not "+strconv.Itoa(n.low)+" to "+strconv.Itoa(n.high))
		}
		query.Set(n.name, strconv.Itoa(*n.value))
	}
	if p.Resolution != nil {
		if _, ok := parseResolution(*p.Resolution); !ok {
			return nil, configurationError(op, "Resolution", "not such as 1280x720")
		}
		query.Set("resolution", *p.Resolution)
	}
	return query, nil
}

// Reset restarts the streamer if it runs.
func (s *Streamer) Reset(ctx context.Context) error {
	return s.c.post(ctx, call{op: "streamer.Reset", path: "/api/streamer/reset"})
}

// DeleteSnapshot forgets the saved snapshot. The device tells nobody: the state of a [Session] goes on showing it.
func (s *Streamer) DeleteSnapshot(ctx context.Context) error {
	k := call{op: "streamer.DeleteSnapshot", method: http.MethodDelete, path: "/api/streamer/snapshot"}
	return s.c.invoke(ctx, &k, nil)
}
