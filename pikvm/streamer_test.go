package pikvm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestStreamerState checks the recorded states.
func TestStreamerState(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	size := "1280x720"
	h264 := pikvm.StreamerParams{Quality: number(80), DesiredFPS: number(30), H264Bitrate: number(5000), H264GOP: number(30)}
	resolution := pikvm.StreamerParams{DesiredFPS: number(30), Resolution: &size}
	for name, want := range map[string]*pikvm.StreamerState{
		"streamer_stopped": {
			Features: pikvm.StreamerFeatures{Quality: true, H264: true},
			Limits: pikvm.StreamerLimits{
				DesiredFPS:  &pikvm.StreamerRange{Max: 90},
				H264Bitrate: &pikvm.StreamerRange{Min: 25, Max: 20000}, H264GOP: &pikvm.StreamerRange{Max: 60},
			},
			Params: h264, Applied: h264,
		},
		"streamer_resolution": {
			Features: pikvm.StreamerFeatures{Resolution: true},
			Limits: pikvm.StreamerLimits{
				DesiredFPS: &pikvm.StreamerRange{Max: 90}, Resolutions: []string{"1280x720", "640x480"},
			},
			Params: resolution, Applied: resolution,
		},
	} {
		got, err := replay(t, exchangeNamed(t, name), nil).Streamer.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.StreamerState{}, "Raw")); d != "" || !json.Valid(got.Raw) {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	ocr, err := replay(t, exchangeNamed(t, "streamer_ocr"), nil).Streamer.OCR(t.Context())
	if err != nil || !ocr.Enabled || len(ocr.Default) != 1 || ocr.Available[0] != "eng" {
		t.Errorf("OCR is %+v, %v", ocr, err)
	}
	var state pikvm.StreamerState
	for _, body := range []string{`{}`, `[]`, `{"features": {"h264": "yes"}}`, `{"features": {}, "streamer": {}}`, `{"features": {}, "streamer": []}`} {
		if err := json.Unmarshal([]byte(body), &state); err == nil {
			t.Errorf("%s is %+v, want an error", body, state)
		}
	}
	if err := json.Unmarshal([]byte(`{"features": {"h264": 1}, "streamer": {"source": {"online": 1}}}`), &state); err != nil || !state.Process.Online {
		t.Errorf("an old one: %+v, %v", state, err)
	}
}

// watched is a device whose streamer runs.
func watched(text string) *pikvmtest.Options {
	return &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true, Text: text}}
}

func sizeOf(t *testing.T, data []byte) image.Point {
	t.Helper()
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return image.Pt(config.Width, config.Height)
}

// TestSnapshot takes pictures: whole, small, saved, of another text, and none.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	unavailable := failure{Type: "APIError", Class: pikvm.ErrUnavailable, Kinds: errkit.Unavailable, Status: 503}
	inBubble(t, watched("one"), nil, func(t *testing.T, f *fake) {
		ctx, streamer := t.Context(), f.client.Streamer
		_, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Load: true})
		unavailable.check(t, err) // nothing is saved
		first, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Save: true})
		if err != nil {
			t.Fatal(err)
		}
		if !first.Online || first.Width != 1920 || first.Height != 1080 || sizeOf(t, first.JPEG) != image.Pt(1920, 1080) ||
			!first.Time.Equal(time.Now()) || first.Header.Get("X-UStreamer-Width") != "1920" {
			t.Errorf("snapshot is %+v", first.SnapshotInfo)
		}
		f.SetScreenText("two")
		second, err := streamer.Snapshot(ctx, nil)
		if err != nil || bytes.Equal(first.JPEG, second.JPEG) {
			t.Errorf("the screen has not changed: %v", err)
		}
		time.Sleep(time.Minute)
		loaded, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Load: true})
		if err != nil || !bytes.Equal(first.JPEG, loaded.JPEG) || !loaded.Time.Equal(first.Time) {
			t.Errorf("another one was saved: %v", err)
		}
		for options, want := range map[pikvm.PreviewOptions]image.Point{
			{}:                              image.Pt(384, 216),
			{MaxWidth: 160}:                 image.Pt(160, 90),
			{MaxHeight: 108}:                image.Pt(192, 108),
			{MaxWidth: 9999, MaxHeight: 99}: image.Pt(176, 99),
			{MaxWidth: 9999, Quality: 1}:    image.Pt(1920, 1080),
		} {
			small, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Preview: &options})
			if err != nil {
				t.Fatal(err)
			}
			if got := sizeOf(t, small.JPEG); got != want || small.Width != 1920 {
				t.Errorf("preview %+v is %v, want %v", options, got, want)
			}
		}
		f.SetSignal(false)
		_, err = streamer.Snapshot(ctx, nil)
		unavailable.check(t, err)
		placeholder, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{AllowOffline: true})
		if err != nil || placeholder.Online {
			t.Errorf("placeholder: %v", err)
		}
		if err := streamer.DeleteSnapshot(ctx); err != nil {
			t.Fatal(err)
		}
		_, err = streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Load: true})
		unavailable.check(t, err)
	})
}

// TestSnapshotOddAnswers checks what is no picture or no text, and one that is too large.
func TestSnapshotOddAnswers(t *testing.T) {
	t.Parallel()
	header := func(kind string) http.Header {
		return http.Header{"Content-Type": {kind}, "X-Ustreamer-Online": {"true"}}
	}
	const picture = "\xff\xd8picture"
	for name, tc := range map[string]struct {
		header http.Header
		body   string
		ocr    bool
		ok     bool
	}{
		"JPEG":             {header("image/jpeg"), picture, false, true},
		"H.264":            {header("image/jpeg"), "\x00\x00\x00\x01\x67", false, false},
		"empty":            {header("image/jpeg"), "", false, false},
		"page":             {header("text/html"), "<html>", false, false},
		"JPEG by accident": {header("text/plain"), picture, false, false},
		"no online":        {http.Header{"Content-Type": {"image/jpeg"}}, picture, false, false},
		"too large":        {header("image/jpeg"), picture + strings.Repeat("x", 1<<20), false, false},
		"text":             {header("text/plain; charset=utf-8"), "Grüß\n", true, true},
		"no text":          {header("text/plain"), "", true, true},
		"picture as text":  {header("image/jpeg"), picture, true, false},
		"no UTF-8":         {header("text/plain"), "\xff", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, watched(""), &pikvm.Options{MaxBody: 1 << 20}, func(t *testing.T, f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Header: tc.header, Body: []byte(tc.body), Times: 1})
				call := takeSnapshot(nil)
				if tc.ocr {
					call = readScreen(nil)
				}
				err := call(t.Context(), f.client)
				if tc.ok && err != nil || !tc.ok && !errors.Is(err, pikvm.ErrResponse) {
					t.Errorf("error %v", err)
				}
				if err := takeSnapshot(nil)(t.Context(), f.client); err != nil && tc.body != picture+strings.Repeat("x", 1<<20) {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// TestRecognize reads the screen, a region of it, and one that takes long to read.
func TestRecognize(t *testing.T) {
	t.Parallel()
	device := watched("Press F2 to enter setup\nmemory 16 GiB\n")
	device.Streamer.OCRTime = 40 * time.Second
	inBubble(t, device, nil, func(t *testing.T, f *fake) {
		for want, region := range map[string]image.Rectangle{
			"Press F2 to enter setup\nmemory 16 GiB\n": {},
			"F2 to\n":         image.Rect(48, 0, 88, 16),
			"memory 16 GiB\n": image.Rect(0, 16, 1920, 1080),
			"":                image.Rect(0, 500, 100, 600),
		} {
			got, err := f.client.Streamer.Recognize(t.Context(), &pikvm.OCROptions{Region: region, Languages: []string{"eng"}})
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != want || !got.Online || got.Height != 1080 {
				t.Errorf("read %q, want %q", got.Text, want)
			}
		}
		_, err := f.client.Streamer.Recognize(t.Context(), &pikvm.OCROptions{Languages: []string{"rus"}})
		failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400}.check(t, err)
		_, err = f.client.Streamer.Recognize(within(t, time.Second), nil)
		failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout}.check(t, err)
	})
}

// TestStreamerLife checks that the streamer runs while a session watches and 10 s longer, what settings do and when, and
// that the events of a session give the same state as the request, in every form of events.
func TestStreamerLife(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4.197", "4.35", "4.20", "3.333"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Version: version}, nil, func(t *testing.T, f *fake) {
				ctx, streamer := t.Context(), f.client.Streamer
				if _, err := streamer.Process(ctx); !errors.Is(err, errkit.Unavailable) {
					t.Errorf("a stopped streamer: %v", err)
				}
				s := f.open(t, &pikvm.EventOptions{Stream: true})
				running := func(s *pikvm.State) bool {
					state, ok := s.Streamer()
					return ok && state.Process != nil && state.Process.Online
				}
				if _, err := s.Wait(within(t, time.Minute), running); err != nil {
					t.Fatal(err)
				}
				fps, over, size := 10, 91, "640x480"
				if err := streamer.SetParams(ctx, &pikvm.StreamerParams{DesiredFPS: &fps}); err != nil {
					t.Fatal(err)
				}
				if err := streamer.SetParams(ctx, &pikvm.StreamerParams{DesiredFPS: &over}); err != nil { // overlooked
					t.Fatal(err)
				}
				if err := streamer.SetParams(ctx, &pikvm.StreamerParams{Resolution: &size}); !errors.Is(err, pikvm.ErrNotSupported) {
					t.Errorf("resolution: %v", err)
				}
				_, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool {
					state, ok := s.Streamer()
					return ok && state.Process != nil && state.Process.DesiredFPS == fps
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Save: true}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				want, err := streamer.State(ctx)
				if err != nil {
					t.Fatal(err)
				}
				got, ok := s.State().Streamer()
				raw := cmpopts.IgnoreFields(pikvm.StreamerState{}, "Raw")
				process := cmpopts.IgnoreFields(pikvm.StreamerProcess{}, "Raw")
				if d := cmp.Diff(want, got, raw, process); d != "" || !ok || got.Saved == nil {
					t.Errorf("state by events (-want +got):\n%s", d)
				}
				if err := streamer.Reset(ctx); err != nil {
					t.Fatal(err)
				}
				if err := f.WaitStreamer(within(t, time.Minute), true); err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
				begin := time.Now()
				if err := f.WaitStreamer(within(t, time.Minute), false); err != nil || time.Since(begin) != 10*time.Second {
					t.Errorf("stopped after %v, %v", time.Since(begin), err)
				}
				_, err = streamer.Snapshot(ctx, nil)
				failure{Type: "APIError", Class: pikvm.ErrUnavailable, Kinds: errkit.Unavailable, Status: 503}.check(t, err)
			})
		})
	}
}
