package pikvm_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestWaitForScreenChange: a line of text is a change, a cursor is none, and a dark screen is none.
func TestWaitForScreenChange(t *testing.T) {
	t.Parallel()
	const before = "$ make\n"
	inBubble(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: before}}, nil, func(t *testing.T, f *fake) {
		begin := time.Now()
		at := func(d time.Duration, do func()) { time.AfterFunc(d, do) }
		at(5*time.Second, func() { f.SetScreenText(before + "o") }) // a cursor
		at(10*time.Second, func() { f.SetSignal(false) })
		at(20*time.Second, func() { f.SetSignal(true) })
		at(30*time.Second, func() { f.SetScreenText(before + strings.Repeat("oooooooooooooo done\n", 8)) })
		got, err := f.client.WaitForScreenChange(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("took %v", took)
		}
		if got.Part < 0.002 || got.Part > 0.5 || sizeOf(t, got.Snapshot.JPEG) != image.Pt(384, 216) {
			t.Errorf("change of %v", got.Part)
		}
		f.leftAlone(t)
	})
}

// TestWaitForScreenChangeSince compares with a picture from before, in its size, so that nothing is missed in between.
func TestWaitForScreenChangeSince(t *testing.T) {
	t.Parallel()
	for name, preview := range map[string]*pikvm.PreviewOptions{"whole": nil, "small": {MaxWidth: 640, Quality: 50}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, watched(strings.Repeat("memory test\n", 20)), nil, func(t *testing.T, f *fake) {
				since, err := f.client.Screenshot(t.Context(), &pikvm.ScreenshotOptions{Preview: preview})
				if err != nil {
					t.Fatal(err)
				}
				opts := &pikvm.WaitChangeOptions{Since: since, Every: 500 * time.Millisecond}
				_, err = f.client.WaitForScreenChange(within(t, 1200*time.Millisecond), opts)
				failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Timeout}.check(t, err)
				if e, _ := errors.AsType[*pikvm.ScreenError](err); e.Reason != "the screen is as it was" {
					t.Errorf("error is %+v", e)
				}
				f.SetScreenText(strings.Repeat("memory test\n", 10) + strings.Repeat("press any key\n", 10))
				begin := time.Now()
				got, err := f.client.WaitForScreenChange(t.Context(), opts)
				if err != nil || time.Since(begin) > 0 || sizeOf(t, got.Snapshot.JPEG) != sizeOf(t, since.JPEG) {
					t.Errorf("%+v after %v, %v", got, time.Since(begin), err)
				}
			})
		})
	}
}

// TestWaitForScreenChangeRegion looks at a part of the screen only.
func TestWaitForScreenChangeRegion(t *testing.T) {
	t.Parallel()
	lines := func(first, second string) string { return first + "\n" + second + "\n" }
	inBubble(t, watched(lines("clock 12:00", "busy")), nil, func(t *testing.T, f *fake) {
		time.AfterFunc(3*time.Second, func() { f.SetScreenText(lines("clock 13:59", "busy")) })
		time.AfterFunc(6*time.Second, func() { f.SetScreenText(lines("clock 13:59", "idle")) })
		begin := time.Now()
		got, err := f.client.WaitForScreenChange(t.Context(), &pikvm.WaitChangeOptions{Region: image.Rect(0, 16, 200, 32), Threshold: 0.05})
		if err != nil || time.Since(begin) != 6*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if got.Part > 0.5 || sizeOf(t, got.Snapshot.JPEG) != image.Pt(1920, 1080) {
			t.Errorf("change of %v", got.Part)
		}
	})
}

// TestWaitForScreenChangeSize: another size of the screen is a change of all of it.
func TestWaitForScreenChangeSize(t *testing.T) {
	t.Parallel()
	device := watched("")
	device.Streamer.Resolutions = []string{"1280x720", "640x480"}
	inBubble(t, device, nil, func(t *testing.T, f *fake) {
		small := "640x480"
		if err := f.client.Streamer.SetParams(t.Context(), &pikvm.StreamerParams{Resolution: &small}); err != nil {
			t.Fatal(err)
		}
		got, err := f.client.WaitForScreenChange(t.Context(), &pikvm.WaitChangeOptions{Threshold: 1})
		if err != nil || got.Part != 1 || got.Snapshot.Width != 640 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestWaitForScreenChangeFails: pictures that cannot be compared, and ends from outside.
func TestWaitForScreenChangeFails(t *testing.T) {
	t.Parallel()
	answer := func(picture []byte) func(f *fake) {
		return func(f *fake) {
			f.Inject(pikvmtest.Fault{
				Kind: pikvmtest.FaultAnswer, Path: "/api/streamer/snapshot", Body: picture, Times: 1,
				Header: http.Header{"Content-Type": {"image/jpeg"}, "X-Ustreamer-Online": {"true"}},
			})
		}
	}
	huge := gray(t, image.Pt(16, 16), image.Rectangle{})
	frame := bytes.Index(huge, []byte{0xff, 0xc0}) // baseline frame (ITU-T T.81, section B.2.2): its size follows
	copy(huge[frame+5:], "\xff\xff\xff\xff")
	protocol := failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200}
	for name, tc := range map[string]struct {
		phase func(f *fake)
		opts  pikvm.WaitChangeOptions
		want  failure
	}{
		"no JPEG after its begin": {answer([]byte("\xff\xd8\xff\xd9")), pikvm.WaitChangeOptions{}, protocol},
		"cut off":                 {answer(gray(t, image.Pt(64, 64), image.Rectangle{})[:400]), pikvm.WaitChangeOptions{}, protocol},
		"too many pixels":         {answer(huge), pikvm.WaitChangeOptions{}, protocol},
		"region beside the screen": {
			func(*fake) {}, pikvm.WaitChangeOptions{Region: image.Rect(5000, 0, 5100, 10)}, protocol,
		},
		"not logged in": {
			func(f *fake) { f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 401, Times: 1}) },
			pikvm.WaitChangeOptions{},
			failure{Type: "AuthError", Class: pikvm.ErrAuth, Kinds: errkit.Auth, Status: 401},
		},
		"canceled": {
			func(*fake) {},
			pikvm.WaitChangeOptions{Every: -1},
			failure{Type: "ScreenError", Class: pikvm.ErrScreen, Kinds: errkit.Canceled},
		},
		"closed": {
			func(f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultDelay, Delay: time.Second})
				time.AfterFunc(500*time.Millisecond, func() { _ = f.client.Close() }) // while the device thinks
			},
			pikvm.WaitChangeOptions{},
			failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, watched("still"), nil, func(t *testing.T, f *fake) {
				if tc.opts.Every < 0 {
					f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultDelay, Delay: 500 * time.Millisecond}) // or time stands still
				}
				tc.phase(f)
				ctx, cancel := context.WithCancel(t.Context())
				defer time.AfterFunc(10250*time.Millisecond, cancel).Stop()
				_, err := f.client.WaitForScreenChange(ctx, &tc.opts)
				tc.want.check(t, err)
			})
		})
	}
}

// gray returns a picture in which one part is lighter.
func gray(t *testing.T, size image.Point, light image.Rectangle) []byte {
	t.Helper()
	img := image.NewGray(image.Rectangle{Max: size})
	for y := light.Min.Y; y < light.Max.Y; y++ {
		for x := light.Min.X; x < light.Max.X; x++ {
			img.Pix[img.PixOffset(x, y)] = 200
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
