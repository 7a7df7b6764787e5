package pikvm

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// ApplyOptions are the optional settings of [Streamer.Apply]. The zero value is ready to use.
type ApplyOptions struct {
	// Timeout is how long the device may take. Zero means 15s, negative means no limit but that of the context.
	Timeout time.Duration
}

const (
	defaultApplyTimeout = 15 * time.Second
	applyPoll           = 500 * time.Millisecond // between two looks at the state
)

// Apply changes settings as [Streamer.SetParams] does, and returns when the device uses them: after about a second, and for a
// streamer that ran, when it runs again. It looks first what there is: a setting that the device lacks is [ErrNotSupported],
// and a value out of [StreamerState].Limits, which the device would overlook, a [ConfigurationError]; in both cases nothing is
// changed. Devices before version 4.126 do not tell what they use, and what is set counts.
//
// When the device does not show the settings in time, for instance because somebody else changed them again, the error is a
// [ScreenError]. Nil options are the defaults.
func (s *Streamer) Apply(ctx context.Context, params *StreamerParams, opts *ApplyOptions) (*StreamerState, error) {
	const op = "streamer.Apply"
	limit := defaultApplyTimeout
	if opts != nil && opts.Timeout != 0 {
		limit = opts.Timeout
	}
	var want StreamerParams
	if params != nil {
		want = *params
	}
	if _, err := want.query(op); err != nil {
		return nil, err
	}
	v, err := s.c.view(ctx, op, "the settings", nil)
	if err != nil {
		return nil, err
	}
	defer v.close()
	waiting := v.ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(v.ctx, limit)
		defer cancel()
	}
	state, err := s.apply(waiting, v, &want)
	if err != nil && waiting.Err() != nil {
		return nil, v.ended("the device uses others", max(limit, 0))
	}
	return state, err
}

func (s *Streamer) apply(ctx context.Context, v *viewing, want *StreamerParams) (*StreamerState, error) {
	var state *StreamerState
	look := func(ctx context.Context) (err error) {
		state, err = s.State(ctx)
		return err
	}
	if err := v.request(ctx, look); err != nil {
		return nil, err
	}
	if err := s.applicable(v.name, want, state); err != nil {
		return nil, err
	}
	ran := state.Process != nil
	if err := v.request(ctx, func(ctx context.Context) error { return s.SetParams(ctx, want) }); err != nil {
		return nil, err
	}
	for {
		err := v.request(ctx, look)
		switch {
		case err != nil:
			if err := v.cope(ctx, err); err != nil {
				return nil, err
			}
		case want.within(&state.Params) && want.within(state.used()) && (state.Process != nil || !ran):
			return state, nil
		}
		if err := retry.Wait(ctx, applyPoll); err != nil {
			return nil, err
		}
	}
}

// used returns what the streamer uses, as far as the device tells it.
func (s *StreamerState) used() *StreamerParams {
	if s.Applied == (StreamerParams{}) {
		return &s.Params
	}
	return &s.Applied
}

// within reports whether all settings of p are those of other.
func (p *StreamerParams) within(other *StreamerParams) bool {
	return sameSetting(p.Quality, other.Quality) && sameSetting(p.DesiredFPS, other.DesiredFPS) &&
		sameSetting(p.Resolution, other.Resolution) &&
		sameSetting(p.H264Bitrate, other.H264Bitrate) && sameSetting(p.H264GOP, other.H264GOP)
}

func sameSetting[T comparable](want, got *T) bool { return want == nil || got != nil && *want == *got }

// applicable checks the settings against what the device has.
func (s *Streamer) applicable(op string, want *StreamerParams, state *StreamerState) error {
	lacking := func(code, message string) error {
		return &APIError{
			Info: errkit.Info{Class: ErrNotSupported, Op: op, Target: s.c.target, Kind: errkit.Invalid | errkit.NotSent},
			Code: code, Message: message, StatusCode: http.StatusBadRequest,
		}
	}
	features, limits := state.Features, state.Limits
	switch {
	case want.Quality != nil && !features.Quality:
		return lacking("StreamerQualityNotSupported", "This streamer does not support quality settings")
	case want.Resolution != nil && !features.Resolution:
		return lacking("StreamerResolutionNotSupported", "This streamer does not support resolution settings")
	case (want.H264Bitrate != nil || want.H264GOP != nil) && !features.H264:
		return lacking("StreamerH264NotSupported", "This streamer does not support H264")
	case want.Resolution != nil && !slices.Contains(limits.Resolutions, *want.Resolution):
		return configurationError(op, "Resolution", "not one of those of the device")
	}
	for _, n := range []struct {
		field string
		value *int
		limit *StreamerRange
	}{
		{"DesiredFPS", want.DesiredFPS, limits.DesiredFPS},
		{"H264Bitrate", want.H264Bitrate, limits.H264Bitrate},
		{"H264GOP", want.H264GOP, limits.H264GOP},
	} {
		if n.value != nil && n.limit != nil && (*n.value < n.limit.Min || *n.value > n.limit.Max) {
			return configurationError(op, n.field, "out of the limits of the device")
		}
	}
	return nil
}
