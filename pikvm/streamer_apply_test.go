package pikvm_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestApply changes settings of a streamer that runs and of one that does not, and returns when they are in use.
func TestApply(t *testing.T) {
	t.Parallel()
	fps, bitrate := 10, 2000
	want := &pikvm.StreamerParams{DesiredFPS: &fps, H264Bitrate: &bitrate}
	for _, version := range []string{"4.197", "4.125"} {
		for _, runs := range []bool{true, false} {
			inBubble(t, &pikvmtest.Options{Version: version, Streamer: pikvmtest.StreamerOptions{Forever: runs}}, nil, func(t *testing.T, f *fake) {
				begin := time.Now()
				got, err := f.client.Streamer.Apply(t.Context(), want, nil)
				if err != nil {
					t.Fatal(err)
				}
				if *got.Params.DesiredFPS != fps || (got.Process != nil) != runs {
					t.Errorf("%s, running %v: state is %s", version, runs, got.Raw)
				}
				if version == "4.197" && (*got.Applied.H264Bitrate != bitrate || time.Since(begin) < time.Second) {
					t.Errorf("after %v: state is %s", time.Since(begin), got.Raw)
				}
				begin = time.Now() // nothing to do
				if _, err := f.client.Streamer.Apply(t.Context(), want, nil); version == "4.197" && (err != nil || time.Since(begin) > 0) {
					t.Errorf("again: %v after %v", err, time.Since(begin))
				}
			})
		}
	}
}

// TestApplyFails: what cannot become true is refused before anything is changed, and what does not become true ends in time.
func TestApplyFails(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	size := "1x1"
	config := failure{Type: "ConfigurationError", Class: pikvm.ErrConfiguration, Kinds: errkit.Invalid | errkit.NotSent}
	lacking := failure{
		Type: "APIError", Class: pikvm.ErrNotSupported, Status: 400, Kinds: errkit.Unsupported | errkit.Invalid | errkit.NotSent,
	}
	poor := pikvmtest.StreamerOptions{NoQuality: true, NoH264: true}
	for name, tc := range map[string]struct {
		device pikvmtest.StreamerOptions
		params pikvm.StreamerParams
		fault  *pikvmtest.Fault
		want   failure
		took   time.Duration
		sends  bool
	}{
		"no quality":    {device: poor, params: pikvm.StreamerParams{Quality: number(50)}, want: lacking},
		"no bitrate":    {device: poor, params: pikvm.StreamerParams{H264Bitrate: number(50)}, want: lacking},
		"no GOP":        {device: poor, params: pikvm.StreamerParams{H264GOP: number(50)}, want: lacking},
		"no resolution": {params: pikvm.StreamerParams{Resolution: &size}, want: lacking},
		"other resolution": {
			device: pikvmtest.StreamerOptions{Resolutions: []string{"640x480"}}, params: pikvm.StreamerParams{Resolution: &size}, want: config,
		},
		"over the limit": {params: pikvm.StreamerParams{DesiredFPS: number(91)}, want: config},
		"never allowed":  {params: pikvm.StreamerParams{DesiredFPS: number(121)}, want: config},
		"overlooked": {
			params: pikvm.StreamerParams{DesiredFPS: number(5)}, sends: true, took: 15 * time.Second,
			fault: &pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Method: "POST", Body: []byte(okEmpty)},
			want:  failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout},
		},
		"refused": {
			params: pikvm.StreamerParams{DesiredFPS: number(5)}, sends: true,
			fault: &pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Method: "POST", Status: 403, Body: []byte(forbidden)},
			want:  failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 403},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Streamer: tc.device}, nil, func(t *testing.T, f *fake) {
				if tc.fault != nil {
					f.Inject(*tc.fault)
				}
				begin := time.Now()
				_, err := f.client.Streamer.Apply(t.Context(), &tc.params, nil)
				tc.want.check(t, err)
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				sent := false
				for _, r := range f.Requests() {
					sent = sent || r.Method == "POST"
				}
				if sent != tc.sends {
					t.Errorf("sent: %v", sent)
				}
			})
		})
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) { // an answer is lost on the way
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/streamer", Skip: 1, Times: 2})
		if _, err := f.client.Streamer.Apply(t.Context(), &pikvm.StreamerParams{DesiredFPS: number(5)}, nil); err != nil {
			t.Error(err)
		}
		_, err := f.client.Streamer.Apply(canceled(t), nil, &pikvm.ApplyOptions{Timeout: -1})
		if !errors.Is(err, errkit.Canceled) {
			t.Errorf("canceled: %v", err)
		}
	})
}
